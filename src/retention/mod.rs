//! Deletes what is too old or too much: the oldest events first, in small steps, after everybody else's writes.
//!
//! - An issue goes with its last event. Counts of an issue that stays are history: they do not shrink.
//! - While another event can go, a budget leaves each issue its newest one, so that a noisy issue does not push out
//!   the only example of a rare one.
//! - An ignored issue keeps its newest event whatever happens: with the issue, somebody's decision would go.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::app::App;
use crate::clock::Clock;
use crate::db::engine::Tx;
use crate::db::retention::{Gone, Old, Oldest};
use crate::db::{
    blob_garbage, issue, issue_journal, issue_redirect, missing_file, missing_key,
    retention as rows,
};
use crate::error::Result;
use crate::garbage::{self, GRACE_MS};

/// Events of one transaction. Measured (SQLite): 4 ms in the middle, 64 at most; with 1,000 it is 28 and 116.
const SLICE_MAX: i64 = 100;

/// What a round deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Deleted {
    pub(crate) events: u64,
    pub(crate) issues: u64,
    pub(crate) attachments: u64,
    /// Of events and attachments.
    pub(crate) bytes: u64,
    pub(crate) blobs: u64,
}

/// Deletes what has to go by now.
///
/// # Errors
/// When the database or the blob store cannot be reached; what was deleted until then stays so.
pub(crate) async fn round(app: &App, now_ms: i64) -> Result<Deleted> {
    let mut sum = Deleted::default();
    by_age(app, now_ms, &mut sum).await?;
    by_count(app, now_ms, &mut sum).await?;
    by_bytes(app, now_ms, &mut sum).await?;
    sum.blobs = garbage::sweep(app, now_ms).await?;
    Ok(sum)
}

async fn by_age(app: &App, now_ms: i64, sum: &mut Deleted) -> Result<()> {
    let age_ms = i64::try_from(app.config.retention.age.as_millis()).unwrap_or(i64::MAX);
    if age_ms == 0 {
        return Ok(());
    }
    let before_id = Clock::first_id_at(now_ms.saturating_sub(age_ms).max(0));
    let which = Oldest { before_id, ..any(None) };
    delete_while(app, now_ms, which, sum, |_| SLICE_MAX).await?;
    loop {
        let gone = app
            .db
            .write_digest(move |tx| Box::pin(delete_orphans(tx, before_id, now_ms + GRACE_MS)))
            .await?;
        sum.add(&gone);
        if gone.len() < SLICE_MAX as usize || app.shutdown.is_cancelled() {
            return Ok(());
        }
    }
}

async fn by_count(app: &App, now_ms: i64, sum: &mut Deleted) -> Result<()> {
    let Some(events_max) = app.config.retention.events_max.map(i64::from) else { return Ok(()) };
    let crowded =
        app.db.read(move |tx| Box::pin(async move { rows::crowded(tx, events_max).await })).await?;
    for (project_id, count) in crowded {
        let before = sum.events;
        let left = |sum: &Deleted| count - events_max - (sum.events - before).cast_signed();
        for spares_newest in [true, false] {
            let which = Oldest { spares_newest, ..any(Some(project_id)) };
            delete_while(app, now_ms, which, sum, left).await?;
        }
    }
    Ok(())
}

async fn by_bytes(app: &App, now_ms: i64, sum: &mut Deleted) -> Result<()> {
    let Some(bytes_max) = app.config.retention.bytes_max else { return Ok(()) };
    let bytes = app.db.read(|tx| Box::pin(rows::bytes(tx))).await?;
    let excess = u64::try_from(bytes).unwrap_or(0).saturating_sub(bytes_max.0);
    let before = sum.bytes;
    let left = |sum: &Deleted| if sum.bytes - before < excess { SLICE_MAX } else { 0 };
    for spares_newest in [true, false] {
        let which = Oldest { spares_newest, ..any(None) };
        delete_while(app, now_ms, which, sum, left).await?;
    }
    Ok(())
}

