//! Keeps digested events: one transaction for issues, events, counters and what was missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::digest::Digested;
use super::missing::Missing;
use super::{count_releases, count_tags};
use crate::app::App;
use crate::clock::Clock;
use crate::db::engine::{Dialect, Tx};
use crate::db::event::{EventKey, StoredEvent};
use crate::db::issue::IssueUpdate;
use crate::db::issue_count::{TagKey, UserKey};
use crate::db::{self, accepted, event, issue, issue_count, redigest};
use crate::error::Result;
use crate::grouping;
use crate::issues::journal;

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// Most events in one transaction. Measured: more gain nothing.
const SLICE_MAX: usize = 256;
/// The same while clients wait for their answers.
const SLICE_WHILE_ACCEPTING: usize = 64;

/// What was kept.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept {
    /// Events that are new.
    pub(crate) kept: u64,
    /// Events that were there already.
    pub(crate) duplicates: u64,
}

/// An event on its way into the database, with the ids it gets if it is new.
struct Candidate {
    accepted_id: i64,
    row_id: i64,
    new_issue_id: i64,
    digested: Digested,
}

/// Keeps events and removes their accepted rows, some at a time. Rows with the same event id count once.
///
/// # Errors
/// When the database cannot be written; then those that were not kept before are left as they are.
pub(crate) async fn keep(app: &App, mut digested: Vec<(i64, Digested)>) -> Result<Kept> {
    let mut sum = Kept::default();
    while !digested.is_empty() {
        let rest = digested.split_off(slice(app).min(digested.len()));
        let kept = keep_slice(app, std::mem::replace(&mut digested, rest)).await?;
        app.metrics.events_digested.inc_by(kept.kept + kept.duplicates);
        sum.kept += kept.kept;
        sum.duplicates += kept.duplicates;
    }
    Ok(sum)
}

/// How many events one transaction keeps: on SQLite those who wait for an answer wait for it, too.
fn slice(app: &App) -> usize {
    let is_awaited = app.db.dialect() == Dialect::Lite && app.intake.is_accepting();
    if is_awaited { SLICE_WHILE_ACCEPTING } else { SLICE_MAX }
}

async fn keep_slice(app: &App, digested: Vec<(i64, Digested)>) -> Result<Kept> {
    let candidate = |(accepted_id, digested)| Candidate {
        accepted_id,
        row_id: app.clock.new_id(),
        new_issue_id: app.clock.new_id(),
        digested,
    };
    let candidates: Arc<Vec<Candidate>> = Arc::new(digested.into_iter().map(candidate).collect());
    let (clock, now_ms) = (app.clock.clone(), app.clock.now_ms());
    app.db
        .write_digest(move |tx| {
            let (candidates, clock) = (Arc::clone(&candidates), clock.clone());
            Box::pin(async move { keep_in(tx, &clock, &candidates, now_ms).await })
        })
        .await
}

async fn keep_in(
    tx: &mut Tx<'_>,
    clock: &Clock,
    candidates: &[Candidate],
    now_ms: i64,
) -> Result<Kept> {
    let fresh = fresh(tx, candidates).await?;
    let mut issues = Issues::default();
    let mut rows = Vec::with_capacity(fresh.len());
    for candidate in &fresh {
        let issue_id = issues.of(tx, candidate).await?;
        rows.push(stored(candidate, issue_id));
    }
    let inserted = event::insert(tx, &rows.iter().collect::<Vec<_>>()).await?;
    let inserted: BTreeSet<EventKey> = inserted.into_iter().collect();
    let key =
        |row: &StoredEvent| EventKey { project_id: row.project_id, event_id: row.event_id.clone() };
    let counted: Vec<(&Candidate, i64)> = fresh
        .iter()
        .zip(&rows)
        .filter(|(_, row)| inserted.contains(&key(row)))
        .map(|(candidate, row)| (*candidate, row.issue_id))
        .collect();
    count(tx, clock, &counted, now_ms).await?;
    remember_missing(tx, &counted, now_ms).await?;
    issues.drop_unused(tx, &counted).await?;
    let ids: Vec<i64> = candidates.iter().map(|candidate| candidate.accepted_id).collect();
    accepted::delete(tx, &ids).await?;
    let kept = counted.len() as u64;
    Ok(Kept { kept, duplicates: candidates.len() as u64 - kept })
}

