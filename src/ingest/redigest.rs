//! Digests kept events again: the same digest, from the originals. Because a file that they missed has
//! arrived, or because somebody asked for it after a change of scrubbing, grouping or symbolication.
//!
//! If the fingerprint of an event changes, it moves to its new issue and every count follows in the same
//! transaction (`moves`). The event keeps its id. Running it twice changes nothing.

use std::sync::Arc;

use protocol::event::Event;
use protocol::id::ProjectId;

use super::count_releases::Frames;
use super::digest::{self, Attempt, Concluder, Original};
use super::look_up;
use super::moves::{self, Batch, Change, Moved};
use super::stored::Unpacker;
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
    let blobs = rows.iter().map(|row| row.result.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
    let unpacked = blocking::map(rows, move |row| unpack(row, &unpacker)).await?;
    let mut report = Report::default();
    let (mut readable, mut events) = (Vec::new(), Vec::new());
    for (id, unpacked) in unpacked {
        match unpacked {
            Ok((unpacked, event)) => {
                events.push((unpacked.original.project, event));
                readable.push(unpacked);
            }
            Err(error) => report.failed.push((id, error)),
        }
    }
    let looked = look_up::all(app, events).await?;
    let concluder = Concluder::of(app, readable.iter().map(|it| &it.original)).await?;
    let joined: Vec<_> = readable.into_iter().zip(looked).collect();
    let concluded = blocking::map(joined, move |(it, looked)| {
        (it.row.id, looked.and_then(|looked| it.conclude(looked, &concluder)))
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
    original: Original,
    /// JSON of the result as it is kept.
    result: Vec<u8>,
    /// Whether today's scrubbing takes more out of the original than was taken.
    is_scrubbed_anew: bool,
    old_tags: Vec<(String, String)>,
    old_frames: Frames,
}

fn unpack(row: StoredEvent, unpacker: &Unpacker) -> (i64, Attempt<(Unpacked, Event)>) {
    let id = row.id;
    let unpacked = digest::caught(|| {
        let mut json = unpacker.original_json(&row.original, &row.result)?;
        let result = unpacker.result_json(&row.original, &row.result)?;
        let before = stored::event(&json)?;
        let mut event = before.clone();
        scrub::scrub(&mut event);
        let is_scrubbed_anew = event != before;
        if is_scrubbed_anew {
            json = stored::json(&event, json.len())?;
        }
        let original = Original::new(ProjectId(row.project_id), &event, json)?;
        let old = stored::event(&result)?;
        let (old_tags, old_frames) = (tags::counted(&old), digest::frames_by_status(&old));
        Ok((Unpacked { row, original, result, is_scrubbed_anew, old_tags, old_frames }, event))
    });
    (id, unpacked)
}

impl Unpacked {
    fn conclude(self, looked: look_up::Looked, concluder: &Concluder) -> Attempt<Change> {
        let Self { row, original, result, is_scrubbed_anew, old_tags, old_frames } = self;
        let (mut digested, json) = concluder.conclude_with_json(&original, looked)?;
        let is_changed = is_scrubbed_anew || json != result;
        if !is_changed {
            // The same event looks different under another dictionary.
            digested.original.clone_from(&row.original);
            digested.result.clone_from(&row.result);
        }
        Ok(Change { row, digested, old_tags, old_frames, is_changed })
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
    let batch = Arc::new(Batch { changes, new_issue_ids, reason, failed, app: app.clone() });
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
