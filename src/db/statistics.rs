//! What the database knows about its own tables, for choosing how to run statements.

use super::engine::Tx;
use crate::error::Result;

/// Counts again, after many rows came or went at once.
pub(crate) async fn analyze(tx: &mut Tx<'_>) -> Result<()> {
    tx.batch("ANALYZE").await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(tables_are_counted_within_a_transaction, |db| {
        db.write(|tx| Box::pin(async move { analyze(tx).await })).await.unwrap();
    });
}
