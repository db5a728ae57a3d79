//! Users: make, list, revoke, new passwords.

use super::scope::{Scope, Scopes};
use super::{organization, password, taken, unknown};
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::user_account::UserAccount;
use crate::error::{Error, Result};

/// Longest address, in bytes (RFC 5321 has 254).
const EMAIL_BYTES_MAX: usize = 254;

/// What a user may do in an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Owner,
    /// Read, and work on issues.
    Member,
}

impl Role {
    /// Returns the name that is stored.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Member => "member",
        }
    }

    /// Reads a name that somebody typed.
    ///
    /// # Errors
    /// `Invalid` if there is no such role.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let found = [Self::Owner, Self::Member].into_iter().find(|role| role.name() == name);
        found.ok_or_else(|| {
            Error::Invalid(format!("there is no role `{name}`: take owner or member"))
        })
    }

    /// Reads a stored name; one that this version does not know gives the least.
    pub(crate) fn of_stored(name: &str) -> Self {
        if name == Self::Owner.name() { Self::Owner } else { Self::Member }
    }

    /// Returns what the role may do through the API and in the browser.
    pub(crate) fn scopes(self) -> Scopes {
        match self {
            Self::Owner => Scopes::all(),
            Self::Member => Scopes::of(&[
                Scope::OrgRead,
                Scope::MemberRead,
                Scope::TeamRead,
                Scope::ProjectRead,
                Scope::ProjectReleases,
                Scope::EventRead,
                Scope::EventWrite,
                Scope::AlertsRead,
            ]),
        }
    }
}

/// Makes a user and a member of an organization.
///
/// # Errors
/// `Invalid` if the address or the password cannot be one, `Conflict` if the address is taken.
pub(crate) async fn create(
    app: &App,
    organization: &str,
    email: &str,
    name: Option<&str>,
    role: Role,
    password: &str,
) -> Result<UserAccount> {
    let email = checked_email(email)?;
    let password_hash = password::hash(app, password).await?;
    let name = name.unwrap_or(&email).to_owned();
    let (organization, now_ms) = (organization.to_owned(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let (organization, email, name, password_hash) =
                (organization.clone(), email.clone(), name.clone(), password_hash.clone());
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                insert(tx, organization.id, email, name, role, &password_hash, now_ms).await
            })
        })
        .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    organization: i64,
    email: String,
    name: String,
    role: Role,
    password_hash: &str,
    now_ms: i64,
) -> Result<UserAccount> {
    let id = db::sequence::next(tx, "user").await?;
    let user = UserAccount { id, email, name, created_at_ms: now_ms, revoked_at_ms: None };
    if !db::user_account::insert(tx, &user, password_hash).await? {
        return Err(taken("user", &user.email));
    }
    db::user_account::join(tx, organization, id, role.name()).await?;
    Ok(user)
}

/// Makes a user a member of another organization, or changes the role there.
///
/// # Errors
/// `Invalid` if there is no such user or organization.
pub(crate) async fn join(app: &App, organization: &str, email: &str, role: Role) -> Result<()> {
    let (organization, email) = (organization.to_owned(), checked_email(email)?);
    app.db
        .write(move |tx| {
            let (organization, email) = (organization.clone(), email.clone());
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                let user = named(tx, &email).await?;
                db::user_account::join(tx, organization.id, user.id, role.name()).await
            })
        })
        .await
}

/// Returns an address as it is stored: addresses are compared without regard to case.
pub(crate) fn checked_email(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let parts = email.split_once('@');
    let is_plausible = parts.is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if is_plausible && email.len() <= EMAIL_BYTES_MAX && !email.contains(char::is_whitespace) {
        Ok(email)
    } else {
        Err(Error::Invalid(format!("`{email}` is no e-mail address")))
    }
}

/// Returns all users, also revoked ones.
pub(crate) async fn list(app: &App) -> Result<Vec<UserAccount>> {
    app.db.read(|tx| Box::pin(async move { db::user_account::all(tx).await })).await
}

/// Replaces a user's password and ends all sessions.
///
/// # Errors
/// `Invalid` if there is no such user or the password cannot be one.
pub(crate) async fn change_password(app: &App, email: &str, password: &str) -> Result<()> {
    let email = checked_email(email)?;
    let password_hash = password::hash(app, password).await?;
    app.db
        .write(move |tx| {
            let (email, password_hash) = (email.clone(), password_hash.clone());
            Box::pin(async move {
                let user = named(tx, &email).await?;
                db::user_account::change_password(tx, user.id, &password_hash).await?;
                db::web_session::delete_of(tx, user.id).await
            })
        })
        .await
}

/// Revokes a user: sessions end and the user's tokens are refused.
///
/// # Errors
/// `Invalid` if there is no such user.
pub(crate) async fn revoke(app: &App, email: &str) -> Result<()> {
    let (email, now_ms) = (checked_email(email)?, app.clock.now_ms());
    app.db
        .write(move |tx| {
            let email = email.clone();
            Box::pin(async move {
                let user = named(tx, &email).await?;
                db::web_session::delete_of(tx, user.id).await?;
                db::user_account::revoke(tx, user.id, now_ms).await
            })
        })
        .await?;
    app.forget_access();
    Ok(())
}

/// Returns the user with an address.
///
/// # Errors
/// `Invalid` if there is none.
pub(crate) async fn find(app: &App, email: &str) -> Result<UserAccount> {
    let email = checked_email(email)?;
    app.db
        .read(move |tx| {
            let email = email.clone();
            Box::pin(async move { named(tx, &email).await })
        })
        .await
}

async fn named(tx: &mut Tx<'_>, email: &str) -> Result<UserAccount> {
    db::user_account::find_by_email(tx, email).await?.ok_or_else(|| unknown("user", email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lower_case() {
        assert_eq!(checked_email(" Me@Example.COM ").unwrap(), "me@example.com");
        for bad in ["", "me", "@x", "me@", "a b@c"] {
            assert!(checked_email(bad).is_err(), "{bad}");
        }
    }
}
