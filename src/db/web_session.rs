//! Who is logged in with a browser: the SHA-256 of what the cookie holds.

use super::engine::Tx;
use crate::error::Result;

/// Inserts a session.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    user: i64,
    now_ms: i64,
    expires_at_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO web_session (hash, user_id, created_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4)",
        &[hash, &user, &now_ms, &expires_at_ms],
    )
    .await?;
    Ok(())
}

/// The user of a session that has not expired.
pub(crate) async fn find_user(
    tx: &mut Tx<'_>,
    hash: &[u8; 32],
    now_ms: i64,
) -> Result<Option<i64>> {
    tx.optional(
        "SELECT user_id FROM web_session WHERE hash = $1 AND expires_at_ms > $2",
        &[hash, &now_ms],
    )
    .await
}

/// Ends a session.
pub(crate) async fn delete(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<()> {
    tx.execute("DELETE FROM web_session WHERE hash = $1", &[hash]).await?;
    Ok(())
}

/// Ends all sessions of a user.
pub(crate) async fn delete_of(tx: &mut Tx<'_>, user: i64) -> Result<()> {
    tx.execute("DELETE FROM web_session WHERE user_id = $1", &[&user]).await?;
    Ok(())
}

/// Removes sessions that have expired.
pub(crate) async fn delete_expired(tx: &mut Tx<'_>, now_ms: i64) -> Result<()> {
    tx.execute("DELETE FROM web_session WHERE expires_at_ms <= $1", &[&now_ms]).await?;
    Ok(())
}
