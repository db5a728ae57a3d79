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
