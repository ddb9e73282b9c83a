//! Request bodies, read whole and within bounds.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use crate::{
    admission::{BodyBudget, Share},
    body_timeout::BodyTimedOut,
    failure::Failure,
};

/// A body that was read, with its share of the memory for bodies.
#[derive(Debug)]
pub(crate) struct WholeBody {
    pub(crate) bytes: Bytes,
    pub(crate) share: Share,
}

/// Reads a body of at most `limit` bytes.
///
/// A body that announces more is refused before any of it is read.
pub(crate) async fn read(
    headers: &HeaderMap,
    mut body: Body,
    limit: usize,
    budget: &BodyBudget,
) -> Result<WholeBody, Failure> {
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok())
        .map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut share = Share::default();
    // Most bodies arrive in one piece, which is then used as it is.
    let mut whole = Bytes::new();
    let mut pieces = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|error| broken_off(&error))?.into_data() else {
            continue;
        };
        let so_far = whole.len().max(pieces.len());
        let length = so_far.saturating_add(data.len());
        if length > limit {
            return Err(too_large(limit));
        }
        if so_far == 0 {
            budget.cover(&mut share, length)?;
            whole = data;
            continue;
        }
        if pieces.capacity() < length {
            // Grows with what came: what is only announced takes no memory.
            let capacity = (2 * length).min(announced.unwrap_or(limit)).max(length);
            budget.cover(&mut share, capacity)?;
            pieces.reserve_exact(capacity - pieces.len());
        }
        pieces.extend_from_slice(&std::mem::take(&mut whole));
        pieces.extend_from_slice(&data);
    }
    Ok(WholeBody {
        bytes: if pieces.is_empty() {
            whole
        } else {
            pieces.into()
        },
        share,
    })
}

fn broken_off(error: &axum::Error) -> Failure {
    BodyTimedOut::cause_of(error).map_or_else(
        || Failure::invalid("The request body broke off."),
        Failure::body_timed_out,
    )
}

fn too_large(limit: usize) -> Failure {
    Failure::invalid(format!(
        "The request body is too large. At most {limit} bytes are allowed."
    ))
    .with_status(StatusCode::PAYLOAD_TOO_LARGE)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use futures_util::stream;

    use super::*;

    async fn read_pieces(pieces: &[&'static str], limit: usize) -> Result<Bytes, StatusCode> {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())))
            .collect();
        let body = Body::from_stream(stream::iter(pieces));
        read(&HeaderMap::new(), body, limit, &BodyBudget::new(1 << 20))
            .await
            .map(|body| body.bytes)
            .map_err(|failure| failure.into_response().status())
    }

    #[tokio::test]
    async fn pieces_become_one() {
        assert_eq!(
            read_pieces(&["ab", "", "c", "de"], 5).await.unwrap(),
            "abcde"
        );
        assert_eq!(read_pieces(&[], 5).await.unwrap(), "");
    }

    #[tokio::test]
    async fn a_stream_is_cut_off_at_the_limit() {
        let refused = read_pieces(&["abc", "def"], 5).await;
        assert_eq!(refused.unwrap_err(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[tokio::test]
    async fn a_length_that_is_only_announced_takes_no_memory() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, (50 << 20).into());
        let pieces =
            ["a", "b"].map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes())));
        let body = Body::from_stream(stream::iter(pieces));
        let whole = read(&headers, body, 64 << 20, &BodyBudget::new(0)).await;
        let bytes = whole.unwrap().bytes;
        assert_eq!(bytes, "ab");
        assert!(bytes.try_into_mut().unwrap().capacity() < 100);
    }

    #[tokio::test]
    async fn what_is_gathered_is_covered_by_the_budget() {
        let piece = || Ok::<_, std::io::Error>(Bytes::from(vec![b' '; 60 << 10]));
        let body = || Body::from_stream(stream::iter([piece(), piece(), piece()]));
        let limit = 1 << 20;
        let none = BodyBudget::new(0);
        let refused = read(&HeaderMap::new(), body(), limit, &none).await;
        assert_eq!(refused.unwrap_err().into_response().status(), 503);
        let enough = BodyBudget::new(limit);
        let read = read(&HeaderMap::new(), body(), limit, &enough).await;
        assert_eq!(read.unwrap().bytes.len(), 180 << 10);
    }

    #[tokio::test]
    async fn a_length_over_the_limit_is_refused_unread() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, "6".parse().unwrap());
        // Reading this body would fail in another way.
        let body = Body::from_stream(stream::iter([Err::<Bytes, _>(std::io::Error::other(
            "read",
        ))]));
        let failure = read(&headers, body, 5, &BodyBudget::new(0))
            .await
            .unwrap_err();
        assert_eq!(
            failure.into_response().status(),
            StatusCode::PAYLOAD_TOO_LARGE
        );
    }
}
