//! How many events wait for each key: the sum of `missing_file`, kept in the same transactions.

use std::collections::BTreeMap;

use super::engine::{Bind, Tx, from_row};
use crate::error::Result;

/// A key that events wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingKey {
    pub(crate) key: String,
    pub(crate) n: i64,
}
from_row!(MissingKey { key, n });

/// Adds to how many events wait, by project and key; negative where events stopped waiting. What nothing
/// waits for any more goes.
pub(crate) async fn add(tx: &mut Tx<'_>, counts: &BTreeMap<(i64, String), i64>) -> Result<()> {
    let changed: Vec<_> = counts.iter().filter(|(_, n)| **n != 0).collect();
    let rows: Vec<[&dyn Bind; 3]> = changed
        .iter()
        .map(|((project, key), n)| -> [&dyn Bind; 3] { [project, key, *n] })
        .collect();
    tx.insert_many(
        "INSERT INTO missing_key (project_id, key, n) VALUES",
        &rows,
        "ON CONFLICT (project_id, key) DO UPDATE SET n = missing_key.n + excluded.n",
    )
    .await?;
    for ((project, key), _) in changed.iter().filter(|(_, n)| **n < 0) {
        let sql = "DELETE FROM missing_key WHERE project_id = $1 AND key = $2 AND n <= 0";
        tx.execute(sql, &[project, key]).await?;
    }
    Ok(())
}

/// Returns the keys of a project that most events wait for.
pub(crate) async fn top(tx: &mut Tx<'_>, project_id: i64, limit: i64) -> Result<Vec<MissingKey>> {
    tx.all(
        "SELECT key, n FROM missing_key
         WHERE project_id = $1 AND n > 0
         ORDER BY n DESC, key DESC
         LIMIT $2",
        &[&project_id, &limit],
    )
    .await
}

/// Returns how many events of a project wait for a key.
pub(crate) async fn waiting(tx: &mut Tx<'_>, project_id: i64, key: &str) -> Result<i64> {
    let found: Option<i64> = tx
        .optional(
            "SELECT n FROM missing_key WHERE project_id = $1 AND key = $2",
            &[&project_id, &key],
        )
        .await?;
    Ok(found.unwrap_or(0))
}
