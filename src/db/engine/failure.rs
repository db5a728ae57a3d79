//! What the drivers' errors mean to the server, the same for both engines.

use crate::error::Error;

/// How long a client is asked to wait when the disk is full, in seconds.
const FULL_RETRY_AFTER_S: u32 = 60;
/// How long a client is asked to wait when no connection was free, in seconds.
const POOL_RETRY_AFTER_S: u32 = 5;
/// How long a client is asked to wait when the database does not answer, in seconds.
const LOST_RETRY_AFTER_S: u32 = 5;

/// A statement that failed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: Error,
    /// Whether running the whole transaction again may succeed (PostgreSQL: serialization failure, deadlock,
    /// connection lost).
    pub(super) is_retryable: bool,
    /// Whether the connection was lost: then nobody knows what became of a commit.
    pub(super) is_lost: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { error, is_retryable: false, is_lost: false }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        lite(error).into()
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let is_lost = is_lost(&error);
        let is_conflict = matches!(pg_code(&error).as_deref(), Some("40001" | "40P01"));
        Self { error: pg(error), is_retryable: is_conflict || is_lost, is_lost }
    }
}

/// Returns what an error of SQLite means.
pub(super) fn lite(error: rusqlite::Error) -> Error {
    use rusqlite::ErrorCode;
    use rusqlite::ffi::{
        SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE,
        SQLITE_IOERR_SHMSIZE,
    };
    let Some(code) = error.sqlite_error() else {
        return Error::caused_by(error);
    };
    match (code.code, code.extended_code) {
        (_, SQLITE_CONSTRAINT_PRIMARYKEY | SQLITE_CONSTRAINT_ROWID | SQLITE_CONSTRAINT_UNIQUE) => {
            exists(&error.to_string())
        }
        (ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked, _) => Error::Busy,
        // The index of the log is a file too, and its growth is told in another way.
        (ErrorCode::DiskFull, _) | (_, SQLITE_IOERR_SHMSIZE) => full(),
        (ErrorCode::OperationInterrupted, _) => {
            Error::caused_by(error).with_context("took longer than allowed")
        }
        _ => Error::caused_by(error),
    }
}

/// Returns what an error of PostgreSQL means.
pub(super) fn pg(error: sqlx::Error) -> Error {
    if matches!(error, sqlx::Error::PoolTimedOut) {
        let message = "no connection to the database became free in time".to_owned();
        return Error::Unavailable { message, retry_after_s: POOL_RETRY_AFTER_S };
    }
    if is_lost(&error) {
        tracing::warn!("the database does not answer: {error}");
        let message = "the database does not answer".to_owned();
        return Error::Unavailable { message, retry_after_s: LOST_RETRY_AFTER_S };
    }
    match pg_code(&error).as_deref() {
        Some("23505") => exists(&error.to_string()),
        // Serialization failure, deadlock, lock not available.
        Some("40001" | "40P01" | "55P03") => Error::Busy,
        Some("53100") => full(),
        // statement_timeout.
        Some("57014") => Error::caused_by(error).with_context("took longer than allowed"),
        _ => Error::caused_by(error),
    }
}

/// Whether the connection is gone, or the server is stopping or starting: it passes by itself.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // Stopped by hand, crashed, starting; connections refused or broken.
        sqlx::Error::Database(error) => matches!(
            error.code().as_deref(),
            Some("57P01" | "57P02" | "57P03" | "08000" | "08001" | "08003" | "08004" | "08006")
        ),
        _ => false,
    }
}

fn pg_code(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(|code| code.into_owned())
}

/// The engines name different things (a column, a constraint), so the message names none of them; a use
/// case that wants to say more asks with `ON CONFLICT` and says it itself.
fn exists(detail: &str) -> Error {
    tracing::debug!("a unique key exists already: {detail}");
    Error::Conflict("it exists already".to_owned())
}

fn full() -> Error {
    let message = "the disk of the database is full: make room or move the data".to_owned();
    Error::Unavailable { message, retry_after_s: FULL_RETRY_AFTER_S }
}
