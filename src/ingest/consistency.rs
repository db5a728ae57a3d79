//! Counts everything that issues count anew from the kept events, and compares.
//!
//! What is not compared: counts of issues some of whose events expired (these stay counted and are gone), and
//! tags with more values than are counted. It reads issue by issue, so on a server that works meanwhile a
//! difference may be of the moment.

use std::collections::{BTreeMap, BTreeSet};

use protocol::id::IssueId;

use super::stored::Unpacker;
use super::{stored, summary, tags};
use crate::app::App;
use crate::blocking;
use crate::db::consistency as counted;
use crate::db::event::{self, StoredEvent};
use crate::db::issue::{IssueUpdate, StoredIssue};
use crate::db::issue_count::TAG_VALUES_MAX;
use crate::db::issue_search;
use crate::error::Result;
use crate::grouping;

/// Issues that are read together.
const ISSUES_MAX: i64 = 100;
/// Events that are read and decoded together.
const EVENTS_MAX: i64 = 64;
/// Hashes of one issue that are read.
const HASHES_MAX: i64 = 100_000;
/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Consistency {
    /// Issues that were looked at.
    pub(crate) issues: u64,
    /// Events that were counted.
    pub(crate) events: u64,
    /// What is not as it should be, a line each.
    pub(crate) problems: Vec<String>,
}

/// Compares all issues of a project, or of all, with their events.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn check(app: &App, project: Option<i64>) -> Result<Consistency> {
    let mut found = Consistency::default();
    let mut after_id = 0;
    loop {
        let issues = app
            .db
            .read(move |tx| Box::pin(counted::issues_after(tx, project, after_id, ISSUES_MAX)))
            .await?;
        let Some(last) = issues.last() else { break };
        after_id = last.id;
        for issue in issues {
            one(app, issue, &mut found).await?;
        }
    }
    let dangling = app.db.read(|tx| Box::pin(counted::dangling(tx))).await?;
    for (what, n) in [
        ("events are in issues that do not exist", dangling.events),
        ("hashes stand for issues that do not exist", dangling.hashes),
        ("redirects lead to issues that do not exist", dangling.redirects),
        ("missing files are of events that do not exist", dangling.missing_files),
        ("keys of missing files are counted wrongly", dangling.missing_keys),
    ] {
        if n != 0 {
            found.problems.push(format!("{n} {what}"));
        }
    }
    Ok(found)
}

/// What an issue counts, one way or the other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Counts {
    users: BTreeMap<Vec<u8>, i64>,
    tags: BTreeMap<(String, String), i64>,
    hours: BTreeMap<i64, i64>,
}

impl Counts {
    async fn read(app: &App, issue_id: i64) -> Result<Self> {
        app.db
            .read(move |tx| {
                Box::pin(async move {
                    let tags = counted::tags(tx, issue_id).await?;
                    let tag = |(key, value, n)| ((key, value), n);
                    Ok(Self {
                        users: counted::users(tx, issue_id).await?.into_iter().collect(),
                        tags: tags.into_iter().map(tag).collect(),
                        hours: counted::hours(tx, issue_id).await?.into_iter().collect(),
                    })
                })
            })
            .await
    }

    /// Leaves out the tags that have more values than are counted.
    fn without_crowded_tags(mut self, other: &Self) -> Self {
        let mut values: BTreeMap<&str, i64> = BTreeMap::new();
        for (key, _) in other.tags.keys() {
            *values.entry(key).or_default() += 1;
        }
        self.tags.retain(|(key, _), _| {
            values.get(key.as_str()).is_none_or(|values| *values < TAG_VALUES_MAX)
        });
        self
    }
}

/// What the events of an issue say.
#[derive(Default)]
struct Recount {
    events: i64,
    counts: Counts,
    hashes: BTreeSet<Vec<u8>>,
    first: Option<IssueUpdate>,
    newest: Option<IssueUpdate>,
    unreadable: u64,
}

