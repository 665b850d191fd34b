//! AWS's errors as the pipeline's: what was being done, to what, and whether it is worth another try.

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use picket_pipeline::ports::{Kind, PortError};

/// Codes that pass by themselves, besides those that end in `Throttling`, `Exception` variants of it, and all 5xx.
const PASSING: &[&str] = &[
    "EC2ThrottledException",
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionConflictException",
    "Unavailable",
];

/// What an error of the SDK means.
pub fn port_error<E, R>(doing: &'static str, what: impl std::fmt::Display, error: &SdkError<E, R>) -> PortError
where
    E: ProvideErrorMetadata,
{
    match error {
        SdkError::ServiceError(service) => {
            let (code, message) = (service.err().code().unwrap_or("unknown"), service.err().message().unwrap_or(""));
            PortError::new(doing, what, kind_of(code), &format!("{code}: {message}"))
        }
        SdkError::TimeoutError(_) => PortError::new(doing, what, Kind::Transient, "AWS did not answer in time"),
        SdkError::DispatchFailure(failure) if failure.is_user() => {
            PortError::new(doing, what, Kind::Other, "the request could not be made; are there credentials?")
        }
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().map_or_else(|| "no connection".to_owned(), |e| chain(e));
            PortError::new(doing, what, Kind::Transient, &format!("AWS cannot be reached: {why}"))
        }
        SdkError::ResponseError(_) => PortError::new(doing, what, Kind::Transient, "AWS's answer could not be read"),
        _ => PortError::new(doing, what, Kind::Other, "the request could not be built"),
    }
}

fn kind_of(code: &str) -> Kind {
    match code {
        c if c.ends_with(".NotFound") || c.ends_with("NotFoundException") || c == "NoSuchEntity" => Kind::NotFound,
        c if c.starts_with("AccessDenied") || c.starts_with("UnauthorizedOperation") || c == "AuthFailure" => {
            Kind::Denied
        }
        "AuthorizationError" | "AuthorizationErrorException" | "ExpiredToken" | "InvalidClientTokenId" => Kind::Denied,
        "ConditionalCheckFailedException" | "ResourceInUseException" => Kind::Conflict,
        c if PASSING.contains(&c) => Kind::Transient,
        _ => Kind::Other,
    }
}

/// An error and its causes, in one line.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_by_what_to_do_next() {
        for (code, kind) in [
            ("InvalidInstanceID.NotFound", Kind::NotFound),
            ("ResourceNotFoundException", Kind::NotFound),
            ("UnauthorizedOperation", Kind::Denied),
            ("AccessDeniedException", Kind::Denied),
            ("RequestLimitExceeded", Kind::Transient),
            ("InvalidParameterValue", Kind::Other),
        ] {
            assert_eq!(kind_of(code), kind, "{code}");
        }
    }
}
