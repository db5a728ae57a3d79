//! What an error becomes: a status, and a body for whoever asked.
//!
//! API clients get `{"detail": "…"}` with exactly that one key, because sentry-cli shows the text only then.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::error::Error;

/// What somebody is told about a failure of our own.
pub(crate) const INTERNAL_TEXT: &str = "internal error, the log of the server says more";
/// What somebody is told who asks for what is not there, in Sentry's words.
const NOT_FOUND_TEXT: &str = "The requested resource does not exist";
/// When to try again if the database is busy, in seconds.
const BUSY_RETRY_AFTER_S: u32 = 1;

impl Error {
    /// Returns the status of the answer. What passes by itself is 503: sentry-cli repeats that and nothing
    /// else that we send.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::Absent(_) => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable { .. } | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns what the caller is told.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::NotFound => NOT_FOUND_TEXT.to_owned(),
            Self::Internal(_) => INTERNAL_TEXT.to_owned(),
            other => other.to_string(),
        }
    }

    /// Returns when to try again, in seconds, if trying again is right.
    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Unavailable { retry_after_s, .. }
            | Self::TooManyRequests { retry_after_s, .. } => Some(*retry_after_s),
            Self::Busy => Some(BUSY_RETRY_AFTER_S),
            _ => None,
        }
    }

    /// Adds what every kind of answer has: status, `Retry-After`, and the error itself for the log.
    pub(crate) fn finish(self, mut response: Response) -> Response {
        *response.status_mut() = self.status();
        if let Some(retry_after_s) = self.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after_s));
        }
        response.extensions_mut().insert(Failure(self));
        response
    }
}

/// The error an answer was made of, for the access log, which is where it is logged.
#[derive(Debug, Clone)]
pub(crate) struct Failure(pub(crate) Error);

impl IntoResponse for Error {
    /// The answer of the API.
    fn into_response(self) -> Response {
        let body = Json(json!({"detail": self.told()})).into_response();
        self.finish(body)
    }
}

/// An error as ingest answers it: Relay's shape, and the header that browsers may read.
#[derive(Debug)]
pub(crate) struct IngestError(pub(crate) Error);

impl From<Error> for IngestError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for IngestError {
    fn into_response(self) -> Response {
        let told = self.0.told();
        let mut response = Json(json!({"detail": told})).into_response();
        if let Ok(value) = HeaderValue::from_str(&told) {
            response.headers_mut().insert("x-sentry-error", value);
        }
        self.0.finish(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    async fn check(error: Error, status: u16, detail: &str) {
        let response = error.into_response();
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
            json!({"detail": detail})
        );
    }

    #[tokio::test]
    async fn bodies_have_one_key_and_no_secrets() {
        check(Error::NotFound, 404, "The requested resource does not exist").await;
        check(Error::Invalid("chunk 3 is bad".into()), 400, "chunk 3 is bad").await;
        check(Error::internal("password is hunter2"), 500, INTERNAL_TEXT).await;
    }

    #[test]
    fn busy_says_when_to_come_again() {
        let response = Error::Busy.into_response();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
