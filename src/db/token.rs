//! Tokens of the API: kept as SHA-256, so that a stolen database opens nothing.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// A token as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    /// Time-ordered.
    pub(crate) id: i64,
    /// The only organization it opens.
    pub(crate) organization_id: i64,
    /// Whose it is; an organization's own token has no user.
    pub(crate) user_id: Option<i64>,
    /// Its name for people.
    pub(crate) name: String,
    /// The last four characters, to tell tokens apart.
    pub(crate) last_characters: String,
    /// Words separated by spaces.
    pub(crate) scopes: String,
    /// When it was made.
    pub(crate) created_at_ms: i64,
    /// About when it was last used.
    pub(crate) last_used_at_ms: Option<i64>,
    /// When it ends by itself.
    pub(crate) expires_at_ms: Option<i64>,
    /// Since when it is refused.
    pub(crate) revoked_at_ms: Option<i64>,
}
from_row!(Token {
    id,
    organization_id,
    user_id,
    name,
    last_characters,
    scopes,
    created_at_ms,
    last_used_at_ms,
    expires_at_ms,
    revoked_at_ms,
});

/// Inserts a token with the SHA-256 of its whole text.
pub(crate) async fn insert(tx: &mut Tx<'_>, token: &Token, hash: &[u8; 32]) -> Result<()> {
    let Token {
        id,
        organization_id,
        user_id,
        name,
        last_characters,
        scopes,
        created_at_ms,
        expires_at_ms,
        ..
    } = token;
    tx.execute(
        "INSERT INTO token
           (id, organization_id, user_id, name, hash, last_characters, scopes, created_at_ms, expires_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &[id, organization_id, user_id, name, hash, last_characters, scopes, created_at_ms, expires_at_ms],
    )
    .await?;
    Ok(())
}

/// The token with a hash, unless it, its user or its organization is revoked. An expired one is returned.
pub(crate) async fn find(tx: &mut Tx<'_>, hash: &[u8; 32]) -> Result<Option<Token>> {
    tx.optional(
        "SELECT t.id, t.organization_id, t.user_id, t.name, t.last_characters, t.scopes, t.created_at_ms,
                t.last_used_at_ms, t.expires_at_ms, t.revoked_at_ms
         FROM token t
         JOIN organization o ON o.id = t.organization_id
         LEFT JOIN user_account u ON u.id = t.user_id
         WHERE t.hash = $1
           AND t.revoked_at_ms IS NULL
           AND o.revoked_at_ms IS NULL
           AND (t.user_id IS NULL OR u.revoked_at_ms IS NULL)",
        &[hash],
    )
    .await
}

/// The tokens of an organization, also revoked ones, oldest first.
pub(crate) async fn all_of(tx: &mut Tx<'_>, organization: i64) -> Result<Vec<Token>> {
    tx.all(
        "SELECT id, organization_id, user_id, name, last_characters, scopes, created_at_ms,
                last_used_at_ms, expires_at_ms, revoked_at_ms
         FROM token
         WHERE organization_id = $1
         ORDER BY id",
        &[&organization],
    )
    .await
}

/// Notes that a token was used.
pub(crate) async fn note_use(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<()> {
    tx.execute("UPDATE token SET last_used_at_ms = $1 WHERE id = $2", &[&now_ms, &id]).await?;
    Ok(())
}

/// Revokes a token of an organization; returns `false` if there is none.
pub(crate) async fn revoke(
    tx: &mut Tx<'_>,
    organization: i64,
    id: i64,
    now_ms: i64,
) -> Result<bool> {
    let changed_count = tx
        .execute(
            "UPDATE token
             SET revoked_at_ms = $1
             WHERE organization_id = $2 AND id = $3 AND revoked_at_ms IS NULL",
            &[&now_ms, &organization, &id],
        )
        .await?;
    Ok(changed_count == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::user_account::{self, tests::ann};

    on_both!(token_is_found_until_it_or_its_user_is_revoked, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let token = Token {
                    id: 5,
                    organization_id: 1,
                    user_id: Some(ann(tx).await?.id),
                    name: "CLI".to_owned(),
                    last_characters: "abcd".to_owned(),
                    scopes: "org:ci".to_owned(),
                    created_at_ms: 7,
                    last_used_at_ms: None,
                    expires_at_ms: Some(100),
                    revoked_at_ms: None,
                };
                insert(tx, &token, &[1; 32]).await?;
                insert(tx, &Token { id: 6, user_id: None, ..token.clone() }, &[2; 32]).await?;
                assert_eq!(find(tx, &[1; 32]).await?, Some(token));
                assert_eq!(find(tx, &[3; 32]).await?, None);
                note_use(tx, 6, 50).await?;
                assert_eq!(find(tx, &[2; 32]).await?.unwrap().last_used_at_ms, Some(50));
                user_account::revoke(tx, 1, 8).await?;
                assert_eq!(find(tx, &[1; 32]).await?, None);
                assert!(find(tx, &[2; 32]).await?.is_some());
                assert!(!revoke(tx, 2, 6, 8).await?);
                assert!(revoke(tx, 1, 6, 8).await?);
                assert_eq!(find(tx, &[2; 32]).await?, None);
                assert_eq!(all_of(tx, 1).await?.len(), 2);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
