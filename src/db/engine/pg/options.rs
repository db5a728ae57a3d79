//! Settings of the connections to PostgreSQL.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::error::{Error, Result};

/// Prepared statements kept per connection.
const STATEMENTS_MAX: usize = 256;
/// How long to wait for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);
/// Age after which a connection is replaced, so that a moved server is noticed.
const LIFETIME_MAX: Duration = Duration::from_secs(30 * 60);
/// Idle time after which a connection is asked before it is used. Asking always costs 50 µs each time.
const IDLE_UNASKED_MAX: Duration = Duration::from_secs(30);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Write,
    Read,
    Migrate,
}

impl Purpose {
    /// Session settings. Times in milliseconds.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Write => &[
                ("statement_timeout", "30000"),
                ("idle_in_transaction_session_timeout", "60000"),
                ("default_transaction_isolation", "read committed"),
            ],
            // One snapshot for the whole job and no writing, as on SQLite.
            Self::Read => &[
                ("statement_timeout", "5000"),
                ("idle_in_transaction_session_timeout", "60000"),
                ("default_transaction_isolation", "repeatable read"),
                ("default_transaction_read_only", "on"),
            ],
            // A migration may take long, and may wait long for another process's.
            Self::Migrate => &[("statement_timeout", "0"), ("lock_timeout", "0")],
        }
    }
}

/// Returns how to connect to `url` for a purpose.
///
/// # Errors
/// When the address cannot be read; the message does not contain it, because it may hold a password.
pub(super) fn connect_options(url: &str, purpose: Purpose) -> Result<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url).map_err(|error| {
        Error::Invalid(format!("the address of the database cannot be read: {error}"))
    })?;
    let options = options.application_name("symbolist").statement_cache_capacity(STATEMENTS_MAX);
    Ok(options.options(purpose.settings().iter().copied()))
}

/// Returns a pool of at most `connections_max` connections, none of them open yet.
pub(super) fn pool(url: &str, purpose: Purpose, connections_max: u32) -> Result<sqlx::PgPool> {
    let options = connect_options(url, purpose)?;
    Ok(PgPoolOptions::new()
        .max_connections(connections_max)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(LIFETIME_MAX)
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > IDLE_UNASKED_MAX {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_lazy_with(options))
}

/// Opens a connection of its own, outside the pools.
pub(super) async fn connect(url: &str, purpose: Purpose) -> Result<sqlx::PgConnection> {
    // Who starts the program wants to know why, not that it passes.
    sqlx::PgConnection::connect_with(&connect_options(url, purpose)?)
        .await
        .map_err(Error::caused_by)
}
