//! The two databases a server can have in a test.

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Names the address of a PostgreSQL server where tests may make databases.
const POSTGRES_VARIABLE: &str = "SYMBOLIST_TEST_POSTGRES";

/// Distinguishes the databases of one process.
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// Which database a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    /// The default: a file in the data folder.
    Sqlite,
    /// A database of its own on the tests' PostgreSQL.
    Postgres,
}

/// Makes an empty database and returns its address. It is not removed: the server of `tests/run` lives as
/// long as the tests.
pub(crate) async fn own_postgres() -> String {
    let Ok(url) = std::env::var(POSTGRES_VARIABLE) else {
        panic!(
            "{POSTGRES_VARIABLE} is not set: run the tests with tests/run, which starts a PostgreSQL"
        );
    };
    let number = DATABASES.fetch_add(1, Ordering::Relaxed);
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970").as_nanos();
    let name = format!("symbolist_test_{now}_{}_{number}", std::process::id());
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    // Safe: the name consists of letters, digits and underscores.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
        .execute(&mut connection)
        .await
        .expect("the tests may make databases");
    connection.close().await.expect("the connection closes");
    let (address, options) = url.split_once('?').unwrap_or((&url, ""));
    let server = address.rsplit_once('/').expect("the address names a database").0;
    format!("{server}/{name}?{options}").trim_end_matches('?').to_owned()
}

/// Makes two tests of one body: `name::sqlite` and `name::postgres`.
///
/// `on_both!(both_engines_start, |database| { let server = Server::start_on(database).await; … });`
macro_rules! on_both {
    ($name:ident, |$database:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check($database: $crate::support::database::Database) $body

            #[tokio::test]
            async fn sqlite() {
                check($crate::support::database::Database::Sqlite).await;
            }

            #[tokio::test]
            async fn postgres() {
                check($crate::support::database::Database::Postgres).await;
            }
        }
    };
}
pub(crate) use on_both;
