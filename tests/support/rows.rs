//! What lies in a server's database, for what no request can make or see.

use rusqlite::Connection as Lite;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use super::server::Server;

impl Server {
    /// Runs a statement in the database. The server must not run.
    pub(crate) async fn execute(&self, sql: &str) {
        match self.postgres().await {
            Some(mut connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("the statement is good");
            }
            None => self.lite().execute_batch(sql).expect("the statement is good"),
        }
    }

    /// Returns the one number that a query asks for.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        match self.postgres().await {
            Some(mut connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                let row = sqlx::raw_sql(sql).fetch_one(&mut connection).await;
                row.expect("the query is good").get(0)
            }
            None => self.lite().query_row(sql, [], |row| row.get(0)).expect("the query is good"),
        }
    }

    /// Returns the one column of texts that a query asks for.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        match self.postgres().await {
            Some(mut connection) => {
                let sql = AssertSqlSafe(sql.to_owned());
                let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await;
                rows.expect("the query is good").iter().map(|row| row.get(0)).collect()
            }
            None => {
                let lite = self.lite();
                let mut statement = lite.prepare(sql).expect("the query is good");
                let rows = statement.query_map([], |row| row.get(0)).expect("the query is good");
                rows.map(|text| text.expect("it is text")).collect()
            }
        }
    }

    /// Returns the ids of the kept events.
    pub(crate) async fn kept_ids(&self) -> Vec<String> {
        let sql = match self.postgres().await {
            Some(_) => "SELECT encode(event_id, 'hex') FROM event",
            None => "SELECT lower(hex(event_id)) FROM event",
        };
        self.texts(sql).await
    }

    fn lite(&self) -> Lite {
        Lite::open(self.data().join("symbolist.db")).expect("the database opens")
    }

    async fn postgres(&self) -> Option<PgConnection> {
        let environment = self.environment();
        let (_, url) = environment.iter().find(|(name, _)| *name == "SYMBOLIST_DATABASE_URL")?;
        Some(PgConnection::connect(url).await.expect("PostgreSQL answers"))
    }
}