/// Leaves out what is kept already and what the batch has twice.
async fn fresh<'a>(tx: &mut Tx<'_>, candidates: &'a [Candidate]) -> Result<Vec<&'a Candidate>> {
    let key =
        |candidate: &'a Candidate| (candidate.digested.project_id, &candidate.digested.event_id);
    let kept = event::kept(tx, &candidates.iter().map(key).collect::<Vec<_>>()).await?;
    let mut seen: BTreeSet<(i64, &Vec<u8>)> =
        kept.iter().map(|kept| (kept.project_id, &kept.event_id)).collect();
    Ok(candidates.iter().filter(|candidate| seen.insert(key(candidate))).collect())
}

fn stored(candidate: &Candidate, issue_id: i64) -> StoredEvent {
    let digested = &candidate.digested;
    StoredEvent {
        id: candidate.row_id,
        project_id: digested.project_id,
        event_id: digested.event_id.clone(),
        issue_id,
        received_at_ms: digested.received_at_ms,
        occurred_at_ms: digested.occurred_at_ms,
        original: digested.original.clone(),
        result: digested.result.clone(),
        redigest_attempts: 0,
        user_hash: digested.user_hash.clone(),
    }
}

/// The issues of one batch by project and hash, and which of them the batch made.
#[derive(Default)]
struct Issues {
    known: BTreeMap<(i64, [u8; 16]), i64>,
    made: BTreeSet<i64>,
}

impl Issues {
    async fn of(&mut self, tx: &mut Tx<'_>, candidate: &Candidate) -> Result<i64> {
        let digested = &candidate.digested;
        let key = (digested.project_id, digested.hash.0);
        if let Some(issue_id) = self.known.get(&key) {
            return Ok(*issue_id);
        }
        let new = NewIssue {
            id: candidate.new_issue_id,
            project_id: digested.project_id,
            hash: digested.hash,
            status: "unresolved",
            summary: &digested.summary,
        };
        let (issue_id, is_made) = find_or_make(tx, &new).await?;
        if is_made {
            self.made.insert(issue_id);
        }
        self.known.insert(key, issue_id);
        Ok(issue_id)
    }

    /// An issue that was made for an event which somebody else inserted meanwhile has no event.
    async fn drop_unused(&self, tx: &mut Tx<'_>, counted: &[(&Candidate, i64)]) -> Result<()> {
        let used: BTreeSet<i64> = counted.iter().map(|(_, issue_id)| *issue_id).collect();
        for unused in self.made.difference(&used) {
            issue::delete_emptied(tx, *unused).await?;
        }
        Ok(())
    }
}

/// An issue to be made if its hash is not known.
pub(super) struct NewIssue<'a> {
    pub(super) id: i64,
    pub(super) project_id: i64,
    pub(super) hash: grouping::GroupHash,
    pub(super) status: &'a str,
    pub(super) summary: &'a IssueUpdate,
}

/// Returns the issue of a hash, and whether it was made just now.
pub(super) async fn find_or_make(tx: &mut Tx<'_>, new: &NewIssue<'_>) -> Result<(i64, bool)> {
    let hash = new.hash.0;
    if let Some(issue_id) = issue::by_hash(tx, new.project_id, &hash).await? {
        return Ok((issue_id, false));
    }
    if !issue::claim_hash(tx, new.project_id, &hash, grouping::VERSION, new.id).await? {
        // Another replica claimed it between the two statements, and its transaction is committed.
        let issue_id = issue::by_hash(tx, new.project_id, &hash).await?;
        return issue_id
            .map(|issue_id| (issue_id, false))
            .ok_or_else(|| crate::error::Error::internal("a claimed group hash is gone"));
    }
    let number = db::sequence::next(tx, &format!("issue:{}", new.project_id)).await?;
    let summary = IssueUpdate { id: new.id, ..new.summary.clone() };
    issue::insert(tx, new.project_id, number, new.status, &summary).await?;
    Ok((new.id, true))
}

