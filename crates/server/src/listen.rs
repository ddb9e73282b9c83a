//! Accepts connections and serves HTTP/1.1 on them, until told to stop.
//!
//! Connections are bounded in number, in the size of a request's head and in
//! the time that it may take. What is done with a request is left to the
//! router.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::write_timeout::WriteTimeout;

/// Connections that are open at a time; more wait in the kernel's queue.
const MAX_CONNECTIONS: u32 = 4096;
/// Bytes of a request's line and headers: a URL with 100 run ids has 4 kB.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Headers of a request.
const MAX_HEADERS: usize = 100;
/// How long the head of a request may take, and a connection stay idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long requests that were accepted may still take after a shutdown.
const GRACE: Duration = Duration::from_secs(30);
/// How long a connection may be silent before the kernel asks whether the
/// other end is still there, and between its questions.
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_mins(1))
    .with_interval(Duration::from_secs(15));
/// The pause after a failure to accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why serving ended badly.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Requests were still running at the end of the grace period, and were
    /// cut off.
    #[error("{connections} connections did not finish within {} seconds and were closed", .grace.as_secs())]
    Unfinished {
        /// How many connections were cut off.
        connections: usize,
        /// The grace period.
        grace: Duration,
    },
}

/// What the connections are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serve,
    Finish,
    Abort,
}

/// Times that connections are given.
#[derive(Clone, Copy, Debug)]
struct Times {
    /// How long a client may take nothing of an answer.
    write_idle: Duration,
    /// How long requests may still take after a shutdown.
    grace: Duration,
}

/// Serves `app` on `listener` until `shutdown` is done.
///
/// A connection whose client takes nothing of an answer for `write_idle` is
/// closed.
///
/// After the shutdown nothing more is accepted, idle connections are closed, requests that
/// were accepted are finished within 30 seconds.
///
/// # Errors
/// [`ServeError::Unfinished`] if some took longer; they were cut off.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    write_idle: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let times = Times {
        write_idle,
        grace: GRACE,
    };
    serve_within(listener, app, times, shutdown).await
}

