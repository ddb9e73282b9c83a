//! Streams bodies into files and files into bodies, does nothing else: the raw limit of a proxy of artifacts that
//! stands on hyper.
//!
//! `bare_files HOST:PORT DIR` serves until it is killed, on as many threads as the machine has cores. The last segment of
//! a request's path is the name of the file in DIR. A file that was answered for is on the disk, as with the servers
//! beside it; it is written where it stays, and nothing is looked up, listed or tagged.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{TryStreamExt, stream};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Bytes that are read from a file at once, and written at once.
const CHUNK: usize = 256 << 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(address), Some(folder)) = (arguments.next(), arguments.next()) else {
        return Err("usage: bare_files HOST:PORT DIR".into());
    };
    let folder: Arc<Path> = PathBuf::from(folder).into();
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let folder = Arc::clone(&folder);
        let service = service_fn(move |request| answer(request, Arc::clone(&folder)));
        tokio::spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            // A client that hangs up ends its own connection and nothing else.
            drop(connection.await);
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    folder: Arc<Path>,
) -> Result<Response<Body>, Infallible> {
    let name = request.uri().path().rsplit('/').next().unwrap_or_default();
    let path = folder.join(name);
    let done = match *request.method() {
        Method::PUT => store(&path, request.into_body()).await,
        _ => content(&path).await,
    };
    let (status, body) = match done {
        Ok(body) => (StatusCode::OK, body),
        Err(_) => (StatusCode::NOT_FOUND, empty()),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    Ok(response)
}

fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

async fn store(path: &Path, mut body: Incoming) -> io::Result<Body> {
    let mut file = File::create(path).await?;
    file.set_max_buf_size(CHUNK);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(io::Error::other)?.into_data() {
            file.write_all(&data).await?;
        }
    }
    file.flush().await?;
    file.sync_all().await?;
    Ok(empty())
}

async fn content(path: &Path) -> io::Result<Body> {
    let file = File::open(path).await?;
    let chunks = stream::try_unfold(file, async |mut file| {
        let mut chunk = BytesMut::with_capacity(CHUNK);
        file.read_buf(&mut chunk).await?;
        Ok::<_, io::Error>((!chunk.is_empty()).then(|| (chunk.freeze(), file)))
    });
    Ok(StreamBody::new(chunks.map_ok(Frame::data)).boxed_unsync())
}
