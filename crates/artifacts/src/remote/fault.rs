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
