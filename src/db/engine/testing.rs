//! Databases for tests: every test its own, on both engines.
//!
//! ```text
//! on_both!(two_projects_get_two_ids, |db| async move { … });
//! ```

use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use super::database::{DatabaseUrl, Db, Options};
use super::migrations::{MIGRATIONS, Migration};

/// Names the address of a PostgreSQL server where tests may make schemas.
const POSTGRES_VARIABLE: &str = "SYMBOLIST_TEST_POSTGRES";

/// Distinguishes the schemas of one process.
static SCHEMAS: AtomicU32 = AtomicU32::new(0);

/// An open database of one test; derefs to [`Db`].
pub(crate) struct TestDb {
    db: Db,
    options: Options,
    /// Of SQLite; removed at the end.
    _folder: Option<tempfile::TempDir>,
}

impl TestDb {
    /// Makes an empty SQLite database with the product's tables.
    pub(crate) async fn sqlite() -> Self {
        Self::sqlite_with(MIGRATIONS).await
    }

    /// Makes an empty schema on PostgreSQL with the product's tables.
    pub(crate) async fn postgres() -> Self {
        Self::postgres_with(MIGRATIONS).await
    }

    /// Makes an empty SQLite database with other tables.
    pub(crate) async fn sqlite_with(migrations: &'static [Migration]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("symbolist.db");
        let options = Options { migrations, ..Options::new(DatabaseUrl::Sqlite { path }) };
        Self::open(options, Some(folder)).await
    }

    /// Makes an empty schema on PostgreSQL with other tables.
    pub(crate) async fn postgres_with(migrations: &'static [Migration]) -> Self {
        let url = own_schema().await;
        let options = Options { migrations, ..Options::new(DatabaseUrl::Postgres { url }) };
        Self::open(options, None).await
    }

    async fn open(options: Options, folder: Option<tempfile::TempDir>) -> Self {
        let db = Db::open(&options).await.expect("the database opens");
        Self { db, options, _folder: folder }
    }

    /// Returns how this database was opened, to open it a second time.
    pub(crate) fn options(&self) -> &Options {
        &self.options
    }
}

impl std::ops::Deref for TestDb {
    type Target = Db;

    fn deref(&self) -> &Db {
        &self.db
    }
}

/// Makes a schema and returns the address of the server with it as the search path.
///
/// Schemas are not removed: the server of `tests/run` lives as long as the tests.
pub(crate) async fn own_schema() -> String {
    let Ok(url) = std::env::var(POSTGRES_VARIABLE) else {
        panic!(
            "{POSTGRES_VARIABLE} is not set: run the tests with tests/run, which starts a PostgreSQL"
        );
    };
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    let now = std::time::UNIX_EPOCH.elapsed().expect("it is after 1970").as_nanos();
    let schema = format!("test_{now}_{}_{number}", std::process::id());
    let mut connection = PgConnection::connect(&url).await.expect("PostgreSQL answers");
    // Safe: the name consists of letters and digits.
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {schema}")))
        .execute(&mut connection)
        .await
        .expect("the tests may make schemas");
    connection.close().await.expect("the connection closes");
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}options[search_path]={schema}")
}

/// Makes two tests of one body over `&TestDb`: `name::sqlite` and `name::postgres`.
macro_rules! on_both {
    ($name:ident, $migrations:expr, |$db:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check($db: &$crate::db::engine::testing::TestDb) $body

            #[tokio::test]
            async fn sqlite() {
                check(&$crate::db::engine::testing::TestDb::sqlite_with($migrations).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                check(&$crate::db::engine::testing::TestDb::postgres_with($migrations).await).await;
            }
        }
    };
    ($name:ident, |$db:ident| $body:block) => {
        $crate::db::engine::testing::on_both!($name, $crate::db::engine::MIGRATIONS, |$db| $body);
    };
}
pub(crate) use on_both;
