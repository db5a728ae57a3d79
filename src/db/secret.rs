//! Secrets of this installation: random bytes that are made once and never shown.

use super::engine::Tx;
use crate::error::Result;

/// Returns the secret `name`; `fresh` becomes it if there is none yet.
pub(crate) async fn find_or_keep(tx: &mut Tx<'_>, name: &str, fresh: [u8; 32]) -> Result<[u8; 32]> {
    tx.one(
        "INSERT INTO secret (name, value)
         VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = secret.value
         RETURNING value",
        &[&name, &fresh],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(the_first_stays, |db| {
        let keep = |fresh: [u8; 32]| {
            db.write(move |tx| Box::pin(async move { find_or_keep(tx, "web", fresh).await }))
        };
        assert_eq!(keep([1; 32]).await.unwrap(), [1; 32]);
        assert_eq!(keep([2; 32]).await.unwrap(), [1; 32]);
    });
}
