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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::organization::{self, tests::acme};

    /// Inserts the user 1, a member of the organization 1, for tests of what belongs to one.
    pub(in crate::db) async fn ann(tx: &mut Tx<'_>) -> Result<UserAccount> {
        let (email, name) = ("ann@example.com".to_owned(), "Ann".to_owned());
        let user = UserAccount { id: 1, email, name, created_at_ms: 7, revoked_at_ms: None };
        let organization = acme(tx).await?.id;
        insert(tx, &user, "first hash").await?;
        join(tx, organization, user.id, "member").await?;
        Ok(user)
    }

    on_both!(revoked_ones_are_listed_but_not_found, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let user = ann(tx).await?;
                assert_eq!(find(tx, 1).await?, Some(user.clone()));
                assert_eq!(find_by_email(tx, &user.email).await?, Some(user.clone()));
                assert!(!insert(tx, &UserAccount { id: 2, ..user.clone() }, "x").await?);
                change_password(tx, 1, "second hash").await?;
                assert_eq!(
                    password_hash(tx, &user.email).await?,
                    Some((1, "second hash".to_owned()))
                );
                revoke(tx, 1, 8).await?;
                assert_eq!(
                    (find(tx, 1).await?, find_by_email(tx, &user.email).await?),
                    (None, None)
                );
                assert_eq!(password_hash(tx, &user.email).await?, None);
                assert_eq!(all(tx).await?[0].revoked_at_ms, Some(8));
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(joining_twice_changes_the_role, |db| {
        let roles = db.write(|tx| {
            Box::pin(async move {
                ann(tx).await?;
                join(tx, 1, 1, "owner").await?;
                let before = memberships(tx, 1).await?;
                organization::revoke(tx, 1, 8).await?;
                Ok((before, memberships(tx, 1).await?))
            })
        });
        let membership = Membership { organization_id: 1, role: "owner".to_owned() };
        assert_eq!(roles.await.unwrap(), (vec![membership], vec![]));
    });
}
