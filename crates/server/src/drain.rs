//! Reads to its end what a handler left of a request body, so that the
//! connection stays good for the next request.
//!
//! An answer may be ready before the body is read: the path does not exist, the
//! origin is refused. A short rest is then read and dropped. Of a long one, or
//! one that does not come, the client is told that the connection ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{BoxError, body::Body, extract::Request, middleware::Next, response::Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::{sync::oneshot, time::timeout};

/// Bytes that are read for the sake of the connection: less than a new one costs.
const MOST: usize = 64 << 10;
/// How long they may take.
const PATIENCE: Duration = Duration::from_secs(1);

/// The middleware.
pub(crate) async fn drain(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Who waits for "100 Continue" has sent nothing yet, and need not.
    let waits = request.headers().contains_key(header::EXPECT);
    let (give_back, mut rest) = oneshot::channel();
    let request = request.map(|body| {
        Body::new(Lent {
            body: Some(body),
            give_back: Some(give_back),
        })
    });
    let mut response = next.run(request).await;
    if let Ok(rest) = rest.try_recv()
        && (waits || !read_to_end(rest).await)
    {
        let headers = response.headers_mut();
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether the end came within the bounds.
async fn read_to_end(mut body: Body) -> bool {
    if usize::try_from(body.size_hint().lower()).map_or(true, |length| length > MOST) {
        return false;
    }
    let reading = async {
        let mut length = 0;
        while let Some(frame) = body.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => length += data.len(),
                Ok(Err(_)) => {}
                Err(_) => return false,
            }
            if length > MOST {
                return false;
            }
        }
        true
    };
    timeout(PATIENCE, reading).await.unwrap_or(false)
}

/// A body that comes back if it is dropped before its end.
struct Lent {
    body: Option<Body>,
    give_back: Option<oneshot::Sender<Body>>,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(body).poll_frame(context));
        match frame {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(error)) => {
                self.body = None;
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                self.body = None;
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Some(body) => body.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(give_back)) = (self.body.take(), self.give_back.take())
            && !body.is_end_stream()
        {
            // Nobody waits for it where the request itself was given up.
            let _ = give_back.send(body);
        }
    }
}