async fn serve_within(
    listener: TcpListener,
    app: Router,
    times: Times,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ServeError> {
    let grace = times.grace;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let (phase, _) = watch::channel(Phase::Serve);
    tokio::select! {
        () = shutdown => {}
        () = accept(&listener, &app, times, &slots, &phase) => {}
    }
    drop(listener);
    phase.send_replace(Phase::Finish);
    let finished = tokio::time::timeout(grace, slots.acquire_many(MAX_CONNECTIONS)).await;
    if finished.is_ok() {
        return Ok(());
    }
    let connections = MAX_CONNECTIONS as usize - slots.available_permits();
    phase.send_replace(Phase::Abort);
    Err(ServeError::Unfinished { connections, grace })
}

/// Accepts for ever.
async fn accept(
    listener: &TcpListener,
    app: &Router,
    times: Times,
    slots: &Arc<Semaphore>,
    phase: &watch::Sender<Phase>,
) {
    // The semaphore is never closed; the loop would end if it were.
    while let Ok(slot) = Arc::clone(slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                tune(&stream);
                let stream = WriteTimeout::new(stream, times.write_idle);
                tokio::spawn(connection(stream, app.clone(), phase.subscribe(), slot));
            }
            Err(error) if is_of_the_peer(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept connections");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether only the one connection failed.
fn is_of_the_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// Sets what a socket is not born with.
fn tune(stream: &TcpStream) {
    // Answers are small and written at once: waiting to fill a packet only
    // delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays without TCP_NODELAY");
    }
    // A client that vanished without a word would keep its connection.
    if let Err(error) = SockRef::from(stream).set_tcp_keepalive(&KEEPALIVE) {
        tracing::debug!(%error, "a connection stays without SO_KEEPALIVE");
    }
}

async fn connection(
    stream: WriteTimeout<TcpStream>,
    app: Router,
    mut phase: watch::Receiver<Phase>,
    _slot: OwnedSemaphorePermit,
) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(app));
    let mut served = std::pin::pin!(served);
    let mut finishing = false;
    loop {
        tokio::select! {
            outcome = served.as_mut() => {
                if let Err(error) = outcome {
                    tracing::debug!(%error, "a connection ended early");
                }
                return;
            }
            now = next_phase(&mut phase, finishing) => {
                if now == Phase::Abort {
                    return;
                }
                finishing = true;
                served.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Waits for the phase after the one that the connection knows.
async fn next_phase(phase: &mut watch::Receiver<Phase>, finishing: bool) -> Phase {
    let known = if finishing {
        Phase::Finish
    } else {
        Phase::Serve
    };
    match phase.wait_for(|now| *now != known).await {
        Ok(now) => *now,
        // The server is gone without a word.
        Err(_) => Phase::Abort,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};
    use tokio::task::JoinHandle;

    use super::*;

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        served: JoinHandle<Result<(), ServeError>>,
    }

    async fn run(app: Router, grace: Duration) -> Running {
        run_within(
            app,
            Times {
                write_idle: GRACE,
                grace,
            },
        )
        .await
    }

    async fn run_within(app: Router, times: Times) -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async move {
            let _ = stopped.await;
        };
        let served = tokio::spawn(serve_within(listener, app, times, shutdown));
        Running {
            address,
            stop,
            served,
        }
    }

    async fn send(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn read_all(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    /// A router whose one answer waits for `release`, and says when it is asked.
    fn slow(asked: &Arc<Notify>, release: &Arc<Notify>) -> Router {
        let (asked, release) = (Arc::clone(asked), Arc::clone(release));
        Router::new().route(
            "/",
            get(move || async move {
                asked.notify_one();
                release.notified().await;
                "done"
            }),
        )
    }

    #[tokio::test]
    async fn a_request_in_flight_is_finished() {
        let (asked, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let running = run(slow(&asked, &release), GRACE).await;
        let stream = send(running.address, REQUEST).await;
        asked.notified().await;
        running.stop.send(()).unwrap();
        release.notify_one();
        assert!(read_all(stream).await.ends_with("done"));
        running.served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_delay_the_end() {
        let running = run(Router::new(), GRACE).await;
        let mut stream = send(running.address, REQUEST).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_connection_without_a_request_does_not_delay_the_end() {
        let running = run(Router::new(), GRACE).await;
        let silent = TcpStream::connect(running.address).await.unwrap();
        // Accepted in order: once the second is answered, the first is open.
        let mut other = send(running.address, REQUEST).await;
        other.read_exact(&mut [0; 12]).await.unwrap();
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
        drop(silent);
    }

    #[tokio::test]
    async fn nothing_is_accepted_after_the_shutdown() {
        let running = run(Router::new(), GRACE).await;
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
        assert!(TcpStream::connect(running.address).await.is_err());
    }

    #[tokio::test]
    async fn a_request_that_never_ends_is_cut_off_and_told() {
        let (asked, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let running = run(slow(&asked, &release), Duration::from_millis(50)).await;
        let stream = send(running.address, REQUEST).await;
        asked.notified().await;
        running.stop.send(()).unwrap();
        let outcome = running.served.await.unwrap();
        assert!(matches!(
            outcome,
            Err(ServeError::Unfinished { connections: 1, .. })
        ));
        assert_eq!(read_all(stream).await, "");
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_is_cut_off() {
        let endless = || async {
            let zeros = || Ok::<_, io::Error>(bytes::Bytes::from_static(&[0; 16 * 1024]));
            axum::body::Body::from_stream(futures_util::stream::repeat_with(zeros))
        };
        let times = Times {
            write_idle: Duration::from_millis(100),
            grace: Duration::from_secs(3),
        };
        let running = run_within(Router::new().route("/", get(endless)), times).await;
        let stream = send(running.address, REQUEST).await;
        // Accepted in order: once another is answered, the first is open.
        let mut other = send(running.address, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n").await;
        other.read_exact(&mut [0; 12]).await.unwrap();
        running.stop.send(()).unwrap();
        running.served.await.unwrap().unwrap();
        drop(stream);
    }

    #[tokio::test]
    async fn a_vanished_client_is_noticed_by_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        tune(&stream);
        assert!(SockRef::from(&stream).keepalive().unwrap());
    }

    #[tokio::test]
    async fn a_head_that_is_too_large_is_refused() {
        let running = run(Router::new(), GRACE).await;
        let long = "x".repeat(MAX_HEAD_BYTES);
        let request = format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut stream = send(running.address, &request).await;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start[..10], b"HTTP/1.1 4");
    }
}
