//! Digests a kept event again because a file that it missed has arrived: the same digest, from the original.
//!
//! If the fingerprint changes, the event moves to its new issue and every count follows in the same
//! transaction. The event keeps its id. Running it twice changes nothing.

use std::sync::Arc;

use protocol::event::Event;
use protocol::id::{IssueId, ProjectId};

use super::digest::{self, Digested};
use super::keep::{NewIssue, find_or_make};
use super::{stored, tags};
use crate::app::App;
use crate::blocking;
use crate::db::engine::Tx;
use crate::db::event::StoredEvent;
use crate::db::issue::IssueUpdate;
use crate::db::issue_count::{TagKey, UserKey};
use crate::db::missing_file::MissingFile;
use crate::db::{event, issue, issue_count, missing_file};
use crate::error::{Error, Result};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Digests kept events again.
///
/// # Errors
/// When files or the database cannot be reached, or an event cannot be digested: its old result stays.
pub(crate) async fn redigest(app: &App, rows: Vec<StoredEvent>) -> Result<()> {
    let read = |row: &StoredEvent| -> Result<(Event, Event)> {
        let json = stored::original_json(&row.original)?;
        let result = stored::event(&stored::result_json(&row.original, &row.result)?)?;
        Ok((stored::event(&json)?, result))
    };
    let (rows, events) = blocking::run(move || {
        let events: Result<Vec<_>> = rows.iter().map(read).collect();
        Ok((rows, events))
    })
    .await?;
    let (originals, old_results): (Vec<Event>, Vec<Event>) = events?.into_iter().unzip();
    let projects = rows.iter().map(|row| ProjectId(row.project_id));
    let outcomes =
        digest::symbolicate_all(app, projects.zip(originals.iter().cloned()).collect()).await?;
    let secret = app.secrets.user_hash;
    let concluded = blocking::run(move || {
        let joined = rows.into_iter().zip(originals).zip(outcomes).zip(old_results);
        let conclude =
            |(((row, original), outcome), old_result): (((StoredEvent, Event), _), Event)| {
                let outcome = Result::<_, String>::map_err(outcome, Error::internal)?;
                let project = ProjectId(row.project_id);
                let digested = digest::conclude(project, &original, &outcome, &secret)?;
                Ok((row, digested, tags::counted(&old_result)))
            };
        joined.map(conclude).collect::<Result<Vec<_>>>()
    })
    .await?;
    digest::count_frames(app, concluded.iter().map(|(_, digested, _)| digested));
    for (row, digested, old_tags) in concluded {
        replace(app, row, digested, old_tags).await?;
    }
    Ok(())
}

/// One event's change.
struct Change {
    row: StoredEvent,
    digested: Digested,
    old_tags: Vec<(String, String)>,
    new_issue_id: i64,
}

async fn replace(
    app: &App,
    row: StoredEvent,
    digested: Digested,
    old_tags: Vec<(String, String)>,
) -> Result<()> {
    let change = Arc::new(Change { row, digested, old_tags, new_issue_id: app.clock.new_id() });
    app.db
        .write_digest(move |tx| {
            let change = Arc::clone(&change);
            Box::pin(async move { replace_in(tx, &change).await })
        })
        .await
}

async fn replace_in(tx: &mut Tx<'_>, change: &Change) -> Result<()> {
    // Read again: retention may have removed the event, or another run moved it.
    let Some(row) = event::by_row(tx, change.row.id).await? else { return Ok(()) };
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
    event::update_result(tx, row.id, IssueId(issue_id), &digested.result).await?;
    if issue_id == row.issue_id {
        // Title and culprit may have become readable.
        issue::add(tx, &IssueUpdate { id: issue_id, added: 0, ..digested.summary.clone() }).await?;
    } else {
        add(tx, issue_id, digested).await?;
        take(tx, &row, &change.old_tags).await?;
    }
    remember_missing(tx, &row, digested).await
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
    issue_count::add_tags(tx, &digested.tags.iter().map(tag).collect::<Vec<_>>()).await?;
    issue_count::add_hours(tx, &[((issue_id, digested.occurred_at_ms / HOUR_MS), 1)]).await?;
    issue::add(tx, &IssueUpdate { id: issue_id, ..digested.summary.clone() }).await
}

/// Takes a moved event off everything its old issue counts; an emptied issue goes.
async fn take(tx: &mut Tx<'_>, row: &StoredEvent, old_tags: &[(String, String)]) -> Result<()> {
    let issue_id = row.issue_id;
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

/// Writes down what the event still misses. What is stored and did not help is not missing.
async fn remember_missing(tx: &mut Tx<'_>, row: &StoredEvent, digested: &Digested) -> Result<()> {
    missing_file::delete_of_event(tx, row.id).await?;
    let mut missing = Vec::new();
    for key in &digested.missing {
        if !missing_file::is_stored(tx, row.project_id, key).await? {
            missing.push(MissingFile {
                project_id: row.project_id,
                key: key.clone(),
                received_at_ms: row.received_at_ms,
                event_row_id: row.id,
            });
        }
    }
    missing_file::insert(tx, &missing).await
}
