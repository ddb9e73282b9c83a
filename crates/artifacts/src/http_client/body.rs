//! The body of an answer, which may not pause for long.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// A body that fails when it keeps its reader waiting for too long. A reader
/// that pauses itself may do so.
#[derive(Debug)]
pub struct ResponseBody {
    incoming: Incoming,
    limit: Duration,
    alarm: Pin<Box<Sleep>>,
    waiting: bool,
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, limit: Duration) -> Self {
        Self {
            incoming,
            limit,
            alarm: Box::pin(tokio::time::sleep(limit)),
            waiting: false,
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                this.waiting = false;
                Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)))
            }
            Poll::Pending => {
                if !this.waiting {
                    this.waiting = true;
                    this.alarm.as_mut().reset(Instant::now() + this.limit);
                }
                ready!(this.alarm.as_mut().poll(context));
                let error = io::Error::new(
                    io::ErrorKind::TimedOut,
                    "the storage stopped sending in the middle of an answer",
                );
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
