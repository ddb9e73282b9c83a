//! What the SDK's errors mean.

use std::error::Error;
use std::fmt;
use std::io;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

use crate::cloud::Fault;

/// The fault that an error is.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` gives, and nobody needs it afterwards"
)]
pub(super) fn fault<E>(error: SdkError<E, HttpResponse>) -> Fault
where
    E: Error + ProvideErrorMetadata + fmt::Debug + 'static,
{
    let status = error
        .raw_response()
        .map(|response| response.status().as_u16());
    let code = error.code().unwrap_or_default().to_owned();
    let is_temporary = matches!(
        error,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_)
    );
    let cause = || io::Error::other(words(&error, status));
    match (status, code.as_str()) {
        // The request never left where credentials are not found.
        (None, _) if is_temporary && !is_about_credentials(&error) => Fault::Unavailable(cause()),
        (_, "NoSuchUpload" | "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall") => {
            Fault::NoUpload
        }
        // A bucket that is not there is a fault of the settings.
        (_, "NoSuchBucket") => Fault::Other(cause()),
        (Some(404), _) => Fault::NotFound,
        (Some(409 | 412), _) => Fault::Changed,
        (Some(429 | 500..=599), _) => Fault::Unavailable(cause()),
        _ => Fault::Other(cause()),
    }
}

/// The fault of a request that ends an upload of a client, which has named it
/// and its parts: the service says in many ways that these are none.
pub(super) fn fault_of_ending<E>(error: SdkError<E, HttpResponse>) -> Fault
where
    E: Error + ProvideErrorMetadata + fmt::Debug + 'static,
{
    if names_no_upload(error.code().unwrap_or_default()) {
        return Fault::NoUpload;
    }
    match fault(error) {
        Fault::NotFound => Fault::NoUpload,
        fault => fault,
    }
}

fn names_no_upload(code: &str) -> bool {
    matches!(code, "InvalidArgument" | "MalformedXML" | "InvalidRequest")
}

fn is_about_credentials<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::DispatchFailure(failure) => !(failure.is_io() || failure.is_timeout()),
        _ => false,
    }
}

/// An error with its causes, without the dump of the answer that `Debug` is.
fn words<E>(error: &SdkError<E, HttpResponse>, status: Option<u16>) -> String
where
    E: Error + ProvideErrorMetadata + 'static,
{
    let mut text = error.to_string();
    if let Some(status) = status {
        text.extend([" (status ", &status.to_string(), ")"]);
    }
    for part in [error.code(), error.message()].into_iter().flatten() {
        text.push_str(": ");
        text.push_str(part);
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn parts_that_are_none_are_the_clients_fault() {
        for (code, expected) in [
            ("InvalidArgument", true),
            ("MalformedXML", true),
            ("NoSuchUpload", true),
            // Of credentials; S3 answers 400 here, too.
            ("ExpiredToken", false),
        ] {
            let answer = HttpResponse::new(400.try_into().unwrap(), SdkBody::empty());
            let error = ErrorMetadata::builder().code(code).build();
            let error = aws_sdk_s3::Error::from(
                aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError::generic(error),
            );
            let found = fault_of_ending(SdkError::service_error(error, answer));
            assert_eq!(matches!(found, Fault::NoUpload), expected, "{code}");
        }
    }
}
