//! The life of an upload: chunks come in, files are assembled of them, identified in a worker and stored.
//!
//! Everything may be repeated: clients try again, and many upload the same file at the same time. So every
//! step is keyed by content, and a second run changes nothing.

pub(crate) mod artifact_bundle;
pub(crate) mod assemble;
pub(crate) mod chunk;
pub(crate) mod debug_file;

use protocol::upload::{AssembleResponse, AssembleState};

/// Chunks in one request; sentry-cli and Sentry's own server use the same number.
pub(crate) const CHUNKS_PER_REQUEST_MAX: usize = 64;

/// Returns the answer about a file that cannot be used.
fn refused(reason: impl Into<String>) -> AssembleResponse {
    AssembleResponse {
        state: AssembleState::Error,
        missing_chunks: Vec::new(),
        detail: Some(reason.into()),
        dif: None,
    }
}
