//! The files that a project's events wait for, ranked by how many each of them would fix.
//!
//! What waits is known by key alone. What a file is called, and what exactly is wrong, is said by the newest
//! event that waits for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pages::missing::keys_of;
use protocol::event::Event;
use protocol::id::EventId;
use protocol::stacktrace::FrameStatus;

use super::stored::{self, Unpacker};
use crate::app::App;
use crate::blocking;
use crate::db::engine::Tx;
use crate::db::event::{self, StoredEvent};
use crate::db::missing_file;
use crate::db::missing_key::{self, MissingKey};
use crate::error::Result;

/// Keys that are looked at, those first that most events wait for. One file may have two.
const KEYS_MAX: i64 = 100;
/// Events that are unpacked to name them.
const EVENTS_MAX: usize = 40;

/// A file that events wait for.
#[derive(Debug, Clone)]
pub(crate) struct Waited {
    /// What the frames say that need it.
    pub(crate) status: FrameStatus,
    /// Path or URL of the image or script, where an event names it.
    pub(crate) name: Option<String>,
    /// How many events wait for it.
    pub(crate) events: i64,
    /// When the newest of them was received.
    pub(crate) last_seen_ms: i64,
    /// The newest of them.
    pub(crate) event_id: Option<EventId>,
}

/// A key, and the newest event that waits for it.
struct Waiting {
    key: MissingKey,
    row: i64,
    last_seen_ms: i64,
}

/// Returns the files that events of a project wait for, most events first.
///
/// # Errors
/// When the database cannot be read.
pub(crate) async fn list(app: &App, project: i64) -> Result<Vec<Waited>> {
    let (waiting, rows) =
        app.db.read(move |tx| Box::pin(async move { read(tx, project).await })).await?;
    let blobs = rows.iter().map(|row| row.result.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await?;
    blocking::run(move || {
        let newest = |row| Newest::of(row, &unpacker);
        let events: BTreeMap<i64, Arc<Newest>> = rows.iter().filter_map(newest).collect();
        Ok(named(&waiting, &events))
    })
    .await
}

async fn read(tx: &mut Tx<'_>, project: i64) -> Result<(Vec<Waiting>, Vec<StoredEvent>)> {
    let mut waiting = Vec::new();
    let mut rows: BTreeSet<i64> = BTreeSet::new();
    for key in missing_key::top(tx, project, KEYS_MAX).await? {
        if let Some((row, last_seen_ms)) = missing_file::newest_event(tx, project, &key.key).await?
        {
            if rows.len() < EVENTS_MAX {
                rows.insert(row);
            }
            waiting.push(Waiting { key, row, last_seen_ms });
        }
    }
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        events.extend(event::by_row(tx, row).await?);
    }
    Ok((waiting, events))
}

/// What an event says about the files that it waits for.
struct Newest {
    event_id: Option<EventId>,
    by_key: BTreeMap<String, (FrameStatus, Option<String>)>,
}

impl Newest {
    /// Unpacks an event; `None` if it cannot be read.
    fn of(row: &StoredEvent, unpacker: &Unpacker) -> Option<(i64, Arc<Self>)> {
        let json = unpacker.result_json(&row.original, &row.result).ok()?;
        let event: Event = stored::event(&json).ok()?;
        let mut by_key = BTreeMap::new();
        for frame in event.stacktraces().flat_map(|trace| &trace.frames) {
            let Some(verdict) = &frame.symbolication else { continue };
            for key in keys_of(&verdict.status) {
                let name = frame.package.clone().or_else(|| frame.abs_path.clone());
                by_key.entry(key).or_insert_with(|| (verdict.status.clone(), name));
            }
        }
        Some((row.id, Arc::new(Self { event_id: row.event_id(), by_key })))
    }
}

/// Puts keys of one file together. Keys that no frame of the newest event speaks of are of files that would
/// make nothing readable: source texts, and what came after the frames that are kept.
fn named(waiting: &[Waiting], events: &BTreeMap<i64, Arc<Newest>>) -> Vec<Waited> {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut files = Vec::new();
    for Waiting { key, row, last_seen_ms } in waiting {
        let Some(newest) = events.get(row) else { continue };
        let Some((status, name)) = newest.by_key.get(&key.key) else { continue };
        let keys = keys_of(status);
        if keys.iter().any(|key| seen.contains(key)) {
            continue;
        }
        seen.extend(keys);
        files.push(Waited {
            status: status.clone(),
            name: name.clone(),
            events: key.n,
            last_seen_ms: *last_seen_ms,
            event_id: newest.event_id,
        });
    }
    files
}
