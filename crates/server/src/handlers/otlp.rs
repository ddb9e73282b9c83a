//! `/v1/traces`: spans as OpenTelemetry's exporters send them.

use std::{io::Read, sync::Arc};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use runledger_entities::{Coded as _, ExperimentId, RunId};
use runledger_protocol::otlp::{self, Encoding, OtlpError, Received};
use serde_json::json;

use super::Reply;
use crate::{
    admission::Share,
    apart::apart,
    app::{App, Traces},
    call::Call,
    failure::Failure,
    reply::JSON,
};

const EXPERIMENT: &str = "x-mlflow-experiment-id";
const RUN: &str = "x-mlflow-run-id";
/// The media type of OTLP in protobuf.
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// Keeps the spans of a request, all of them or none.
pub(crate) async fn export(app: &Arc<App>, traces: Traces<'_>, mut call: Call) -> Reply {
    let text = |headers: &HeaderMap, name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(value.to_owned())
    };
    let headers = call.parts.headers.clone();
    let Some(experiment) = text(&headers, EXPERIMENT) else {
        let missing = json!({"detail": [{
            "type": "missing", "loc": ["header", EXPERIMENT],
            "msg": "Field required", "input": null,
        }]});
        return Err(answer(
            StatusCode::UNPROCESSABLE_ENTITY,
            missing.to_string(),
        ));
    };
    let content_type = text(&headers, header::CONTENT_TYPE.as_str());
    let media_type = content_type
        .as_deref()
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    let encoding = match media_type {
        Some("application/x-protobuf") => Encoding::Protobuf,
        Some("application/json") => Encoding::Json,
        _ => {
            let found = content_type.as_deref().unwrap_or("None");
            return Err(refused(
                StatusCode::BAD_REQUEST,
                &format!(
                    "Invalid Content-Type: {found}. Expected: application/x-protobuf or \
                     application/json"
                ),
            ));
        }
    };
    let compression = text(&headers, header::CONTENT_ENCODING.as_str());
    let body = call.received(app).await?;
    // The share of the spans is held until they are kept: there is one writer, and many wait for it.
    let (received, _share) = read(Arc::clone(app), body, compression, encoding).await?;
    if !received.spans.is_empty() {
        let experiment: ExperimentId = experiment.parse()?;
        traces.store.log_spans(experiment, received.spans).await?;
        if let Some(run) = text(&headers, RUN).filter(|run| !run.is_empty())
            && !received.completed.is_empty()
        {
            let run = RunId::new(run);
            let linked = traces.store.link_traces_to_run(received.completed, &run);
            // The spans are kept, and sending them again would not help.
            if let Err(error) = linked.await {
                tracing::warn!(%error, %run, "traces could not be linked to their run");
            }
        }
    }
    let mut response = Response::new(Body::empty());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, PROTOBUF);
    Ok(response)
}

/// Reads a body apart from the connections: a large one takes its time.
async fn read(
    app: Arc<App>,
    body: Bytes,
    compression: Option<String>,
    encoding: Encoding,
) -> Result<(Received, Share), Failure> {
    apart(move || {
        let mut share = Share::default();
        let body = match compression.map(|name| name.to_ascii_lowercase()).as_deref() {
            None | Some("" | "identity") => body,
            Some("gzip") => {
                let packed = MultiGzDecoder::new(&*body);
                unpack(&app, packed, &mut share)?.ok_or_else(|| broken("gzip"))?
            }
            Some("deflate") => {
                let unpacked = unpack(&app, ZlibDecoder::new(&*body), &mut share)?;
                match unpacked {
                    Some(unpacked) => unpacked,
                    // Some send it without the header that it should have.
                    None => unpack(&app, DeflateDecoder::new(&*body), &mut share)?
                        .ok_or_else(|| broken("deflate"))?,
                }
            }
            Some(other) => {
                return Err(refused(
                    StatusCode::BAD_REQUEST,
                    &format!("Unsupported Content-Encoding: {other}"),
                ));
            }
        };
        let received = otlp::read(&body, encoding).map_err(|error| match error {
            OtlpError::Invalid(error) => Failure::new(error.code(), error.to_string()),
            error @ OtlpError::BadSpan => {
                refused(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string())
            }
            error @ (OtlpError::TooMany | OtlpError::TooManyTags) => {
                refused(StatusCode::PAYLOAD_TOO_LARGE, &error.to_string())
            }
            error => refused(StatusCode::BAD_REQUEST, &error.to_string()),
        })?;
        let contents: usize = received.spans.iter().map(|span| span.content.len()).sum();
        app.bodies.cover(&mut share, body.len() + contents)?;
        Ok((received, share))
    })
    .await
}

/// Unpacks a body, within the bounds of one that came as it is; `None` if it is not
/// packed that way.
fn unpack(app: &App, mut packed: impl Read, share: &mut Share) -> Result<Option<Bytes>, Failure> {
    let limit = app.limits.values_body_bytes;
    let mut unpacked = Vec::new();
    let mut piece = vec![0; 64 << 10];
    loop {
        match packed.read(&mut piece) {
            Ok(0) => return Ok(Some(unpacked.into())),
            Ok(count) => {
                if unpacked.len() + count > limit {
                    return Err(refused(
                        StatusCode::PAYLOAD_TOO_LARGE,
                        &format!(
                            "The request body is too large. At most {limit} bytes are allowed."
                        ),
                    ));
                }
                app.bodies.cover(share, unpacked.len() + count)?;
                unpacked.extend_from_slice(&piece[..count]);
            }
            Err(_) => return Ok(None),
        }
    }
}

fn broken(name: &str) -> Failure {
    refused(
        StatusCode::BAD_REQUEST,
        &format!("Failed to decompress {name} payload"),
    )
}

/// An error in the form of this endpoint, which is not that of the others.
fn refused(status: StatusCode, detail: &str) -> Failure {
    answer(status, json!({ "detail": detail }).to_string())
}

fn answer(status: StatusCode, json: String) -> Failure {
    let mut response = (status, json).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    Failure::of_response(response)
}
