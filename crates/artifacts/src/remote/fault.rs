//! What the errors of `object_store` mean.

use std::error::Error as StdError;
use std::io;

use object_store::Error;
use object_store::client::HttpError;

use crate::cloud::Fault;

pub(super) fn fault(error: Error) -> Fault {
    match error {
        Error::NotFound { .. } => Fault::NotFound,
        Error::Precondition { .. } | Error::NotModified { .. } | Error::AlreadyExists { .. } => {
            Fault::Changed
        }
        Error::NotSupported { .. } | Error::NotImplemented { .. } => Fault::Unsupported,
        error if is_of_network(&error) => Fault::Unavailable(io::Error::other(error)),
        error => Fault::Other(io::Error::other(error)),
    }
}

/// The fault of a request that ends an upload: the service does not say apart
/// what is wrong with it.
pub(super) fn fault_of_ending(error: Error) -> Fault {
    match error {
        Error::NotFound { .. } => Fault::NoUpload,
        Error::Generic { .. } if !is_of_network(&error) => {
            tracing::debug!(%error, "an upload in parts cannot be ended");
            Fault::NoUpload
        }
        error => fault(error),
    }
}

/// The fault of a signature. Credentials that read and write cannot always
/// sign; clients that are told so go through the server.
pub(super) fn fault_of_signing(error: Error) -> Fault {
    match fault(error) {
        Fault::Unavailable(source) => Fault::Unavailable(source),
        fault => {
            tracing::debug!(?fault, "a URL cannot be signed");
            Fault::Unsupported
        }
    }
}

fn is_of_network(error: &Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<HttpError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Generic {
            store: "test",
            source: source.into(),
        }
    }

    #[test]
    fn credentials_that_cannot_sign_are_no_failure_of_ours() {
        let denied = Error::PermissionDenied {
            path: "p".to_owned(),
            source: "signBlob".into(),
        };
        for error in [denied, generic("the email address is not known")] {
            assert!(matches!(fault_of_signing(error), Fault::Unsupported));
        }
        let broken = HttpError::new(
            object_store::client::HttpErrorKind::Connect,
            io::Error::other("refused"),
        );
        assert!(matches!(
            fault_of_signing(generic(broken)),
            Fault::Unavailable(_)
        ));
    }
}
