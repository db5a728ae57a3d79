//! Migrates the SQLite file before any other thread opens it.

use rusqlite::Connection;

use crate::db::engine::body::poll_once;
use crate::db::engine::failure;
use crate::db::engine::migrations::{Migration, apply_next};
use crate::db::engine::tx::Tx;
use crate::error::{Context as _, Error, Result};

/// Applies what is missing.
///
/// Foreign keys are off meanwhile, because rebuilding a table (SQLite's only way to change some things)
/// drops it, and dropping would cascade; they are checked before each commit instead.
pub(super) fn migrate(
    connection: &mut Connection,
    migrations: &'static [Migration],
    now_ms: i64,
) -> Result<()> {
    batch(connection, "PRAGMA foreign_keys = OFF")?;
    let outcome = apply_all(connection, migrations, now_ms);
    if outcome.is_err() && !connection.is_autocommit() {
        batch(connection, "ROLLBACK")?;
    }
    batch(connection, "PRAGMA foreign_keys = ON")?;
    outcome.context("migrating the database")
}

fn apply_all(
    connection: &mut Connection,
    migrations: &'static [Migration],
    now_ms: i64,
) -> Result<()> {
    loop {
        batch(connection, "BEGIN IMMEDIATE")?;
        let applied = poll_once(&mut Tx::lite(connection), &apply_next(migrations, now_ms))?;
        if let Some(name) = applied {
            check_foreign_keys(connection, name)?;
            tracing::info!(migration = name, "applied the migration {name}");
        }
        batch(connection, "COMMIT")?;
        if applied.is_none() {
            return Ok(());
        }
    }
}

fn check_foreign_keys(connection: &Connection, name: &str) -> Result<()> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check").map_err(failure::lite)?;
    let is_violated = statement.exists([]).map_err(failure::lite)?;
    if is_violated {
        return Err(Error::internal(format!(
            "the migration {name} leaves rows that refer to nothing"
        )));
    }
    Ok(())
}

fn batch(connection: &Connection, sql: &str) -> Result<()> {
    connection.execute_batch(sql).map_err(failure::lite)
}
