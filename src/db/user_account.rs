//! Users: people who log in, and the organizations they belong to.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserAccount {
    /// Small and sequential.
    pub(crate) id: i64,
    /// Lower case; what the user logs in with.
    pub(crate) email: String,
    /// How the user is called.
    pub(crate) name: String,
    /// When the account was made.
    pub(crate) created_at_ms: i64,
    /// Since when the user cannot log in.
    pub(crate) revoked_at_ms: Option<i64>,
}
from_row!(UserAccount { id, email, name, created_at_ms, revoked_at_ms });

/// An organization that a user belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Membership {
    /// The organization.
    pub(crate) organization_id: i64,
    /// What the user may do there, by the name of the role.
    pub(crate) role: String,
}
from_row!(Membership { organization_id, role });

/// Inserts a user; returns `false` if the address is taken.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    user: &UserAccount,
    password_hash: &str,
) -> Result<bool> {
    let UserAccount { id, email, name, created_at_ms, .. } = user;
    let inserted_count = tx
        .execute(
            "INSERT INTO user_account (id, email, name, password_hash, created_at_ms)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (email) DO NOTHING",
            &[id, email, name, &password_hash, created_at_ms],
        )
        .await?;
    Ok(inserted_count == 1)
}

/// Makes a user a member of an organization, or changes the role.
pub(crate) async fn join(tx: &mut Tx<'_>, organization: i64, user: i64, role: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO membership (organization_id, user_id, role)
         VALUES ($1, $2, $3)
         ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role",
        &[&organization, &user, &role],
    )
    .await?;
    Ok(())
}

/// All users, also revoked ones.
pub(crate) async fn all(tx: &mut Tx<'_>) -> Result<Vec<UserAccount>> {
    tx.all(
        "SELECT id, email, name, created_at_ms, revoked_at_ms FROM user_account ORDER BY id",
        &[],
    )
    .await
}

/// The user `id`, unless revoked.
pub(crate) async fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<UserAccount>> {
    tx.optional(
        "SELECT id, email, name, created_at_ms, revoked_at_ms
         FROM user_account
         WHERE id = $1 AND revoked_at_ms IS NULL",
        &[&id],
    )
    .await
}

/// The user with an address, unless revoked.
pub(crate) async fn find_by_email(tx: &mut Tx<'_>, email: &str) -> Result<Option<UserAccount>> {
    tx.optional(
        "SELECT id, email, name, created_at_ms, revoked_at_ms
         FROM user_account
         WHERE email = $1 AND revoked_at_ms IS NULL",
        &[&email],
    )
    .await
}

/// The id and the hash of the password of the user with an address, unless revoked.
pub(crate) async fn password_hash(tx: &mut Tx<'_>, email: &str) -> Result<Option<(i64, String)>> {
    tx.optional(
        "SELECT id, password_hash
         FROM user_account
         WHERE email = $1 AND revoked_at_ms IS NULL",
        &[&email],
    )
    .await
}

/// Replaces the hash of a user's password.
pub(crate) async fn change_password(tx: &mut Tx<'_>, id: i64, password_hash: &str) -> Result<()> {
    tx.execute("UPDATE user_account SET password_hash = $1 WHERE id = $2", &[&password_hash, &id])
        .await?;
    Ok(())
}

/// The organizations a user belongs to, without revoked ones.
pub(crate) async fn memberships(tx: &mut Tx<'_>, user: i64) -> Result<Vec<Membership>> {
    tx.all(
        "SELECT m.organization_id, m.role
         FROM membership m
         JOIN organization o ON o.id = m.organization_id
         WHERE m.user_id = $1 AND o.revoked_at_ms IS NULL
         ORDER BY m.organization_id",
        &[&user],
    )
    .await
}

/// Revokes a user.
pub(crate) async fn revoke(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<()> {
    tx.execute(
        "UPDATE user_account SET revoked_at_ms = $1 WHERE id = $2 AND revoked_at_ms IS NULL",
        &[&now_ms, &id],
    )
    .await?;
    Ok(())
}
