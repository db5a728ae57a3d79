//! What build tools upload to: chunks, and files made of them.

pub(crate) mod artifact_bundle;
pub(crate) mod chunk;
pub(crate) mod debug_file;

use axum::body::Bytes;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};

/// Largest JSON body, in bytes: ten thousand files, or one file of 2 GiB in chunks of 128 KiB.
pub(crate) const JSON_BYTES_MAX: usize = 32 << 20;

/// Reads a JSON body; what is wrong with it is said in JSON, whatever its content type.
fn json<T: DeserializeOwned>(body: &Bytes) -> Result<T> {
    serde_json::from_slice(body)
        .map_err(|error| Error::Invalid(format!("the body cannot be read: {error}")))
}