/// All events, or those of a project.
fn any(project_id: Option<i64>) -> Oldest {
    let (after_id, before_id) = (0, i64::MAX);
    Oldest { project_id, after_id, before_id, spares_newest: false, limit: SLICE_MAX }
}

/// Deletes slice after slice, oldest first, for as long as `left` says that so many more have to go.
async fn delete_while(
    app: &App,
    now_ms: i64,
    mut which: Oldest,
    sum: &mut Deleted,
    left: impl Fn(&Deleted) -> i64,
) -> Result<()> {
    while left(sum) > 0 && !app.shutdown.is_cancelled() {
        which.limit = left(sum).min(SLICE_MAX);
        let slice = app
            .db
            .write_digest(move |tx| Box::pin(delete_slice(tx, which, now_ms + GRACE_MS)))
            .await?;
        let Some(last_id) = slice.last_id else { return Ok(()) };
        which.after_id = last_id;
        sum.events += slice.events;
        sum.issues += slice.issues;
        sum.bytes += slice.bytes;
        sum.add(&slice.gone);
    }
    Ok(())
}

impl Deleted {
    fn add(&mut self, gone: &[Gone]) {
        self.attachments += gone.len() as u64;
        self.bytes += gone.iter().map(|gone| gone.size.unsigned_abs()).sum::<u64>();
    }
}

/// What one transaction deleted.
#[derive(Debug, Default)]
struct Slice {
    last_id: Option<i64>,
    events: u64,
    issues: u64,
    bytes: u64,
    gone: Vec<Gone>,
}

async fn delete_slice(tx: &mut Tx<'_>, which: Oldest, garbage_ms: i64) -> Result<Slice> {
    let old = rows::oldest(tx, which).await?;
    let mut slice = Slice { last_id: old.last().map(|event| event.id), ..Slice::default() };
    let mut issues = BTreeSet::new();
    let mut waiting: BTreeMap<(i64, String), i64> = BTreeMap::new();
    for Old { id, project_id, event_id, issue_id, size } in old {
        for key in missing_file::delete_of_event(tx, id).await? {
            *waiting.entry((project_id, key)).or_default() -= 1;
        }
        // Another replica may have been faster.
        if rows::delete_event(tx, id).await? {
            slice.events += 1;
            slice.bytes += size.unsigned_abs();
            slice.gone.extend(rows::delete_attachments(tx, project_id, &event_id).await?);
            issues.insert(issue_id);
        }
    }
    missing_key::add(tx, &waiting).await?;
    note_blobs(tx, &slice.gone, garbage_ms).await?;
    for issue_id in issues {
        if !rows::has_events(tx, issue_id).await? {
            // A digest that is adding to the issue goes first, or finds it gone and makes a new one.
            issue::lock_hashes(tx, issue_id).await?;
            if !rows::has_events(tx, issue_id).await? {
                issue_journal::delete(tx, issue_id).await?;
                issue_redirect::delete_to(tx, issue_id).await?;
                issue::delete_emptied(tx, issue_id).await?;
                slice.issues += 1;
            }
        }
    }
    Ok(slice)
}

async fn delete_orphans(tx: &mut Tx<'_>, before_id: i64, garbage_ms: i64) -> Result<Vec<Gone>> {
    let gone = rows::delete_orphans(tx, before_id, SLICE_MAX).await?;
    note_blobs(tx, &gone, garbage_ms).await?;
    Ok(gone)
}

async fn note_blobs(tx: &mut Tx<'_>, gone: &[Gone], garbage_ms: i64) -> Result<()> {
    // In order, so that two replicas never wait for each other in a circle.
    let blobs: BTreeSet<Vec<u8>> = gone.iter().filter_map(|gone| gone.blob.clone()).collect();
    blob_garbage::note(tx, &blobs.into_iter().collect::<Vec<_>>(), garbage_ms).await
}
