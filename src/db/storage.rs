//! Where the bytes of the database lie, for measurements.

use super::engine::{Dialect, Tx};
use crate::error::Result;

/// Returns the bytes of each table and index, the largest first: pages of the file on SQLite (virtual table `dbstat`),
/// relations on PostgreSQL.
pub(crate) async fn by_table(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    let sql = match tx.dialect() {
        Dialect::Lite => {
            "SELECT name, CAST(SUM(pgsize) AS BIGINT) FROM dbstat GROUP BY name ORDER BY 2 DESC, 1"
        }
        Dialect::Postgres => {
            "SELECT CAST(c.relname AS TEXT),
               CASE WHEN c.relkind = 'r' THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
             FROM pg_class c
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
             WHERE c.relkind IN ('r', 'i')
             ORDER BY 2 DESC, 1"
        }
    };
    tx.all(sql, &[]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(every_table_has_a_size, |db| {
        let sizes = db.read(|tx| Box::pin(by_table(tx))).await.unwrap();
        for table in ["event", "accepted", "event_issue"] {
            assert!(sizes.iter().any(|(name, _)| name == table), "{table}: {sizes:?}");
        }
        assert!(sizes.iter().all(|(_, bytes)| *bytes >= 0));
    });
}
