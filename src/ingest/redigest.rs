//! Digests a kept event again because a file that it missed has arrived: the same digest, from the original.
//!
//! If the fingerprint changes, the event moves to its new issue and every count follows in the same
//! transaction. The event keeps its id. Running it twice changes nothing.

use std::sync::Arc;

use protocol::id::{IssueId, ProjectId};

use super::digest::{self, Attempt, Concluder, Digested, Original};
use super::keep::{NewIssue, find_or_make};
use super::missing::Missing;
use super::{count_tags, stored, tags};
use crate::app::App;
use crate::blocking;
use crate::db::engine::Tx;
use crate::db::event::StoredEvent;
use crate::db::issue::IssueUpdate;
use crate::db::issue_count::{TagKey, UserKey};
use crate::db::{self, event, issue, issue_count, missing_file};
use crate::error::Result;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Digests a kept event again; the inner error is the event's own, its old result stays.
///
/// # Errors
/// When files or the database cannot be reached.
pub(crate) async fn redigest(app: &App, row: StoredEvent) -> Result<Attempt<()>> {
    let blobs = [row.result.as_slice()];
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
    let read = move || {
        let project = ProjectId(row.project_id);
        let read = digest::caught(|| {
            let json = unpacker.original_json(&row.original, &row.result)?;
            let result = unpacker.result_json(&row.original, &row.result)?;
            let event = stored::event(&json)?;
            let original = Original::new(project, &event, json)?;
            Ok((original, event, tags::counted(&stored::event(&result)?)))
        });
        Ok((row, read))
    };
    let (row, read) = blocking::run(read).await?;
    let (original, event, old_tags) = match read {
        Ok(read) => read,
        Err(error) => return Ok(Err(error)),
    };
    let looked = digest::symbolicate_all(app, vec![(original.project, event)]).await?;
    let concluder = Concluder::of(app, std::iter::once(&original)).await?;
    let conclude = move || {
        let mut looked = looked.into_iter();
        let looked = looked.next().unwrap_or_else(|| Err("symbolication lost it".to_owned()));
        Ok(looked.and_then(|looked| concluder.conclude(&original, looked)))
    };
    let digested = match blocking::run(conclude).await? {
        Ok(digested) => digested,
        Err(error) => return Ok(Err(error)),
    };
    digest::count_frames(app, std::iter::once(&digested));
    replace(app, row, digested, old_tags).await.map(Ok)
}

/// One event's change.
struct Change {
    row: StoredEvent,
    digested: Digested,
    old_tags: Vec<(String, String)>,
    new_issue_id: i64,
    now_ms: i64,
}

pub(super) async fn replace(
    app: &App,
    row: StoredEvent,
    digested: Digested,
    old_tags: Vec<(String, String)>,
) -> Result<()> {
    let (new_issue_id, now_ms) = (app.clock.new_id(), app.clock.now_ms());
    let change = Arc::new(Change { row, digested, old_tags, new_issue_id, now_ms });
    app.db
        .write_digest(move |tx| {
            let change = Arc::clone(&change);
            Box::pin(async move { replace_in(tx, &change).await })
        })
        .await
}

async fn replace_in(tx: &mut Tx<'_>, change: &Change) -> Result<()> {
    // Read again: retention may have removed the event.
    let Some(row) = event::lock(tx, change.row.id).await? else { return Ok(()) };
    if row.result != change.row.result {
        // Another replica, or a run whose lease ended, was faster; what we know of the event is old.
        return Ok(());
    }
    let old = issue::by_id(tx, IssueId(row.issue_id)).await?;
    let status = old.as_ref().map_or("unresolved", |issue| issue.status.as_str());
    let digested = &change.digested;
    let new = NewIssue {
        id: change.new_issue_id,
        project_id: row.project_id,
        hash: digested.hash,
        // What people decided about the issue goes along.
        status,
        summary: &digested.summary,
    };
    let (issue_id, _) = find_or_make(tx, &new).await?;
    let (original, result) = (&digested.original, &digested.result);
    db::redigest::keep_result(tx, row.id, IssueId(issue_id), original, result).await?;
    if issue_id == row.issue_id {
        // Title and culprit may have become readable.
        issue::add(tx, &IssueUpdate { id: issue_id, added: 0, ..digested.summary.clone() }).await?;
    } else {
        add(tx, issue_id, digested).await?;
        take(tx, &row, &change.old_tags).await?;
    }
    remember_missing(tx, &row, change).await
}

async fn add(tx: &mut Tx<'_>, issue_id: i64, digested: &Digested) -> Result<()> {
    if let Some(user_hash) = digested.user_hash.clone() {
        let new = issue_count::add_users(tx, &[(UserKey { issue_id, user_hash }, 1)]).await?;
        issue::add_users(tx, issue_id, new.len() as i64).await?;
    }
    let tag = |(key, value): &(String, String)| {
        let key = TagKey { issue_id, key: key.clone(), value: value.clone() };
        (key, (1, digested.occurred_at_ms))
    };
    count_tags::count(tx, &digested.tags.iter().map(tag).collect()).await?;
    issue_count::add_hours(tx, &[((issue_id, digested.occurred_at_ms / HOUR_MS), 1)]).await?;
    issue::add(tx, &IssueUpdate { id: issue_id, ..digested.summary.clone() }).await
}

/// Takes a moved event off everything its old issue counts; an emptied issue goes.
async fn take(tx: &mut Tx<'_>, row: &StoredEvent, old_tags: &[(String, String)]) -> Result<()> {
    let issue_id = row.issue_id;
    // A digest that is adding to the issue goes first, or finds it gone and makes a new one.
    issue::lock_hashes(tx, issue_id).await?;
    if let Some(user_hash) = row.user_hash.clone()
        && issue_count::take_user(tx, &UserKey { issue_id, user_hash }).await?
    {
        issue::add_users(tx, issue_id, -1).await?;
    }
    for (key, value) in old_tags {
        let key = TagKey { issue_id, key: key.clone(), value: value.clone() };
        issue_count::take_tag(tx, &key).await?;
    }
    issue_count::add_hours(tx, &[((issue_id, row.occurred_at_ms / HOUR_MS), -1)]).await?;
    let span = event::span(tx, IssueId(issue_id)).await?;
    let first_ms = span.first_ms.unwrap_or(row.occurred_at_ms);
    let last_ms = span.last_ms.unwrap_or(row.occurred_at_ms);
    let left = issue::take_one(tx, issue_id, first_ms, last_ms).await?;
    if left <= 0 {
        issue::delete_emptied(tx, issue_id).await?;
    }
    Ok(())
}

/// Writes down what the event still misses. A file that arrived since the look-up sends it round once more.
async fn remember_missing(tx: &mut Tx<'_>, row: &StoredEvent, change: &Change) -> Result<()> {
    missing_file::delete_of_event(tx, row.id).await?;
    let mut missing = Missing::default();
    if missing.of(tx, &change.digested, row.id).await? {
        db::redigest::queue(tx, row.id, change.now_ms).await?;
    }
    missing.keep(tx).await
}
