//! Keeps what a second digest made of events: results, moves between issues, and every count of both sides.
//!
//! Which status counts after a move: that of the issue the event moves to. Two exceptions. An issue that is
//! made for moved events takes over the status of the one they come from. And an issue that was resolved
//! before the event was received is reopened, as the event would have done had it gone there at once, unless
//! somebody decided about the event where it was: resolved or ignored its old issue.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::IssueId;

use super::count_releases::{FrameChanges, Frames};
use super::digest::Digested;
use super::keep::{NewIssue, find_or_make};
use super::missing::Missing;
use super::redigest::Reason;
use super::{count_tags, heir, stored, summary};
use crate::app::App;
use crate::db::engine::Tx;
use crate::db::event::{StoredEvent, Which};
use crate::db::issue::{IssueUpdate, StoredIssue};
use crate::db::issue_count::{TagKey, UserKey};
use crate::db::redigest::NewResult;
use crate::db::redigest_run::{self, Step};
use crate::db::{self, event, file_key, issue, issue_count, missing_file};
use crate::error::Result;
use crate::issues::journal::{self, COMMAND, Cause, Other};

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;
/// What the journal says where the file that arrived is not known by name.
const FILES: &str = "a file that arrived";

/// What a second digest made of one event.
pub(crate) struct Change {
    /// The event as it was read.
    pub(super) row: StoredEvent,
    /// What became of it.
    pub(super) digested: Digested,
    /// What its issue counted of it.
    pub(super) old_tags: Vec<(String, String)>,
    /// What its release counted of it.
    pub(super) old_frames: Frames,
    /// Whether result or original are other ones now.
    pub(super) is_changed: bool,
}

/// Changes that are kept together.
pub(super) struct Batch {
    pub(super) changes: Vec<Change>,
    /// An id per change, for the issue it may need.
    pub(super) new_issue_ids: Vec<i64>,
    pub(super) reason: Reason,
    /// Events that could not be digested, for the count of a run.
    pub(super) failed: i64,
    pub(super) app: App,
}

/// How many events are kept in another way now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Moved {
    pub(super) changed: u64,
    pub(super) moved: u64,
}

/// What an issue lost in this transaction.
struct Loss {
    issue: StoredIssue,
    /// When the oldest and the newest of the lost events occurred.
    first_ms: i64,
    last_ms: i64,
    /// Which issues took how many, for which cause.
    to: BTreeMap<(i64, Cause), i64>,
    /// The issue that took the last one.
    last: i64,
}

/// One transaction.
struct Keeping<'a> {
    batch: &'a Batch,
    now_ms: i64,
    losses: BTreeMap<i64, Loss>,
    /// Names of causes that were looked up.
    causes: BTreeMap<i64, Cause>,
    frames: FrameChanges,
    kept: Moved,
}

/// Keeps a batch; `None` where it is a step of a run that another process did.
pub(super) async fn keep(tx: &mut Tx<'_>, batch: &Batch) -> Result<Option<Moved>> {
    let (losses, causes) = (BTreeMap::new(), BTreeMap::new());
    let now_ms = batch.app.clock.now_ms();
    let mut keeping = Keeping {
        batch,
        now_ms,
        losses,
        causes,
        frames: FrameChanges::default(),
        kept: Moved::default(),
    };
    // In the order of rows, so that two transactions with the same events wait for each other in one way.
    let mut changes: Vec<_> = batch.changes.iter().zip(&batch.new_issue_ids).collect();
    changes.sort_by_key(|(change, _)| change.row.id);
    for (change, new_issue_id) in changes {
        keeping.one(tx, change, *new_issue_id).await?;
    }
    keeping.settle(tx).await?;
    std::mem::take(&mut keeping.frames).keep(tx).await?;
    let Moved { changed, moved } = keeping.kept;
    if let Reason::Run(run, step) = batch.reason {
        let step = Step {
            done: batch.changes.len() as i64 + batch.failed,
            changed: changed as i64,
            moved: moved as i64,
            failed: batch.failed,
            ..step
        };
        if !redigest_run::advance(tx, run, &step).await? {
            return Ok(None);
        }
    }
    Ok(Some(keeping.kept))
}

