//! The PostgreSQL database as a whole: its pools, and the ways in.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};

use super::migrate;
use super::options::{Purpose, pool};
use crate::db::engine::body::{Body, poll_through};
use crate::db::engine::failure::{self, Failure};
use crate::db::engine::migrations::Migration;
use crate::db::engine::tx::Tx;
use crate::error::{Context as _, Error, Result};

/// How often a transaction is run when it meets a deadlock or a serialization failure, or loses its connection.
const ATTEMPTS_MAX: u32 = 5;
/// Pause before the second attempt; it doubles each time, and a random part is taken off.
const RETRY_PAUSE: Duration = Duration::from_millis(5);

/// An open PostgreSQL database.
#[derive(Debug, Clone)]
pub(in crate::db::engine) struct Store {
    writers: PgPool,
    readers: PgPool,
}

/// Why an attempt was undone.
struct Undone {
    error: Error,
    is_retryable: bool,
}

impl Store {
    /// Migrates the database and prepares the pools, which share `connections_max`.
    pub(in crate::db::engine) async fn open(
        url: &str,
        connections_max: u32,
        migrations: &'static [Migration],
        now_ms: i64,
    ) -> Result<Self> {
        migrate::migrate(url, migrations, now_ms).await?;
        let readers_max = (connections_max * 3 / 8).max(1);
        let writers_max = connections_max.saturating_sub(readers_max).max(1);
        Ok(Self {
            writers: pool(url, Purpose::Write, writers_max)?,
            readers: pool(url, Purpose::Read, readers_max)?,
        })
    }

    /// Runs `body` in a transaction, again if it met a deadlock or a serialization failure.
    pub(in crate::db::engine) async fn write<T: Send + 'static>(
        &self,
        body: impl Body<T>,
    ) -> Result<T> {
        let writers = self.writers.clone();
        // A task of its own, so that a caller that goes away does not undo its write.
        let task = tokio::spawn(async move {
            let mut attempt = 1;
            loop {
                match write_once(&writers, &body).await {
                    Ok(value) => return Ok(value),
                    Err(undone) if !undone.is_retryable || attempt == ATTEMPTS_MAX => {
                        return Err(undone.error);
                    }
                    Err(_) => tokio::time::sleep(pause_after(attempt)).await,
                }
                attempt += 1;
            }
        });
        task.await.unwrap_or_else(|error| Err(Error::caused_by(error)))
    }

    /// Runs `body` in a transaction that only reads one snapshot.
    pub(in crate::db::engine) async fn read<T>(&self, body: impl Body<T>) -> Result<T> {
        let mut transaction =
            begin(&self.readers).await.map_err(|error| Failure::from(error).error)?;
        let outcome = poll_through(&mut Tx::pg(&mut transaction), &body).await;
        let ended = transaction.rollback().await.map_err(|error| Failure::from(error).error);
        let value = outcome?;
        ended.context("ending a read")?;
        Ok(value)
    }

    /// Waits for what was asked for and closes the connections.
    pub(in crate::db::engine) async fn close(&self) {
        self.writers.close().await;
        self.readers.close().await;
    }
}

/// Begins a transaction. After a restart of the server every pooled connection is dead and found so only
/// by using it; each failure removes one.
async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    for _ in 0..pool.options().get_max_connections() {
        match pool.begin().await {
            Err(error) if failure::is_lost(&error) => {}
            begun => return begun,
        }
    }
    pool.begin().await
}

async fn write_once<T>(writers: &PgPool, body: &impl Body<T>) -> Result<T, Undone> {
    let mut transaction = begin(writers).await.map_err(Undone::of("beginning a transaction"))?;
    let mut tx = Tx::pg(&mut transaction);
    let outcome = poll_through(&mut tx, body).await;
    let is_retryable = tx.is_retryable();
    match outcome {
        Ok(value) => {
            transaction.commit().await.map_err(Undone::at_commit)?;
            Ok(value)
        }
        Err(error) => {
            if let Err(failed) = transaction.rollback().await {
                tracing::warn!("could not roll back, so the connection is dropped: {failed}");
            }
            Err(Undone { error, is_retryable })
        }
    }
}

impl Undone {
    /// A commit without an answer may have happened: running it again could count twice.
    fn at_commit(error: sqlx::Error) -> Self {
        let Failure { error, is_retryable, is_lost } = Failure::from(error);
        Self { error: error.with_context("committing"), is_retryable: is_retryable && !is_lost }
    }

    fn of(context: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |error| {
            let Failure { error, is_retryable, .. } = Failure::from(error);
            Self { error: error.with_context(context), is_retryable }
        }
    }
}

/// Random, so that those who met do not meet again.
fn pause_after(attempt: u32) -> Duration {
    (RETRY_PAUSE * (1 << attempt)).mul_f64(rand::random_range(0.5..1.0))
}
