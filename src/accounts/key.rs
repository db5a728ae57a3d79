//! Keys of projects: make, list, revoke, and what a key admits to.

use super::{project, unknown};
use crate::app::App;
use crate::clock::Clock;
use crate::db;
use crate::db::engine::Tx;
use crate::db::project_key::{Admission, ProjectKey};
use crate::error::{Error, Result};

/// Events per window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateLimit {
    /// How many events.
    pub(crate) events: u32,
    /// In how many seconds.
    pub(crate) window_s: u32,
}

/// Makes a key for a project.
///
/// # Errors
/// `Invalid` if there is no such project or the limit's window is zero.
pub(crate) async fn create(
    app: &App,
    organization: &str,
    project: &str,
    label: &str,
    limit: Option<RateLimit>,
) -> Result<ProjectKey> {
    if limit.is_some_and(|limit| limit.window_s == 0) {
        return Err(Error::Invalid(
            "the window of a rate limit is 0 seconds, expected at least 1".to_owned(),
        ));
    }
    let clock = app.clock.clone();
    let (organization, project, label) =
        (organization.to_owned(), project.to_owned(), label.to_owned());
    app.db
        .write(move |tx| {
            let (clock, organization, project, label) =
                (clock.clone(), organization.clone(), project.clone(), label.clone());
            Box::pin(async move {
                let project = project::named(tx, &organization, &project).await?;
                insert(tx, &clock, project.id, &label, limit).await
            })
        })
        .await
}

pub(super) async fn insert(
    tx: &mut Tx<'_>,
    clock: &Clock,
    project_id: i64,
    label: &str,
    limit: Option<RateLimit>,
) -> Result<ProjectKey> {
    let key = ProjectKey {
        id: clock.new_id(),
        project_id,
        public_key: hex::encode(rand::random::<[u8; 16]>()),
        label: label.to_owned(),
        rate_limit_events: limit.map(|limit| limit.events),
        rate_limit_window_s: limit.map(|limit| limit.window_s),
        created_at_ms: clock.now_ms(),
        revoked_at_ms: None,
    };
    db::project_key::insert(tx, &key).await?;
    Ok(key)
}

/// Returns the keys of a project, also revoked ones.
///
/// # Errors
/// `Invalid` if there is no such project.
pub(crate) async fn list(app: &App, organization: &str, project: &str) -> Result<Vec<ProjectKey>> {
    let (organization, project) = (organization.to_owned(), project.to_owned());
    app.db
        .read(move |tx| {
            let (organization, project) = (organization.clone(), project.clone());
            Box::pin(async move {
                let project = project::named(tx, &organization, &project).await?;
                db::project_key::all_of(tx, project.id).await
            })
        })
        .await
}

/// Revokes a key: what is sent with it is refused.
///
/// # Errors
/// `Invalid` if the project has no such key.
pub(crate) async fn revoke(
    app: &App,
    organization: &str,
    project: &str,
    public_key: &str,
) -> Result<()> {
    let now_ms = app.clock.now_ms();
    let (organization, project, public_key) =
        (organization.to_owned(), project.to_owned(), public_key.to_owned());
    app.db
        .write(move |tx| {
            let (organization, project, public_key) =
                (organization.clone(), project.clone(), public_key.clone());
            Box::pin(async move {
                let project = project::named(tx, &organization, &project).await?;
                if db::project_key::revoke(tx, project.id, &public_key, now_ms).await? {
                    Ok(())
                } else {
                    Err(unknown("key", &public_key))
                }
            })
        })
        .await?;
    app.forget_access();
    Ok(())
}

/// Returns what a public key admits to, from memory if it was asked for a moment ago.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn admit(app: &App, public_key: &str) -> Result<Option<Admission>> {
    let key = public_key.to_owned();
    if let Some(admission) = app.keys.find(&app.clock, &key) {
        return Ok(admission);
    }
    let asked_at_ms = app.clock.now_ms();
    let asked = key.clone();
    let admission = app
        .db
        .read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move { db::project_key::admit(tx, &asked).await })
        })
        .await?;
    app.keys.keep(asked_at_ms, key, admission.clone());
    Ok(admission)
}
