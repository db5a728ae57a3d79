//! The database as the rest of the server sees it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use prometheus_client::metrics::histogram::Histogram;

use super::body::Body;
use super::dialect::Dialect;
use super::folder_lock::FolderLock;
use super::migrations::{MIGRATIONS, Migration};
use super::{lite, pg};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::metrics;

/// Connections to PostgreSQL per process: with the default limit of 100 there, about 12 processes.
const POSTGRES_CONNECTIONS_MAX: u32 = 8;

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum DatabaseUrl {
    /// A file, made if it is missing. Its folder must exist.
    Sqlite {
        /// Path of the file; `-wal` and `-shm` stand beside it.
        path: PathBuf,
    },
    /// A server.
    Postgres {
        /// `postgres://user:password@host:port/database?option=value`.
        url: String,
    },
}

/// How to open a database.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Where it is.
    pub(crate) url: DatabaseUrl,
    /// Whether to be the one server of the file's folder (`serve` and `demo`) or a guest (other commands).
    /// Of no meaning on PostgreSQL.
    pub(crate) own_data_folder: bool,
    /// Connections to PostgreSQL at most.
    pub(crate) postgres_connections_max: u32,
    /// The history of the schema; tests bring their own.
    pub(crate) migrations: &'static [Migration],
    /// Where the time of each write is noted, in seconds, as the caller saw it.
    pub(crate) write_duration: Histogram,
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Db(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    engine: Engine,
    write_duration: Histogram,
    _folder: Option<FolderLock>,
}

#[derive(Debug)]
enum Engine {
    Lite(lite::Store),
    Pg(pg::Store),
}

impl Options {
    /// Returns the options of a command that is not the server.
    pub(crate) fn new(url: DatabaseUrl) -> Self {
        Self {
            url,
            own_data_folder: false,
            postgres_connections_max: POSTGRES_CONNECTIONS_MAX,
            migrations: MIGRATIONS,
            write_duration: metrics::durations(),
        }
    }
}

impl Db {
    /// Opens the database and migrates it.
    ///
    /// # Errors
    /// When it cannot be reached, another server owns the folder, or it was made by a newer program.
    pub(crate) async fn open(options: &Options) -> Result<Self> {
        let now_ms = Clock::system(0).now_ms();
        let (engine, folder) = match &options.url {
            DatabaseUrl::Sqlite { path } => {
                let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let folder = parent.unwrap_or_else(|| std::path::Path::new("."));
                let lock = options.own_data_folder.then(|| FolderLock::take(folder)).transpose()?;
                (Engine::Lite(lite::Store::open(path, options.migrations, now_ms)?), lock)
            }
            DatabaseUrl::Postgres { url } => {
                let store = pg::Store::open(
                    url,
                    options.postgres_connections_max,
                    options.migrations,
                    now_ms,
                );
                (Engine::Pg(store.await?), None)
            }
        };
        Ok(Self(Arc::new(Inner {
            engine,
            write_duration: options.write_duration.clone(),
            _folder: folder,
        })))
    }

    /// Runs `body` in a transaction and returns after it is durable.
    ///
    /// The write happens even if the caller goes away once it waits for the answer. The body may run
    /// several times (PostgreSQL), and its last run counts.
    ///
    /// # Errors
    /// What the body returns, which undoes the transaction; what its statements return; and the error of
    /// the commit, on SQLite that of the whole group.
    pub(crate) async fn write<T: Send + 'static>(&self, body: impl Body<T>) -> Result<T> {
        let started = Instant::now();
        let outcome = match &self.0.engine {
            Engine::Lite(store) => store.write(body).await,
            Engine::Pg(store) => store.write(body).await,
        };
        self.0.write_duration.observe(started.elapsed().as_secs_f64());
        outcome
    }

    /// As [`write`](Self::write), for the digest: on SQLite it waits for all other writes, and only one
    /// goes into a group commit.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    pub(crate) async fn write_digest<T: Send + 'static>(&self, body: impl Body<T>) -> Result<T> {
        match &self.0.engine {
            Engine::Lite(store) => store.write_later(body).await,
            Engine::Pg(store) => store.write(body).await,
        }
    }

    /// Runs `body` on one snapshot of the database, for at most 5 s.
    ///
    /// # Errors
    /// What the body and its statements return; statements that write are refused.
    pub(crate) async fn read<T: Send + 'static>(&self, body: impl Body<T>) -> Result<T> {
        match &self.0.engine {
            Engine::Lite(store) => store.read(body).await,
            Engine::Pg(store) => store.read(body).await,
        }
    }

    /// Returns which engine this is.
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.0.engine {
            Engine::Lite(_) => Dialect::Lite,
            Engine::Pg(_) => Dialect::Postgres,
        }
    }

    /// Asks the database a question, on the way that writes take.
    ///
    /// # Errors
    /// When it does not answer.
    pub(crate) async fn ping(&self) -> Result<()> {
        let answer: i64 =
            self.write(|tx| Box::pin(async move { tx.one("SELECT 1", &[]).await })).await?;
        if answer == 1 { Ok(()) } else { Err(Error::internal("the database cannot count to one")) }
    }

    /// Returns how often another process was seen to change the SQLite file. Stays 0 on PostgreSQL, where
    /// caches live by time.
    #[cfg(test)]
    pub(crate) fn data_version(&self) -> u64 {
        match &self.0.engine {
            Engine::Lite(store) => store.foreign().count(),
            Engine::Pg(_) => 0,
        }
    }

    /// Registers what to call when another process changed the SQLite file: drop what you remember of it.
    /// Called on the writer's thread, so it must be quick; at most 250 ms after the change.
    pub(crate) fn on_foreign_change(&self, callback: impl Fn() + Send + Sync + 'static) {
        match &self.0.engine {
            Engine::Lite(store) => store.foreign().on_change(Box::new(callback)),
            Engine::Pg(_) => {}
        }
    }

    /// Finishes what was asked for and closes the database; clones refuse to work from now on.
    pub(crate) async fn close(self) {
        match &self.0.engine {
            Engine::Lite(store) => store.close().await,
            Engine::Pg(store) => store.close().await,
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    /// Leaves out the address of a server, because it may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path } => write!(f, "Sqlite({})", path.display()),
            Self::Postgres { .. } => f.write_str("Postgres(…)"),
        }
    }
}
