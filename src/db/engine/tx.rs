//! A transaction: what every statement of `db/` runs in.

use super::bind::Bind;
use super::dialect::Dialect;
use super::failure::Failure;
use super::insert_many;
use super::lite::statement::{self as lite, Order};
use super::pg::statement as pg;
use super::row::FromRow;
use crate::error::{Error, Result};

/// How much of a statement an error quotes, in bytes.
const QUOTED_BYTES_MAX: usize = 120;

/// A transaction, on either engine.
///
/// Begin, commit and roll back are [`Db`](super::Db)'s. A transaction in which a statement failed is
/// never committed, even if the body goes on: PostgreSQL could not, so SQLite does not either.
pub(crate) struct Tx<'c> {
    connection: Connection<'c>,
    failed: Option<Failed>,
}

/// A connection, exclusively ours. `&mut` for SQLite too: a shared one could not be sent to another thread.
enum Connection<'c> {
    Lite(&'c mut rusqlite::Connection),
    Pg(&'c mut sqlx::PgConnection),
}

/// What is remembered of the first statement that failed.
#[derive(Debug, Clone, Copy)]
struct Failed {
    is_retryable: bool,
}

impl<'c> Tx<'c> {
    pub(super) fn lite(connection: &'c mut rusqlite::Connection) -> Self {
        Self { connection: Connection::Lite(connection), failed: None }
    }

    pub(super) fn pg(connection: &'c mut sqlx::PgConnection) -> Self {
        Self { connection: Connection::Pg(connection), failed: None }
    }
}

impl Tx<'_> {
    /// Returns which engine this is.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.connection {
            Connection::Lite(_) => Dialect::Lite,
            Connection::Pg(_) => Dialect::Postgres,
        }
    }

    /// Runs a statement and returns how many rows it changed.
    ///
    /// # Errors
    /// `Conflict` when a unique key exists already (ask with `ON CONFLICT` instead: the transaction is
    /// over after any error), `Busy`, `Unavailable` when the disk is full, else `Internal`.
    pub(crate) async fn execute(&mut self, sql: &'static str, args: &[&dyn Bind]) -> Result<u64> {
        self.execute_ordered(sql, Order::Named, args).await
    }

    /// Runs a statement and returns its rows.
    ///
    /// # Errors
    /// As [`execute`](Self::execute); `Internal` when a row is not a `T`.
    pub(crate) async fn all<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: &[&dyn Bind],
    ) -> Result<Vec<T>> {
        self.rows(sql, Order::Named, args, usize::MAX).await
    }

    /// Runs a statement and returns its first row, if it has one.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub(crate) async fn optional<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: &[&dyn Bind],
    ) -> Result<Option<T>> {
        Ok(self.rows(sql, Order::Named, args, 1).await?.into_iter().next())
    }

    /// Runs a statement that always has a row, for example a count, and returns it.
    ///
    /// # Errors
    /// As [`all`](Self::all); `Internal` when there is no row.
    pub(crate) async fn one<T: FromRow>(
        &mut self,
        sql: &'static str,
        args: &[&dyn Bind],
    ) -> Result<T> {
        let row = self.optional(sql, args).await?;
        row.ok_or_else(|| Error::internal("there is no row").with_context(quoted(sql)))
    }

    /// Inserts many rows and returns how many were inserted (or changed, with `DO UPDATE`).
    ///
    /// `head` ends in `VALUES`, `tail` may be empty or start with `ON CONFLICT`. The rows go in chunks
    /// whose sizes are powers of two, so that only a few texts exist and stay prepared. Two rows of one
    /// call must not have the same key if the tail is `DO UPDATE` (PostgreSQL refuses that).
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub(crate) async fn insert_many<const N: usize>(
        &mut self,
        head: &'static str,
        rows: &[[&dyn Bind; N]],
        tail: &'static str,
    ) -> Result<u64> {
        let mut inserted_count = 0;
        for chunk in insert_many::chunks(rows) {
            let sql = insert_many::text(head, tail, N, chunk.len());
            inserted_count +=
                self.execute_ordered(sql, Order::Sequential, chunk.as_flattened()).await?;
        }
        Ok(inserted_count)
    }

    /// As [`insert_many`](Self::insert_many), and returns what the tail's `RETURNING` says, in no
    /// particular order.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    pub(crate) async fn insert_many_returning<T: FromRow, const N: usize>(
        &mut self,
        head: &'static str,
        rows: &[[&dyn Bind; N]],
        tail: &'static str,
    ) -> Result<Vec<T>> {
        let mut returned = Vec::new();
        for chunk in insert_many::chunks(rows) {
            let sql = insert_many::text(head, tail, N, chunk.len());
            returned.append(
                &mut self.rows(sql, Order::Sequential, chunk.as_flattened(), usize::MAX).await?,
            );
        }
        Ok(returned)
    }

    /// Runs several statements at once, without values: for migrations and maintenance.
    pub(in crate::db) async fn batch(&mut self, sql: &'static str) -> Result<()> {
        let done = match &mut self.connection {
            Connection::Lite(connection) => connection.execute_batch(sql).map_err(Failure::from),
            Connection::Pg(connection) => {
                sqlx::raw_sql(sql).execute(&mut **connection).await.map(drop).map_err(Failure::from)
            }
        };
        self.note(sql, done)
    }

    /// Whether running the whole transaction again may succeed.
    pub(super) fn is_retryable(&self) -> bool {
        self.failed.is_some_and(|failed| failed.is_retryable)
    }

    /// Returns what the body returned, unless it says `Ok` although a statement failed.
    pub(super) fn verdict<T>(&self, outcome: Result<T>) -> Result<T> {
        if outcome.is_ok() && self.failed.is_some() {
            return Err(Error::internal(
                "a transaction went on after a statement had failed, so it was undone",
            ));
        }
        outcome
    }

    async fn execute_ordered(
        &mut self,
        sql: &'static str,
        order: Order,
        args: &[&dyn Bind],
    ) -> Result<u64> {
        let done = match &mut self.connection {
            Connection::Lite(connection) => lite::execute(connection, sql, order, args),
            Connection::Pg(connection) => match pg::arguments(args) {
                Ok(arguments) => pg::execute(connection, sql, arguments).await,
                Err(failure) => Err(failure),
            },
        };
        self.note(sql, done)
    }

    async fn rows<T: FromRow>(
        &mut self,
        sql: &'static str,
        order: Order,
        args: &[&dyn Bind],
        rows_max: usize,
    ) -> Result<Vec<T>> {
        let done = match &mut self.connection {
            Connection::Lite(connection) => lite::rows(connection, sql, order, args, rows_max),
            Connection::Pg(connection) => match pg::arguments(args) {
                Ok(arguments) => pg::rows(connection, sql, arguments).await,
                Err(failure) => Err(failure),
            },
        };
        self.note(sql, done)
    }

    /// Remembers a failure and says in which statement it was.
    fn note<T>(&mut self, sql: &str, done: Result<T, Failure>) -> Result<T> {
        done.map_err(|failure| {
            self.failed.get_or_insert(Failed { is_retryable: failure.is_retryable });
            failure.error.with_context(quoted(sql))
        })
    }
}

/// Returns the beginning of a statement on one line.
fn quoted(sql: &str) -> String {
    let mut words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.len() > QUOTED_BYTES_MAX {
        words.truncate(words.floor_char_boundary(QUOTED_BYTES_MAX));
        words.push('…');
    }
    words
}
