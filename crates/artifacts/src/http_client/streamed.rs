//! Addresses, requests whose body is as long as it is, and answers that are read
//! whole.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited, StreamBody};
use hyper::body::Frame;
use tokio::time::{Instant, sleep_until};

use super::{ANSWER_TIME, HttpClient, NoAnswer, PAUSE_TIME, ResponseBody};

impl HttpClient {
    /// Sends a request with this body, and waits for the head of the answer: two
    /// minutes from the last piece of the body on, however long that takes.
    ///
    /// # Errors
    /// [`NoAnswer`] if there is none.
    pub async fn send_streamed(
        &self,
        request: Request<()>,
        content: BoxStream<'static, Result<Bytes, io::Error>>,
    ) -> Result<Response<ResponseBody>, NoAnswer> {
        let last = Arc::new(Mutex::new(Instant::now()));
        let told = Arc::clone(&last);
        let content = content.map(move |chunk| {
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            chunk.map(Frame::data)
        });
        let request = request.map(|()| StreamBody::new(content).map_err(Into::into).boxed_unsync());
        let answer = self.client.request(request);
        tokio::pin!(answer);
        loop {
            let end = *last.lock().unwrap_or_else(PoisonError::into_inner) + ANSWER_TIME;
            tokio::select! {
                answer = &mut answer => return match answer {
                    Ok(response) => Ok(response.map(|body| ResponseBody::new(body, PAUSE_TIME))),
                    Err(error) if error.is_connect() => Err(NoAnswer::Connect(error.into())),
                    Err(error) => Err(NoAnswer::Broken(error.into())),
                },
                () = sleep_until(end) => {
                    let last = *last.lock().unwrap_or_else(PoisonError::into_inner);
                    if last + ANSWER_TIME <= Instant::now() {
                        return Err(NoAnswer::Timeout);
                    }
                }
            }
        }
    }
}

impl NoAnswer {
    /// What the network says.
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Timeout => io::Error::new(io::ErrorKind::TimedOut, "no answer in time"),
            Self::Connect(error) | Self::Broken(error) => io::Error::other(error),
        }
    }
}

/// The body of an answer that has at most `max` bytes.
///
/// # Errors
/// If it is longer, breaks off, or takes longer than two minutes.
pub async fn whole(body: ResponseBody, max: usize) -> io::Result<Bytes> {
    /// A body that trickles is no answer either.
    const TIME: Duration = Duration::from_mins(2);
    let body = Limited::new(body, max).collect();
    match tokio::time::timeout(TIME, body).await {
        Ok(body) => Ok(body.map_err(io::Error::other)?.to_bytes()),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// The body of an answer as it comes.
pub fn pieces(body: ResponseBody) -> BoxStream<'static, Result<Bytes, io::Error>> {
    body.into_data_stream().boxed()
}
