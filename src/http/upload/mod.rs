//! What build tools upload to: chunks, and files made of them.

pub(crate) mod artifact_bundle;
pub(crate) mod chunk;
pub(crate) mod debug_file;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Largest JSON body, in bytes: ten thousand files, or one file of 2 GiB in chunks of 128 KiB.
pub(crate) const JSON_BYTES_MAX: usize = 32 << 20;

/// A body, or why there is none.
type Body = std::result::Result<Bytes, BytesRejection>;

/// Reads a JSON body, whatever its content type. What is wrong with it is said as our own errors are:
/// sentry-cli reads nothing else.
fn json<T: DeserializeOwned>(body: Body) -> Result<T> {
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Error::TooLarge(format!("the body is larger than {JSON_BYTES_MAX} bytes"))
        }
        _ => Error::Invalid(rejection.body_text()),
    })?;
    serde_json::from_slice(&body)
        .map_err(|error| Error::Invalid(format!("the body cannot be read: {error}")))
}
