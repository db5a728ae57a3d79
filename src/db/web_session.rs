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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::user_account::tests::ann;

    on_both!(sessions_end_by_time_and_by_deletion, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let user = ann(tx).await?.id;
                for (hash, expires_at_ms) in [([1; 32], 100), ([2; 32], 200), ([3; 32], 300)] {
                    insert(tx, &hash, user, 7, expires_at_ms).await?;
                }
                assert_eq!(find_user(tx, &[1; 32], 99).await?, Some(user));
                assert_eq!(find_user(tx, &[1; 32], 100).await?, None);
                delete_expired(tx, 100).await?;
                assert_eq!(find_user(tx, &[1; 32], 0).await?, None);
                delete(tx, &[2; 32]).await?;
                assert_eq!(find_user(tx, &[2; 32], 0).await?, None);
                assert_eq!(find_user(tx, &[3; 32], 0).await?, Some(user));
                delete_of(tx, user).await?;
                assert_eq!(find_user(tx, &[3; 32], 0).await?, None);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
