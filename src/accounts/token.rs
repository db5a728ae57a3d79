//! Tokens: mint, list, revoke, and who presents one.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::scope::Scopes;
use super::{organization, unknown};
use crate::app::App;
use crate::clock::Clock;
use crate::db;
use crate::db::engine::Tx;
use crate::db::token::Token;
use crate::error::{Error, Result};

/// What the tokens of an organization begin with.
const ORGANIZATION_PREFIX: &str = "sntrys_";
/// What the tokens of a user begin with.
const USER_PREFIX: &str = "sntryu_";
/// How exactly the last use is noted, in milliseconds: not every request is a write.
const LAST_USE_MS: i64 = 10 * 60 * 1000;
/// Longest token that is looked at, in bytes. Ours have about 200.
const TOKEN_BYTES_MAX: usize = 4096;

/// Whose token to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The organization's own, for builds and scripts.
    Organization,
    /// A user's.
    User(i64),
}

/// Makes a token for an organization and returns it with its text, which is kept nowhere.
///
/// # Errors
/// `Invalid` if there is no such organization or no scope is named.
pub(crate) async fn create(
    app: &App,
    organization: &str,
    owner: Owner,
    name: &str,
    scopes: Scopes,
) -> Result<(Token, String)> {
    if scopes.is_empty() {
        return Err(Error::Invalid(
            "a token without scopes opens nothing: name some with --scopes".to_owned(),
        ));
    }
    let clock = app.clock.clone();
    let url = app
        .config
        .server
        .public_url
        .as_ref()
        .map_or_else(String::new, |url| url.as_str().to_owned());
    let (organization, name) = (organization.to_owned(), name.to_owned());
    app.db
        .write(move |tx| {
            let (clock, owner, url) = (clock.clone(), owner.clone(), url.clone());
            let (organization, name) = (organization.clone(), name.clone());
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                let text = match owner {
                    Owner::Organization => mint_for_organization(&clock, &url, &organization.slug),
                    Owner::User(_) => mint_for_user(),
                };
                let token = insert(tx, &clock, organization.id, owner, name, scopes, &text).await?;
                Ok((token, text))
            })
        })
        .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    clock: &Clock,
    organization_id: i64,
    owner: Owner,
    name: String,
    scopes: Scopes,
    text: &str,
) -> Result<Token> {
    let token = Token {
        id: clock.new_id(),
        organization_id,
        user_id: match owner {
            Owner::Organization => None,
            Owner::User(id) => Some(id),
        },
        name,
        last_characters: text[text.len() - 4..].to_owned(),
        scopes: scopes.to_string(),
        created_at_ms: clock.now_ms(),
        last_used_at_ms: None,
        expires_at_ms: None,
        revoked_at_ms: None,
    };
    db::token::insert(tx, &token, &hash(text)).await?;
    Ok(token)
}

/// Returns the text of a new token that sentry-cli takes server and organization from.
///
/// Three parts between `_`, so base64 is the standard alphabet: JSON with padding, 32 random bytes without
/// (sentry-cli 3.8.2 and 2.58.6; the older one wants `region_url` as text, so it is never null).
pub(super) fn mint_for_organization(clock: &Clock, url: &str, organization: &str) -> String {
    let issued_at_s = clock.now_ms() as f64 / 1000.0;
    let payload = json!({"iat": issued_at_s, "url": url, "region_url": url, "org": organization});
    let secret = STANDARD_NO_PAD.encode(rand::random::<[u8; 32]>());
    format!("{ORGANIZATION_PREFIX}{}_{secret}", STANDARD.encode(payload.to_string()))
}

fn mint_for_user() -> String {
    format!("{USER_PREFIX}{}", hex::encode(rand::random::<[u8; 32]>()))
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// Returns the tokens of an organization, also revoked ones.
///
/// # Errors
/// `Invalid` if there is no such organization.
pub(crate) async fn list(app: &App, organization: &str) -> Result<Vec<Token>> {
    let organization = organization.to_owned();
    app.db
        .read(move |tx| {
            let organization = organization.clone();
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                db::token::all_of(tx, organization.id).await
            })
        })
        .await
}

/// Revokes a token.
///
/// # Errors
/// `Invalid` if the organization has no such token.
pub(crate) async fn revoke(app: &App, organization: &str, id: i64) -> Result<()> {
    let (organization, now_ms) = (organization.to_owned(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let organization = organization.clone();
            Box::pin(async move {
                let organization = organization::named(tx, &organization).await?;
                if db::token::revoke(tx, organization.id, id, now_ms).await? {
                    Ok(())
                } else {
                    Err(unknown("token", &id.to_string()))
                }
            })
        })
        .await?;
    app.forget_access();
    Ok(())
}

/// Returns the token with this text.
///
/// # Errors
/// `Unauthorized` in Sentry's words if there is none or it has expired.
pub(crate) async fn identify(app: &App, text: &str) -> Result<Arc<Token>> {
    let refused = || {
        let is_organization = text.starts_with(ORGANIZATION_PREFIX);
        Error::Unauthorized(
            if is_organization { "Invalid org token" } else { "Invalid token" }.to_owned(),
        )
    };
    if text.len() > TOKEN_BYTES_MAX {
        return Err(refused());
    }
    let hash = hash(text);
    let now_ms = app.clock.now_ms();
    let token = match app.tokens.find(&app.clock, &hash) {
        Some(token) => token,
        None => {
            let token = app
                .db
                .read(move |tx| Box::pin(async move { db::token::find(tx, &hash).await }))
                .await?;
            let token = token.map(Arc::new);
            app.tokens.keep(now_ms, hash, token.clone());
            token
        }
    };
    let token = token.ok_or_else(refused)?;
    if token.expires_at_ms.is_some_and(|expires_at_ms| expires_at_ms <= now_ms) {
        return Err(Error::Unauthorized("Token expired".to_owned()));
    }
    note_use(app, hash, &token, now_ms).await;
    Ok(token)
}

/// Notes the use of a token now and then; that it fails is no reason to refuse the request.
async fn note_use(app: &App, hash: [u8; 32], token: &Token, now_ms: i64) {
    if token.last_used_at_ms.is_some_and(|last_ms| now_ms - last_ms < LAST_USE_MS) {
        return;
    }
    app.tokens.keep(
        now_ms,
        hash,
        Some(Arc::new(Token { last_used_at_ms: Some(now_ms), ..token.clone() })),
    );
    let id = token.id;
    if let Err(error) = app.db.write(move |tx| Box::pin(db::token::note_use(tx, id, now_ms))).await
    {
        warn!(token.id = id, "could not note the use of a token: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organization_tokens_have_the_form_that_sentry_cli_reads() {
        let text = mint_for_organization(&Clock::manual(1_900_000_000_500), "", "default");
        let parts: Vec<&str> = text.split('_').collect();
        assert_eq!(parts.len(), 3, "{text}");
        assert_eq!(parts[0], "sntrys");
        let payload: serde_json::Value =
            serde_json::from_slice(&STANDARD.decode(parts[1]).unwrap()).unwrap();
        assert_eq!(
            payload,
            json!({"iat": 1_900_000_000.5, "url": "", "region_url": "", "org": "default"})
        );
        assert_eq!(STANDARD_NO_PAD.decode(parts[2]).unwrap().len(), 32);
    }

    #[test]
    fn user_tokens_are_64_digits_after_the_prefix() {
        let text = mint_for_user();
        assert_eq!(text.strip_prefix(USER_PREFIX).map(str::len), Some(64));
    }
}
