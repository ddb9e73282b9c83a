//! A request body that must not pause for long.

use std::{
    error::Error,
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{BoxError, body::Body};
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// The client sent nothing of its body for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request body paused for {} seconds", .limit.as_secs_f32())]
pub(crate) struct BodyTimedOut {
    /// How long it may pause.
    pub(crate) limit: Duration,
}

impl BodyTimedOut {
    /// The one among the causes of an error, if there is one.
    pub(crate) fn cause_of(error: &(dyn Error + 'static)) -> Option<Self> {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(timed_out) = error.downcast_ref::<Self>() {
                return Some(*timed_out);
            }
            cause = error.source();
        }
        None
    }
}

/// Bounds the pauses of a body: the time from when more of it is wanted until
/// some of it comes. What the server does in between does not count.
pub(crate) fn limit_pauses(body: Body, limit: Duration) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::new(BodyTimeout {
        body,
        limit,
        pause: None,
    })
}

struct BodyTimeout {
    body: Body,
    limit: Duration,
    pause: Option<Pin<Box<Sleep>>>,
}

impl fmt::Debug for BodyTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyTimeout")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

impl HttpBody for BodyTimeout {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.pause = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(BoxError::from)));
        }
        let limit = self.limit;
        let pause = self.pause.get_or_insert_with(|| Box::pin(sleep(limit)));
        pause
            .as_mut()
            .poll(cx)
            .map(|()| Some(Err(BodyTimedOut { limit }.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_pause_over_the_limit_is_an_error() {
        let start = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"a")) });
        let body = Body::from_stream(start.chain(stream::pending()));
        let mut body = limit_pauses(body, LIMIT);
        assert_eq!(
            body.frame().await.unwrap().unwrap().into_data().unwrap(),
            "a"
        );
        let error = body.frame().await.unwrap().unwrap_err();
        assert_eq!(
            BodyTimedOut::cause_of(&error),
            Some(BodyTimedOut { limit: LIMIT })
        );
    }

    #[tokio::test]
    async fn a_slow_body_without_long_pauses_comes_whole() {
        let pieces = stream::iter(0..6).then(|_| async {
            sleep(LIMIT / 4).await;
            Ok::<_, std::io::Error>(Bytes::from_static(b"a"))
        });
        let body = limit_pauses(Body::from_stream(pieces), LIMIT);
        assert_eq!(body.collect().await.unwrap().to_bytes(), "aaaaaa");
    }
}
