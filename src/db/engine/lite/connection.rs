//! Opens connections to the file, each with the settings of its purpose.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

use crate::db::engine::failure;
use crate::error::{Context as _, Result};

/// How long to wait for another process that writes.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Prepared statements kept per connection.
const STATEMENTS_MAX: usize = 256;

/// What every connection needs. `secure_delete` overwrites what is deleted: scrubbed data must be gone.
const FOR_ALL: &str =
    "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA synchronous = FULL;";

/// The writer checkpoints by itself only when the log grew to 16,000 pages (64 MB): before that, the side
/// thread does it. Measured: both together halve the slowest answers and keep the log under 70 MB.
const FOR_WRITER: &str = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 16000;";
/// A reader that writes is a mistake, and is told so.
const FOR_READER: &str = "PRAGMA query_only = ON;";

/// Opens the connection that writes, and makes the file if there is none.
pub(in crate::db::engine) fn open_writer(path: &Path) -> Result<Connection> {
    open(path, FOR_WRITER)
}

/// Opens a connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    open(path, FOR_READER)
}

/// Opens the connection that only checkpoints.
pub(super) fn open_checkpointer(path: &Path) -> Result<Connection> {
    open(path, "")
}

fn open(path: &Path, settings: &str) -> Result<Connection> {
    let open = || -> rusqlite::Result<Connection> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.execute_batch(FOR_ALL)?;
        connection.execute_batch(settings)?;
        Ok(connection)
    };
    open().map_err(failure::lite).context(format!("opening the database {}", path.display()))
}
