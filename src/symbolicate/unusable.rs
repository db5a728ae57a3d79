//! Why an uploaded file cannot be used.

use serde::{Deserialize, Serialize};

/// The reason why a file is refused or kept without being derived.
///
/// The text is shown to the person who uploaded the file, so it names what is wrong and, where there is
/// one, the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", content = "detail", rename_all = "snake_case")]
pub enum Unusable {
    /// The file has no bytes.
    #[error("file is empty")]
    Empty,
    /// The file claims a format and breaks its rules.
    #[error("malformed file: {0}")]
    Malformed(String),
    /// The file is of a kind that is not read here.
    #[error("unsupported file: {0}")]
    Unsupported(String),
    /// Nothing in the file says which build it belongs to.
    #[error(
        "file has no debug id: build it with a build id (`-Wl,--build-id`), or upload the unstripped file"
    )]
    NoDebugId,
    /// A universal file; sentry-cli uploads each architecture on its own.
    #[error("object contains {0} architectures (1 expected)")]
    SeveralArchitectures(usize),
    /// Reading the file would take more memory than one file may have.
    #[error("file is too large to read: {0}")]
    TooLarge(String),
    /// A source map that was made for another file.
    #[error("wrong source map: {0}")]
    WrongMap(String),
}
