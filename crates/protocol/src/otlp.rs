//! Spans as OpenTelemetry's protocol (OTLP/HTTP) sends them, in protobuf and in
//! JSON, made into what a store keeps.
//!
//! A body is read field by field, and each span becomes its JSON text at once:
//! what a request costs stays near the size of its body. JSON is rewritten as
//! protobuf first (`json`), so that there is one reader of spans (`convert`).
//! What other dialects call inputs, outputs and tokens is translated there
//! (`translate`), as MLflow 3.17 does when it stores spans.

mod attributes;
mod convert;
mod json;
mod preview;
mod translate;
mod value;
mod wire;

pub(crate) use convert::hex;
use runledger_entities::{InvalidValue, Span, TraceId};

pub use self::json::to_protobuf;

/// The most spans of one request.
pub const MAX_SPANS: usize = 50_000;

/// How many attributes of resources, which become tags of each of its traces, a request
/// may have.
pub const MAX_TAGS: usize = 100_000;

/// Bytes that the attributes of resources may take in a request, which become tags of each of its
/// traces.
pub const MAX_TAG_BYTES: usize = 32 * 1024 * 1024;

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// `application/x-protobuf`
    Protobuf,
    /// `application/json`
    Json,
}

/// The spans of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Received {
    /// The spans.
    pub spans: Vec<Span>,
    /// The traces whose roots are among them.
    pub completed: Vec<TraceId>,
}

/// Why a body is no request to keep spans. The messages are MLflow 3.17's.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OtlpError {
    /// It is not written as it says.
    #[error("Invalid OpenTelemetry format")]
    Malformed,
    /// There is nothing in it.
    #[error("Invalid OpenTelemetry format - no spans found")]
    Empty,
    /// A span has no ids, or a time or an id that is too large.
    #[error("Cannot convert OpenTelemetry span to MLflow span")]
    BadSpan,
    /// It has more than [`MAX_SPANS`].
    #[error("Too many spans in one request. At most {MAX_SPANS} are allowed.")]
    TooMany,
    /// The attributes of its resources, once for each of its traces, are more than
    /// [`MAX_TAGS`] or take more than [`MAX_TAG_BYTES`].
    #[error(
        "Too many attributes of resources for so many traces in one request. Together they may be \
         {MAX_TAGS} and take {MAX_TAG_BYTES} bytes; send fewer traces at a time."
    )]
    TooManyTags,
    /// A span names a session that is no id.
    #[error(transparent)]
    Invalid(#[from] InvalidValue),
}

/// Reads a body.
pub fn read(body: &[u8], encoding: Encoding) -> Result<Received, OtlpError> {
    let rewritten;
    let body = match encoding {
        Encoding::Protobuf => body,
        Encoding::Json => {
            rewritten = json::to_protobuf(body).ok_or(OtlpError::Malformed)?;
            &rewritten
        }
    };
    convert::read(body)
}