impl Keeping<'_> {
    async fn one(&mut self, tx: &mut Tx<'_>, change: &Change, new_issue_id: i64) -> Result<()> {
        // Read again: retention may have removed the event.
        let Some(row) = event::lock(tx, change.row.id).await? else { return Ok(()) };
        if row.result != change.row.result || row.issue_id != change.row.issue_id {
            // Another process, or a run whose lease ended, was faster; what we know of the event is old.
            return Ok(());
        }
        let Some(old) = self.issue_of(tx, row.issue_id).await? else { return Ok(()) };
        let digested = &change.digested;
        let new = NewIssue {
            id: new_issue_id,
            project_id: row.project_id,
            hash: digested.hash,
            status: &old.status,
            summary: &digested.summary,
        };
        let (issue_id, is_made) = find_or_make(tx, &new).await?;
        if self.is_kept_already(tx, change, issue_id).await? {
            return Ok(());
        }
        self.kept.changed += u64::from(change.is_changed || issue_id != row.issue_id);
        if issue_id != row.issue_id {
            self.kept.moved += 1;
            if is_made {
                issue::inherit_decision(tx, issue_id, old.id).await?;
            } else if old.status == "unresolved"
                && issue::reopen_for(tx, issue_id, row.received_at_ms, self.now_ms).await?
            {
                journal::regressed(tx, &self.batch.app.clock, issue_id, self.now_ms).await?;
            }
            let cause = self.cause(tx, row.id).await?;
            self.lose(&old, &row, issue_id, cause);
        }
        let result = NewResult {
            original: &digested.original,
            result: &digested.result,
            occurred_at_ms: digested.occurred_at_ms,
            user_hash: digested.user_hash.as_deref(),
        };
        db::redigest::keep_result(tx, row.id, issue_id, &result).await?;
        self.frames.note(digested, &change.old_frames);
        recount(tx, &row, change, issue_id).await?;
        remember_missing(tx, &row, digested, self.now_ms).await
    }

    /// Says whether there is nothing to write: most events of a run are as they were.
    async fn is_kept_already(
        &self,
        tx: &mut Tx<'_>,
        change: &Change,
        issue_id: i64,
    ) -> Result<bool> {
        let Change { row, digested, old_tags, is_changed, .. } = change;
        let is_same = issue_id == row.issue_id
            && !is_changed
            && digested.user_hash == row.user_hash
            && digested.occurred_at_ms == row.occurred_at_ms
            && digested.tags == *old_tags;
        if !is_same || self.batch.reason == Reason::Files {
            return Ok(false);
        }
        let missed = missing_file::of_event(tx, row.id).await?;
        // The order of a database is not ours.
        let missed: BTreeSet<&String> = missed.iter().collect();
        Ok(missed.into_iter().eq(digested.missing.keys()))
    }

    /// Returns an issue as it was before this transaction.
    async fn issue_of(&mut self, tx: &mut Tx<'_>, id: i64) -> Result<Option<StoredIssue>> {
        if let Some(loss) = self.losses.get(&id) {
            return Ok(Some(loss.issue.clone()));
        }
        issue::by_id(tx, IssueId(id)).await
    }

    fn lose(&mut self, old: &StoredIssue, row: &StoredEvent, to: i64, cause: Cause) {
        let at_ms = row.occurred_at_ms;
        let loss = self.losses.entry(old.id).or_insert_with(|| Loss {
            issue: old.clone(),
            first_ms: at_ms,
            last_ms: at_ms,
            to: BTreeMap::new(),
            last: to,
        });
        loss.first_ms = loss.first_ms.min(at_ms);
        loss.last_ms = loss.last_ms.max(at_ms);
        loss.last = to;
        *loss.to.entry((to, cause)).or_default() += 1;
    }

    /// Says why an event moves; asked before what it missed is forgotten.
    async fn cause(&mut self, tx: &mut Tx<'_>, row: i64) -> Result<Cause> {
        if let Reason::Run(run, _) = self.batch.reason {
            return Ok(Cause { id: run, text: COMMAND.to_owned() });
        }
        let file = missing_file::youngest_answer(tx, row).await?;
        if let Some(cause) = self.causes.get(&file) {
            return Ok(cause.clone());
        }
        let text = file_key::name_of(tx, file).await?.unwrap_or_else(|| FILES.to_owned());
        let cause = Cause { id: file, text };
        self.causes.insert(file, cause.clone());
        Ok(cause)
    }

    /// Writes the moves down, and brings the issues that lost events in order.
    async fn settle(&mut self, tx: &mut Tx<'_>) -> Result<()> {
        let clock = &self.batch.app.clock;
        for (id, loss) in &self.losses {
            let from = Other { id: *id, number: loss.issue.number };
            for ((to, cause), n) in &loss.to {
                let number = issue::by_id(tx, IssueId(*to)).await?.map_or(0, |issue| issue.number);
                let to = Other { id: *to, number };
                journal::moved(tx, clock, (from, to), *n, cause).await?;
            }
        }
        for (id, loss) in &self.losses {
            // A digest that is adding to the issue goes first, or finds it gone and makes a new one.
            issue::lock_hashes(tx, *id).await?;
            let Some(now) = issue::by_id(tx, IssueId(*id)).await? else { continue };
            let newest = event::id_of_issue(tx, IssueId(*id), Which::Latest).await?;
            if newest.is_none() {
                heir::inherit(tx, clock, &now, loss.last).await?;
            } else {
                straighten(tx, &self.batch.app, &now, loss).await?;
            }
        }
        Ok(())
    }
}

