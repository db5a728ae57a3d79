//! Digests kept events again: the same digest, from the originals. Because a file that they missed has
//! arrived, or because somebody asked for it after a change of scrubbing, grouping or symbolication.
//!
//! If the fingerprint of an event changes, it moves to its new issue and every count follows in the same
//! transaction (`moves`). The event keeps its id. Running it twice changes nothing.

use std::sync::Arc;

use protocol::event::Event;
use protocol::id::ProjectId;

use super::digest::{self, Attempt};
use super::moves::{self, Batch, Change, Moved};
use super::{scrub, stored, tags};
use crate::app::App;
use crate::blocking;
use crate::db::event::StoredEvent;
use crate::db::redigest_run::Step;
use crate::error::Result;

/// Why events are digested again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// Files arrived.
    Files,
    /// Somebody asked for it: the run, and the step of it that these events are, which is written down with
    /// them.
    Run(i64, Step),
}

/// What became of events.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Report {
    /// Events that were digested.
    pub(crate) done: u64,
    /// Events whose result, or what is kept of the original, is another one now.
    pub(crate) changed: u64,
    /// Events that are in another issue now.
    pub(crate) moved: u64,
    /// Rows that could not be digested, with the reason. Their old results stay.
    pub(crate) failed: Vec<(i64, String)>,
    /// Whether another process did the same step of the run: then nothing was kept.
    pub(crate) is_overtaken: bool,
}

/// Digests kept events again, in one transaction.
///
/// # Errors
/// When files or the database cannot be reached; then nothing is changed.
pub(crate) async fn redigest(app: &App, rows: Vec<StoredEvent>, reason: Reason) -> Result<Report> {
    let unpacked =
        blocking::run(move || Ok(rows.into_iter().map(unpack).collect::<Vec<_>>())).await?;
    let mut report = Report::default();
    let mut readable = Vec::new();
    for (id, unpacked) in unpacked {
        match unpacked {
            Ok(unpacked) => readable.push(unpacked),
            Err(error) => report.failed.push((id, error)),
        }
    }
    let originals = |it: &Unpacked| (ProjectId(it.row.project_id), it.original.clone());
    let looked = digest::symbolicate_all(app, readable.iter().map(originals).collect()).await?;
    let secret = app.secrets.user_hash;
    let concluded = blocking::run(move || {
        let conclude = |(it, looked): (Unpacked, Attempt<_>)| {
            let id = it.row.id;
            let change = looked.and_then(|looked| digest::caught(|| it.conclude(looked, &secret)));
            (id, change)
        };
        Ok(readable.into_iter().zip(looked).map(conclude).collect::<Vec<_>>())
    })
    .await?;
    let mut changes = Vec::new();
    for (id, concluded) in concluded {
        match concluded {
            Ok(change) => changes.push(change),
            Err(error) => report.failed.push((id, error)),
        }
    }
    digest::count_frames(app, changes.iter().map(|change| &change.digested));
    keep(app, changes, reason, report).await
}

/// An event in both forms.
struct Unpacked {
    row: StoredEvent,
    original: Event,
    /// Whether today's scrubbing takes more out of the original than was taken.
    is_scrubbed_anew: bool,
    old_tags: Vec<(String, String)>,
}

fn unpack(row: StoredEvent) -> (i64, Attempt<Unpacked>) {
    let id = row.id;
    let unpacked = digest::caught(|| {
        let before = stored::event(&stored::original_json(&row.original)?)?;
        let result = stored::event(&stored::result_json(&row.original, &row.result)?)?;
        let mut original = before.clone();
        scrub::scrub(&mut original);
        let is_scrubbed_anew = original != before;
        Ok(Unpacked { old_tags: tags::counted(&result), row, original, is_scrubbed_anew })
    });
    (id, unpacked)
}

impl Unpacked {
    fn conclude(self, looked: digest::Looked, secret: &[u8; 32]) -> Result<Change> {
        let project = ProjectId(self.row.project_id);
        let digested = digest::conclude(project, &self.original, looked, secret)?;
        let Self { row, is_scrubbed_anew, old_tags, .. } = self;
        Ok(Change { row, digested, old_tags, is_scrubbed_anew })
    }
}

pub(super) async fn keep(
    app: &App,
    changes: Vec<Change>,
    reason: Reason,
    mut report: Report,
) -> Result<Report> {
    report.done = changes.len() as u64;
    let failed = report.failed.len() as i64;
    if changes.is_empty() && reason == Reason::Files {
        return Ok(report);
    }
    let new_issue_ids = changes.iter().map(|_| app.clock.new_id()).collect();
    let clock = app.clock.clone();
    let batch = Arc::new(Batch { changes, new_issue_ids, reason, failed, clock });
    let moved = app
        .db
        .write_digest(move |tx| {
            let batch = Arc::clone(&batch);
            Box::pin(async move { moves::keep(tx, &batch).await })
        })
        .await?;
    let Some(Moved { changed, moved }) = moved else {
        return Ok(Report { is_overtaken: true, ..Report::default() });
    };
    Ok(Report { changed, moved, ..report })
}