/// Adds new events to everything that counts them, in key order.
async fn count(
    tx: &mut Tx<'_>,
    clock: &Clock,
    events: &[(&Candidate, i64)],
    now_ms: i64,
) -> Result<()> {
    let mut issues: BTreeMap<i64, IssueUpdate> = BTreeMap::new();
    let mut users: BTreeMap<UserKey, i64> = BTreeMap::new();
    let mut tags: BTreeMap<TagKey, (i64, i64)> = BTreeMap::new();
    let mut hours: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (candidate, issue_id) in events {
        let digested = &candidate.digested;
        let update = IssueUpdate { id: *issue_id, ..digested.summary.clone() };
        issues.entry(*issue_id).and_modify(|sum| merge(sum, &update)).or_insert(update);
        if let Some(user_hash) = digested.user_hash.clone() {
            *users.entry(UserKey { issue_id: *issue_id, user_hash }).or_default() += 1;
        }
        for (key, value) in &digested.tags {
            let key = TagKey { issue_id: *issue_id, key: key.clone(), value: value.clone() };
            let entry = tags.entry(key).or_insert((0, digested.occurred_at_ms));
            *entry = (entry.0 + 1, entry.1.max(digested.occurred_at_ms));
        }
        *hours.entry((*issue_id, digested.occurred_at_ms / HOUR_MS)).or_default() += 1;
    }
    let users: Vec<_> = users.into_iter().collect();
    let mut new_users: BTreeMap<i64, i64> = BTreeMap::new();
    for user in issue_count::add_users(tx, &users).await? {
        *new_users.entry(user.issue_id).or_default() += 1;
    }
    count_tags::count(tx, &tags).await?;
    issue_count::add_hours(tx, &hours.into_iter().collect::<Vec<_>>()).await?;
    count_releases::count(tx, events.iter().map(|(candidate, _)| &candidate.digested)).await?;
    // Hot issue rows last, so that they are locked as briefly as possible.
    for (issue_id, update) in &issues {
        issue::add(tx, update).await?;
        if issue::reopen(tx, *issue_id, now_ms).await? {
            journal::regressed(tx, clock, *issue_id, now_ms).await?;
        }
        if let Some(n) = new_users.get(issue_id) {
            issue::add_users(tx, *issue_id, *n).await?;
        }
    }
    Ok(())
}

/// Adds one event's update to the sum of its issue's; the newest event speaks for the issue.
fn merge(sum: &mut IssueUpdate, other: &IssueUpdate) {
    let added = sum.added + other.added;
    let first = if other.first_seen_ms < sum.first_seen_ms { other } else { &*sum };
    let (first_seen_ms, first_release) = (first.first_seen_ms, first.first_release.clone());
    if other.last_seen_ms >= sum.last_seen_ms {
        *sum = other.clone();
    }
    sum.added = added;
    sum.first_seen_ms = first_seen_ms;
    sum.first_release = first_release;
}

async fn remember_missing(
    tx: &mut Tx<'_>,
    events: &[(&Candidate, i64)],
    now_ms: i64,
) -> Result<()> {
    let mut missing = Missing::default();
    for (candidate, _) in events {
        let digested = &candidate.digested;
        if missing.of(tx, digested, candidate.row_id).await? {
            redigest::queue(tx, candidate.row_id, now_ms).await?;
        }
    }
    missing.keep(tx).await
}
