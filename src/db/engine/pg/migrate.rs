//! Migrates PostgreSQL, one process at a time.

use sqlx::{Connection as _, PgConnection};

use super::options::{Purpose, connect};
use crate::db::engine::body::poll_through;
use crate::db::engine::failure;
use crate::db::engine::migrations::{Migration, apply_next};
use crate::db::engine::tx::Tx;
use crate::error::{Context as _, Result};

/// Key of the advisory lock: "symbolis" in ASCII, read as a number.
const LOCK_KEY: i64 = i64::from_be_bytes(*b"symbolis");

/// Applies what is missing, on a connection of its own: the lock ends with it, whatever happens.
pub(super) async fn migrate(
    url: &str,
    migrations: &'static [Migration],
    now_ms: i64,
) -> Result<()> {
    let mut connection =
        connect(url, Purpose::Migrate).await.context("connecting to the database")?;
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(LOCK_KEY)
        .execute(&mut connection)
        .await
        .map_err(failure::pg)
        .context("waiting for another process's migration")?;
    while let Some(name) =
        apply_one(&mut connection, migrations, now_ms).await.context("migrating the database")?
    {
        tracing::info!(migration = name, "applied the migration {name}");
    }
    connection.close().await.map_err(failure::pg)
}

async fn apply_one(
    connection: &mut PgConnection,
    migrations: &'static [Migration],
    now_ms: i64,
) -> Result<Option<&'static str>> {
    let mut transaction = connection.begin().await.map_err(failure::pg)?;
    let applied =
        poll_through(&mut Tx::pg(&mut transaction), &apply_next(migrations, now_ms)).await?;
    transaction.commit().await.map_err(failure::pg)?;
    Ok(applied)
}
