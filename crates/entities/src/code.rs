//! The error codes of the MLflow REST API and the HTTP status of each.

/// An error code of the MLflow REST API (MLflow 3.17, `databricks.proto`).
///
/// Codes that no part of Runledger can answer are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The request cannot be read, or breaks a rule of the database.
    BadRequest,
    /// A parameter is missing, malformed, too long, or contradicts another.
    InvalidParameterValue,
    /// The name is taken.
    ResourceAlreadyExists,
    /// The resource is not there.
    ResourceDoesNotExist,
    /// The resource is there, and a file of it is not.
    NotFound,
    /// The caller may not do this.
    PermissionDenied,
    /// The caller is not known.
    Unauthenticated,
    /// No such endpoint on this server.
    EndpointNotFound,
    /// The endpoint exists, its operation does not.
    NotImplemented,
    /// The request needs a part of MLflow that is off on this server.
    FeatureDisabled,
    /// The resource is in a state that forbids the operation.
    InvalidState,
    /// Another writer was faster.
    ResourceConflict,
    /// A limit on the use of the server was reached.
    RequestLimitExceeded,
    /// Retry later.
    TemporarilyUnavailable,
    /// The server gave up on a request that took too long.
    DeadlineExceeded,
    /// Stored data cannot be read back.
    DataLoss,
    /// A fault of the server.
    InternalError,
}

impl ErrorCode {
    /// Every code, in the order of their declaration.
    pub const ALL: [Self; 17] = [
        Self::BadRequest,
        Self::InvalidParameterValue,
        Self::ResourceAlreadyExists,
        Self::ResourceDoesNotExist,
        Self::NotFound,
        Self::PermissionDenied,
        Self::Unauthenticated,
        Self::EndpointNotFound,
        Self::NotImplemented,
        Self::FeatureDisabled,
        Self::InvalidState,
        Self::ResourceConflict,
        Self::RequestLimitExceeded,
        Self::TemporarilyUnavailable,
        Self::DeadlineExceeded,
        Self::DataLoss,
        Self::InternalError,
    ];

    /// The name on the wire: the `error_code` field of an error body.
    pub fn name(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::NotFound => "NOT_FOUND",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::EndpointNotFound => "ENDPOINT_NOT_FOUND",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::FeatureDisabled => "FEATURE_DISABLED",
            Self::InvalidState => "INVALID_STATE",
            Self::ResourceConflict => "RESOURCE_CONFLICT",
            Self::RequestLimitExceeded => "REQUEST_LIMIT_EXCEEDED",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::DataLoss => "DATA_LOSS",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }

    /// The HTTP status that MLflow answers with this code.
    pub fn http_status(self) -> u16 {
        match self {
            // For INVALID_STATE and FEATURE_DISABLED MLflow answers 500; a client's mistake must not
            // look like a fault of the server, and clients retry 500 for minutes.
            Self::BadRequest
            | Self::InvalidParameterValue
            | Self::ResourceAlreadyExists
            | Self::FeatureDisabled
            | Self::InvalidState => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::ResourceDoesNotExist | Self::NotFound | Self::EndpointNotFound => 404,
            Self::ResourceConflict => 409,
            Self::RequestLimitExceeded => 429,
            Self::NotImplemented => 501,
            Self::TemporarilyUnavailable => 503,
            Self::DeadlineExceeded => 504,
            Self::DataLoss | Self::InternalError => 500,
        }
    }

    /// The pair `(sqlstate, error_class)` that MLflow 3.x adds to the error
    /// body, where it has one.
    pub fn sql_state(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::BadRequest | Self::InvalidParameterValue => {
                Some(("KAM00", "INVALID_PARAMETER_VALUE"))
            }
            Self::ResourceDoesNotExist | Self::NotFound => Some(("KAM00", "RESOURCE_NOT_FOUND")),
            Self::ResourceAlreadyExists => Some(("KAM00", "RESOURCE_ALREADY_EXISTS")),
            Self::PermissionDenied => Some(("KAM00", "PERMISSION_DENIED")),
            Self::InternalError | Self::InvalidState | Self::TemporarilyUnavailable => {
                Some(("XXM00", "CLIENT_INTERNAL_ERROR"))
            }
            _ => None,
        }
    }
}

/// An error that knows its MLflow error code.
///
/// Every error enum of the workspace implements this; the REST layer turns
/// any such error into a response in one place.
pub trait Coded: std::error::Error {
    /// The error code that clients see.
    fn code(&self) -> ErrorCode;
}
