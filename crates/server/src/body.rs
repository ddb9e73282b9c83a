//! Request bodies, read whole and within bounds.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt;

use crate::{
    admission::{BodyBudget, Share},
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
    let mut pieces: Option<BytesMut> = None;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::invalid("The request body broke off."))?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let so_far = pieces.as_ref().map_or(whole.len(), BytesMut::len);
        let length = so_far.saturating_add(data.len());
        if length > limit {
            return Err(too_large(limit));
        }
        budget.cover(&mut share, length)?;
        if length == data.len() {
            whole = data;
            continue;
        }
        let pieces = pieces.get_or_insert_with(|| {
            let mut pieces = BytesMut::with_capacity(length.max(announced.unwrap_or(0)));
            pieces.extend_from_slice(&whole);
            pieces
        });
        pieces.extend_from_slice(&data);
    }
    Ok(WholeBody {
        bytes: pieces.map_or(whole, BytesMut::freeze),
        share,
    })
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
