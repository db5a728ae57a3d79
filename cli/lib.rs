//! The developer's side of Symbolist: talks HTTP, never opens the database.
//!
//! Mounted in the one binary (`symbolist upload …`, and what `demo` and `bench` speak to the server with),
//! and built as the small binary `symbolist-cli` for build machines.

pub mod arguments;
pub mod client;
pub mod tls;
pub mod upload;

/// Why a command of the developer's side failed: what, which, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server cannot be reached, or the connection broke.
    #[error("cannot reach {url}: {cause}; is the server running there, and is --url right?")]
    Unreachable {
        /// The address.
        url: String,
        /// What the connection says.
        cause: String,
    },
    /// The server refused.
    #[error("{url} answers {status}: {detail}")]
    Refused {
        /// The address.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's own words.
        detail: String,
    },
    /// A local file cannot be read.
    #[error("cannot read {path}: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// What the server sent is not understood.
    #[error("{0}")]
    Unexpected(String),
}

/// The result of everything here that can fail.
pub type Result<T> = std::result::Result<T, Error>;