impl Recount {
    fn add(&mut self, row: &StoredEvent, unpacker: &Unpacker) {
        self.events += 1;
        let read = || stored::event(&unpacker.result_json(&row.original, &row.result)?);
        let Ok(event) = read() else {
            self.unreadable += 1;
            return;
        };
        if let Some(user) = &row.user_hash {
            *self.counts.users.entry(user.clone()).or_default() += 1;
        }
        for tag in tags::counted(&event) {
            *self.counts.tags.entry(tag).or_default() += 1;
        }
        *self.counts.hours.entry(row.occurred_at_ms / HOUR_MS).or_default() += 1;
        self.hashes.insert(grouping::fingerprint(&event).hash.0.to_vec());
        let update = summary::summarize(&event);
        let at_ms = update.last_seen_ms;
        if self.first.as_ref().is_none_or(|first| at_ms < first.last_seen_ms) {
            self.first = Some(update.clone());
        }
        if self.newest.as_ref().is_none_or(|newest| at_ms >= newest.last_seen_ms) {
            self.newest = Some(update);
        }
    }
}

async fn one(app: &App, issue: StoredIssue, found: &mut Consistency) -> Result<()> {
    let counts = Counts::read(app, issue.id).await?;
    let mut recount = Recount::default();
    let mut before_row = i64::MAX;
    loop {
        let id = IssueId(issue.id);
        let page = app
            .db
            .read(move |tx| Box::pin(event::page_of_issue(tx, id, before_row, EVENTS_MAX)))
            .await?;
        let Some(last) = page.last() else { break };
        before_row = last.id;
        let blobs = page.iter().map(|row| row.result.as_slice());
        let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
        recount = blocking::run(move || {
            page.iter().for_each(|row| recount.add(row, &unpacker));
            Ok(recount)
        })
        .await?;
    }
    let id = IssueId(issue.id);
    let hashes = app.db.read(move |tx| Box::pin(issue_search::hashes(tx, id, HASHES_MAX))).await?;
    found.issues += 1;
    found.events += recount.events.unsigned_abs();
    let name =
        format!("issue {} (number {} of project {})", issue.id, issue.number, issue.project_id);
    let problems = compare(&issue, counts, recount, &hashes.into_iter().collect());
    found.problems.extend(problems.into_iter().map(|problem| format!("{name}: {problem}")));
    Ok(())
}

fn compare(
    issue: &StoredIssue,
    counts: Counts,
    recount: Recount,
    hashes: &BTreeSet<Vec<u8>>,
) -> Vec<String> {
    let mut problems = Vec::new();
    let mut differ = |what: &str, counted: String, really: String| {
        if counted != really {
            problems.push(format!("{what}: {counted}, counted anew: {really}"));
        }
    };
    if recount.unreadable > 0 {
        return vec![format!("{} events cannot be read", recount.unreadable)];
    }
    let stray = recount.hashes.difference(hashes).count();
    if stray > 0 {
        differ(
            "hashes that do not stand for it (`symbolist redigest` moves such events)",
            "0".to_owned(),
            stray.to_string(),
        );
    }
    if issue.times_seen > recount.events {
        // The others expired.
        return problems;
    }
    differ("events", issue.times_seen.to_string(), recount.events.to_string());
    differ("users", issue.users_seen.to_string(), recount.counts.users.len().to_string());
    let counted = counts.clone().without_crowded_tags(&counts);
    let really = recount.counts.without_crowded_tags(&counts);
    differ("user counts", format!("{:?}", counted.users), format!("{:?}", really.users));
    differ("tags", format!("{:?}", counted.tags), format!("{:?}", really.tags));
    differ("hours", format!("{:?}", counted.hours), format!("{:?}", really.hours));
    if let Some(first) = recount.first {
        differ("first seen", issue.first_seen_ms.to_string(), first.last_seen_ms.to_string());
        let release = format!("{:?}", issue.first_release);
        differ("first release", release, format!("{:?}", first.release));
    }
    if let Some(newest) = recount.newest {
        differ("last seen", issue.last_seen_ms.to_string(), newest.last_seen_ms.to_string());
        differ("title", issue.title.clone(), newest.title);
        differ("culprit", issue.culprit.clone(), newest.culprit);
        differ("level", issue.level.clone(), newest.level);
        if newest.release.is_some() {
            let release = format!("{:?}", issue.last_release);
            differ("last release", release, format!("{:?}", newest.release));
        }
    }
    problems
}
