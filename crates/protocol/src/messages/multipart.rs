//! Uploads in parts and signed URLs: how clients of the artifact proxy reach
//! the storage behind it.
//!
//! Paths are passed on as the client wrote them; whoever uses one checks it.

use super::Request;
use crate::{
    Input, RequestError,
    json::{decode::decode, field::List, message::messages, write},
};

/// The most parts of an upload (S3's limit).
const MAX_PARTS: usize = 10_000;

messages! {
    /// `mpu/create`
    CreateBody {
        path: String,
        num_parts: i64,
    }
    /// `mpu/complete`
    CompleteBody {
        path: String,
        upload_id: String,
        parts: List<PartBody, { MAX_PARTS }>,
    }
    /// `mpu/abort`
    AbortBody {
        path: String,
        upload_id: String,
    }
    /// A part that was sent.
    PartBody {
        part_number: i64,
        etag: String,
        url: String,
    }
}

/// Begins an upload in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateMultipart {
    /// The path of the file on the client's machine, of which the name counts.
    pub path: String,
    /// How many parts there will be; 0 if the client does not say.
    pub parts: i64,
}

impl Request for CreateMultipart {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            path: body.path.required_text("path")?,
            parts: body.num_parts.or_default("num_parts")?,
        })
    }
}

/// Makes a file of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompleteMultipart {
    /// As in [`CreateMultipart`].
    pub path: String,
    /// What the storage calls the upload; may be empty.
    pub upload_id: String,
    /// The parts, in their order.
    pub parts: Vec<SentPart>,
}

/// A part that a client sent to the storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentPart {
    /// Its number, from 1.
    pub number: u32,
    /// What the storage answered; may be empty.
    pub etag: String,
    /// Where it was sent to; may be empty.
    pub url: String,
}

impl Request for CompleteMultipart {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CompleteBody = decode(input)?;
        let part = |(i, part): (usize, PartBody)| {
            let number = part
                .part_number
                .or_default(format_args!("parts[{i}].part_number"))?;
            Ok(SentPart {
                number: u32::try_from(number).map_err(|_| {
                    RequestError::rule(format!("parts[{i}].part_number must not be {number}."))
                })?,
                etag: part.etag.or_default(format_args!("parts[{i}].etag"))?,
                url: part.url.or_default(format_args!("parts[{i}].url"))?,
            })
        };
        let path = body.path.required_text("path")?;
        let upload_id = body.upload_id.or_default("upload_id")?;
        let parts = body.parts.required_all("parts")?;
        if parts.is_empty() {
            return Err(RequestError::missing("parts"));
        }
        Ok(Self {
            path,
            upload_id,
            parts: parts
                .into_iter()
                .enumerate()
                .map(part)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// Gives up an upload in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbortMultipart {
    /// As in [`CreateMultipart`].
    pub path: String,
    /// What the storage calls the upload; may be empty.
    pub upload_id: String,
}

impl Request for AbortMultipart {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: AbortBody = decode(input)?;
        Ok(Self {
            path: body.path.required_text("path")?,
            upload_id: body.upload_id.or_default("upload_id")?,
        })
    }
}

/// A URL to send to, or to read from.
#[derive(Clone, Copy, Debug)]
pub struct SignedUrl<'a> {
    /// The URL.
    pub url: &'a str,
    /// Headers that belong to the request.
    pub headers: &'a [(String, String)],
    /// The size in bytes of what is there.
    pub file_size: Option<u64>,
}

/// The answer to `mpu/create`. Parts are numbered from 1.
pub fn created(upload_id: Option<&str>, parts: &[SignedUrl<'_>]) -> Vec<u8> {
    let numbered: Vec<_> = (1..).zip(parts).collect();
    write::object(|o| {
        o.maybe_text("upload_id", upload_id);
        o.list("credentials", &numbered, |o, (number, part)| {
            o.text("url", part.url);
            o.int("part_number", *number);
            if !part.headers.is_empty() {
                o.named_texts("headers", part.headers);
            }
        });
    })
}

/// The answer to `presigned/…` of the artifact proxy.
pub fn proxy_download(url: SignedUrl<'_>) -> Vec<u8> {
    write::object(|o| {
        o.text("url", url.url);
        o.named_texts("headers", url.headers);
        if let Some(size) = url.file_size {
            o.uint("file_size", size);
        }
    })
}

/// The answer to `presigned-upload-url` and `presigned-download-url`.
pub fn presigned(url: SignedUrl<'_>) -> Vec<u8> {
    write::object(|o| {
        o.text("presigned_url", url.url);
        if !url.headers.is_empty() {
            o.named_texts("headers", url.headers);
        }
        if let Some(size) = url.file_size {
            o.uint("file_size", size);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_clients_send_them() {
        let body = br#"{"path":"/tmp/a.bin","upload_id":"u","parts":[
            {"part_number":1,"etag":"\"e\"","url":"http://s/1"},{"part_number":2}]}"#;
        let request = CompleteMultipart::decode(Input::Body(body)).unwrap();
        assert_eq!(request.upload_id, "u");
        assert_eq!(request.parts[0].etag, "\"e\"");
        assert_eq!(request.parts[1].number, 2);
        for body in [
            r#"{"path":"a"}"#,
            r#"{"path":"a","parts":[]}"#,
            r#"{"path":"a","parts":[{"part_number":-1}]}"#,
            r#"{"parts":[{"part_number":1}]}"#,
        ] {
            assert!(CompleteMultipart::decode(Input::Body(body.as_bytes())).is_err());
        }
    }

    #[test]
    fn answers_have_the_form_of_mlflows() {
        let headers = [("a".to_owned(), "b\"".to_owned())];
        let url = SignedUrl {
            url: "http://s/x",
            headers: &headers,
            file_size: Some(0),
        };
        let plain = SignedUrl {
            headers: &[],
            file_size: None,
            ..url
        };
        let text = |json: Vec<u8>| String::from_utf8(json).unwrap();
        assert_eq!(
            text(created(Some("u"), &[plain, url])),
            r#"{"upload_id":"u","credentials":[{"url":"http://s/x","part_number":1},{"url":"http://s/x","part_number":2,"headers":{"a":"b\""}}]}"#
        );
        assert_eq!(
            text(proxy_download(plain)),
            r#"{"url":"http://s/x","headers":{}}"#
        );
        assert_eq!(
            text(presigned(url)),
            r#"{"presigned_url":"http://s/x","headers":{"a":"b\""},"file_size":0}"#
        );
    }
}
