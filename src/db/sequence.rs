//! Small sequential ids: they appear in DSNs and short ids, so they are short.

use super::engine::Tx;
use crate::error::Result;

/// Returns the next number of the sequence `name`, starting with 1. Other transactions that want one wait
/// until this one ends.
pub(crate) async fn next(tx: &mut Tx<'_>, name: &str) -> Result<i64> {
    tx.one(
        "INSERT INTO sequence (name, last)
         VALUES ($1, 1)
         ON CONFLICT (name) DO UPDATE SET last = sequence.last + 1
         RETURNING last",
        &[&name],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(names_count_on_their_own, |db| {
        let numbers = db
            .write(|tx| {
                Box::pin(async move {
                    Ok((next(tx, "a").await?, next(tx, "a").await?, next(tx, "b").await?))
                })
            })
            .await
            .unwrap();
        assert_eq!(numbers, (1, 2, 1));
    });
}
