//! Sessions of browsers: log in, who it is, log out.
//!
//! The cookie holds 32 random bytes; the database their SHA-256. Forms carry a token made of the session
//! and a secret of this installation, so that no other page can send them.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::password;
use super::scope::Scopes;
use super::user::Role;
use crate::app::App;
use crate::db;
use crate::db::user_account::UserAccount;
use crate::error::{Error, Result};
use crate::throttle;

/// How long a session lasts, in milliseconds.
pub(crate) const SESSION_MS: i64 = 14 * 24 * 60 * 60 * 1000;

/// A session as the cookie says it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SessionKey([u8; 32]);

impl SessionKey {
    /// Makes a key that nobody can guess.
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Returns what the cookie holds.
    pub(crate) fn text(&self) -> String {
        hex::encode(self.0)
    }

    /// Reads what a cookie holds.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok().map(|()| Self(bytes))
    }

    fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// Returns what forms of this session carry.
    pub(crate) fn csrf_token(&self, app: &App) -> String {
        hex::encode(
            Sha256::new().chain_update(app.secrets.web).chain_update(self.hash()).finalize(),
        )
    }

    /// Says whether a form is of this session.
    pub(crate) fn is_csrf_token(&self, app: &App, token: &str) -> bool {
        self.csrf_token(app).as_bytes().ct_eq(token.as_bytes()).into()
    }
}

impl std::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionKey(…)")
    }
}

/// Who uses a session, and what they may do where.
#[derive(Debug, Clone)]
pub(crate) struct Viewer {
    /// The user.
    pub(crate) user: UserAccount,
    /// Organizations with what the user may do there.
    pub(crate) organizations: Vec<(i64, Scopes)>,
}

/// Logs a user in.
///
/// # Errors
/// `Unauthorized` if address or password is wrong; `TooManyRequests` after many such attempts.
pub(crate) async fn log_in(
    app: &App,
    address: std::net::IpAddr,
    email: &str,
    password: &str,
) -> Result<SessionKey> {
    let email = email.trim().to_lowercase();
    let attempt = throttle::Attempt::new(address, &email);
    app.throttle.check(&app.clock, &attempt)?;
    let asked = email.clone();
    let found = app
        .db
        .read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move { db::user_account::password_hash(tx, &asked).await })
        })
        .await?;
    let (user, hash) = found.unzip();
    let is_right = password::is_right(app, password, hash).await?;
    let Some(user) = user.filter(|_| is_right) else {
        app.throttle.note_failure(&app.clock, attempt);
        return Err(Error::Unauthorized("the address or the password is wrong".to_owned()));
    };
    app.throttle.forget(&attempt);
    let key = SessionKey::random();
    let (hash, now_ms) = (key.hash(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            Box::pin(async move {
                db::web_session::delete_expired(tx, now_ms).await?;
                db::web_session::insert(tx, &hash, user, now_ms, now_ms + SESSION_MS).await
            })
        })
        .await?;
    Ok(key)
}

/// Returns who uses a session; `None` if it has ended.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn find(app: &App, key: &SessionKey) -> Result<Option<Viewer>> {
    let (hash, now_ms) = (key.hash(), app.clock.now_ms());
    app.db
        .read(move |tx| {
            Box::pin(async move {
                let Some(user) = db::web_session::find_user(tx, &hash, now_ms).await? else {
                    return Ok(None);
                };
                let Some(user) = db::user_account::find(tx, user).await? else { return Ok(None) };
                let memberships = db::user_account::memberships(tx, user.id).await?;
                let scopes = |role: &str| Role::of_stored(role).scopes();
                let organizations =
                    memberships.iter().map(|m| (m.organization_id, scopes(&m.role))).collect();
                Ok(Some(Viewer { user, organizations }))
            })
        })
        .await
}

/// Ends a session.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn log_out(app: &App, key: &SessionKey) -> Result<()> {
    let hash = key.hash();
    app.db.write(move |tx| Box::pin(async move { db::web_session::delete(tx, &hash).await })).await
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;
    use crate::accounts::{first_start, user};
    use crate::app::testing::TestApp;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn sessions_last_until_log_out() {
        let app = TestApp::new().await;
        let first = first_start::run(&app).await.unwrap().unwrap();
        let key = log_in(&app, HERE, " Admin@Localhost", &first.password).await.unwrap();
        let viewer = find(&app, &SessionKey::parse(&key.text()).unwrap()).await.unwrap().unwrap();
        assert_eq!(viewer.user.email, "admin@localhost");
        assert_eq!(viewer.organizations, [(1, Scopes::all())]);
        assert!(key.is_csrf_token(&app, &key.csrf_token(&app)));
        assert!(!key.is_csrf_token(&app, ""));
        log_out(&app, &key).await.unwrap();
        assert!(find(&app, &key).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn wrong_passwords_are_refused_and_then_throttled() {
        let app = TestApp::new().await;
        let first = first_start::run(&app).await.unwrap().unwrap();
        for (email, password) in
            [(&*first.email, "wrong"), ("nobody@localhost", "wrong"), (&*first.email, "")]
        {
            let refused = log_in(&app, HERE, email, password).await;
            assert!(matches!(refused, Err(Error::Unauthorized(_))), "{refused:?}");
        }
        loop {
            match log_in(&app, HERE, &first.email, "wrong").await {
                Err(Error::Unauthorized(_)) => {}
                Err(Error::TooManyRequests { .. }) => break,
                other => panic!("{other:?}"),
            }
        }
        let right = log_in(&app, HERE, &first.email, &first.password).await;
        assert!(matches!(right, Err(Error::TooManyRequests { .. })), "{right:?}");
    }

    #[tokio::test]
    async fn new_password_and_revocation_end_sessions() {
        let app = TestApp::new().await;
        let first = first_start::run(&app).await.unwrap().unwrap();
        let key = log_in(&app, HERE, &first.email, &first.password).await.unwrap();
        user::change_password(&app, &first.email, "a new password").await.unwrap();
        assert!(find(&app, &key).await.unwrap().is_none());
        let key = log_in(&app, HERE, &first.email, "a new password").await.unwrap();
        user::revoke(&app, &first.email).await.unwrap();
        assert!(find(&app, &key).await.unwrap().is_none());
        assert!(log_in(&app, HERE, &first.email, "a new password").await.is_err());
    }

    #[tokio::test]
    async fn first_start_happens_once() {
        let app = TestApp::new().await;
        assert!(first_start::run(&app).await.unwrap().is_some());
        assert!(first_start::run(&app).await.unwrap().is_none());
    }
}
