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
