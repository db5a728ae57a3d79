//! What can go wrong, as one type for the whole server.
//!
//! Three groups: what the caller did wrong (each variant is one HTTP status), what passes by itself
//! (`Unavailable`, `Busy`), and what we did wrong (`Internal`, with the chain of what was being done).
//! Which status, headers and page an error becomes is decided in `http/`, not here. Conversions from
//! the database drivers live in `db/engine/`, the only place that names a driver.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// The result of everything that can fail in the server.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done. Cheap to clone, so that one failed commit can be told to many.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Error {
    /// There is no such thing, or the caller may not know that there is.
    #[error("not found")]
    NotFound,
    /// As `NotFound`, where the caller may know more: what is not there, and why.
    #[error("{0}")]
    Absent(String),
    /// The request is malformed; the message says what, which, and what to do.
    #[error("{0}")]
    Invalid(String),
    /// Who is calling is not known.
    #[error("{0}")]
    Unauthorized(String),
    /// Who is calling is known and may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// The request contradicts what is stored, for example a name that is taken.
    #[error("{0}")]
    Conflict(String),
    /// Something exceeds a limit; the message names the limit.
    #[error("{0}")]
    TooLarge(String),
    /// It cannot be done now, for a reason outside the request.
    #[error("{message}")]
    Unavailable {
        /// What is missing, for example room on the disk.
        message: String,
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// The caller asks more often than allowed.
    #[error("{message}")]
    TooManyRequests {
        /// Which limit was met.
        message: String,
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Somebody else holds what is needed and did not let go in time; trying again is right.
    #[error("the database is busy: try again")]
    Busy,
    /// Our own failure. Logged in full, shown to nobody.
    #[error(transparent)]
    Internal(Internal),
}

/// A failure of our own: what was being done, outermost first, and the cause.
#[derive(Debug, Clone)]
pub(crate) struct Internal {
    /// Innermost first, in the order in which it was added.
    contexts: Vec<String>,
    cause: Arc<dyn StdError + Send + Sync>,
}

impl Error {
    /// Returns a failure of our own that has no cause besides what `message` says.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::caused_by(Message(message.into()))
    }

    /// Returns a failure of our own with its cause.
    pub(crate) fn caused_by(cause: impl StdError + Send + Sync + 'static) -> Self {
        Self::Internal(Internal { contexts: Vec::new(), cause: Arc::new(cause) })
    }

    /// Adds what was being done. Only `Internal` carries it: the other variants speak to the caller.
    pub(crate) fn with_context(mut self, context: impl Into<String>) -> Self {
        if let Self::Internal(internal) = &mut self {
            internal.contexts.push(context.into());
        }
        self
    }
}

impl fmt::Display for Internal {
    /// Writes the contexts, the cause, and the causes of the cause on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for context in self.contexts.iter().rev() {
            write!(f, "{context}: ")?;
        }
        write!(f, "{}", self.cause)?;
        let mut said = self.cause.to_string();
        let mut next = self.cause.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            // Some libraries repeat their source in their own text.
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            next = cause.source();
        }
        Ok(())
    }
}

impl StdError for Internal {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        // The text already contains the whole chain; a second telling would repeat it.
        None
    }
}

/// A cause that is only a sentence.
#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::caused_by(error)
    }
}

impl From<serde_json::Error> for Error {
    /// JSON of our own that does not parse is our failure; JSON of a request is checked at the edge
    /// and becomes `Invalid` there.
    fn from(error: serde_json::Error) -> Self {
        Self::caused_by(error)
    }
}

/// Says what was being done when something failed.
pub(crate) trait Context<T> {
    /// Adds `context` to the error, if there is one.
    fn context(self, context: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, context: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().with_context(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io() -> std::io::Error {
        std::io::Error::other("no such disk")
    }

    #[test]
    fn contexts_are_told_from_the_outside_in() {
        let failed: Result<(), _> = Err(io());
        let error = failed.context("reading chunk 3").context("assembling 9f").unwrap_err();
        assert_eq!(error.to_string(), "assembling 9f: reading chunk 3: no such disk");
    }

    #[test]
    fn context_does_not_change_what_the_caller_is_told() {
        let error = Error::Conflict("name is taken".into()).with_context("creating a project");
        assert!(matches!(error, Error::Conflict(text) if text == "name is taken"));
    }

    #[test]
    fn a_cause_that_repeats_its_source_is_told_once() {
        let error = Error::caused_by(io());
        assert_eq!(error.clone().to_string(), "no such disk");
    }
}
