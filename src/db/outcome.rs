//! What was not kept, and sessions: counted by project, hour, outcome and category.

use super::engine::{Bind, Tx};
use crate::error::Result;

/// What is counted together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct OutcomeKey {
    pub(crate) project_id: i64,
    /// Hours since 1970.
    pub(crate) hour: i64,
    /// `session`, `dropped:<reason>`, `client:<reason>`; a bounded set.
    pub(crate) outcome: String,
    /// Kind of item or category.
    pub(crate) category: String,
}

/// Adds to the counts, one row per key.
pub(crate) async fn add(tx: &mut Tx<'_>, counts: &[(OutcomeKey, i64)]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 5]> = counts
        .iter()
        .map(|(key, n)| -> [&dyn Bind; 5] {
            [&key.project_id, &key.hour, &key.outcome, &key.category, n]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO outcome_hour (project_id, hour, outcome, category, n) VALUES",
        &rows,
        "ON CONFLICT (project_id, hour, outcome, category) DO UPDATE SET n = outcome_hour.n + excluded.n",
    )
    .await?;
    Ok(())
}

/// Returns a project's count of one outcome since an hour.
pub(crate) async fn total(
    tx: &mut Tx<'_>,
    project_id: i64,
    outcome: &str,
    from_hour: i64,
) -> Result<i64> {
    tx.one(
        "SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM outcome_hour
         WHERE project_id = $1 AND outcome = $2 AND hour >= $3",
        &[&project_id, &outcome, &from_hour],
    )
    .await
}