/// Counts an event where it is now, and no longer where it was.
async fn recount(tx: &mut Tx<'_>, row: &StoredEvent, change: &Change, issue_id: i64) -> Result<()> {
    let digested = &change.digested;
    let is_counted_alike = issue_id == row.issue_id
        && digested.user_hash == row.user_hash
        && digested.occurred_at_ms == row.occurred_at_ms
        && digested.tags == change.old_tags;
    if is_counted_alike {
        // Title and culprit may have become readable.
        let update = IssueUpdate { id: issue_id, added: 0, ..digested.summary.clone() };
        return issue::add(tx, &update).await;
    }
    add(tx, issue_id, digested).await?;
    take(tx, row, &change.old_tags).await
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

/// Takes a moved event off everything its old issue counts.
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
    issue::take_one(tx, issue_id).await
}

/// Sets what the first and the newest event say about an issue that lost one of them. What events said that
/// expired stays.
async fn straighten(tx: &mut Tx<'_>, app: &App, now: &StoredIssue, loss: &Loss) -> Result<()> {
    if loss.first_ms <= now.first_seen_ms
        && let Some(first) = db::redigest::first_of(tx, now.id).await?
        && let Some(row) = event::by_row(tx, first).await?
    {
        let first = said_by(tx, app, &row).await?;
        let release = first.as_ref().and_then(|update| update.release.as_deref());
        issue::set_first(tx, now.id, row.occurred_at_ms, release).await?;
    }
    if loss.last_ms >= now.last_seen_ms
        && let Some(newest) = db::redigest::newest_of(tx, now.id).await?
        && let Some(row) = event::by_row(tx, newest).await?
    {
        match said_by(tx, app, &row).await? {
            Some(update) => {
                let last_seen_ms = row.occurred_at_ms;
                issue::set_last(tx, &IssueUpdate { id: now.id, last_seen_ms, ..update }).await?;
            }
            None => issue::set_last_seen(tx, now.id, row.occurred_at_ms).await?,
        }
    }
    Ok(())
}

/// Returns what an event says about its issue; `None` if it cannot be read.
async fn said_by(tx: &mut Tx<'_>, app: &App, row: &StoredEvent) -> Result<Option<IssueUpdate>> {
    let unpacker = app.dictionaries.unpacker_in(tx, &row.result).await?;
    let json = unpacker.result_json(&row.original, &row.result);
    let event = json.and_then(|json| stored::event(&json));
    Ok(event.ok().map(|event| summary::summarize(&event)))
}

/// Writes down what the event still misses. A file that arrived since the look-up sends it round once more.
async fn remember_missing(
    tx: &mut Tx<'_>,
    row: &StoredEvent,
    digested: &Digested,
    now_ms: i64,
) -> Result<()> {
    let mut missing = Missing::default();
    missing.forget(tx, row.project_id, row.id).await?;
    if missing.of(tx, digested, row.id).await? {
        db::redigest::queue(tx, row.id, now_ms).await?;
    }
    missing.keep(tx).await
}
