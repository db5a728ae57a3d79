//! Phase two: accepted events become kept events in their issues.
//!
//! One batch runs through four stages: prepare (parse, normalize, scrub), symbolicate (the need/done loop;
//! the only I/O is in `symbols`), conclude (fingerprint, summary, compression), keep (one transaction). What
//! computes runs beside the async threads and is caught per event: a panic costs that event a try, not its
//! neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use protocol::envelope::EnvelopeHeader;
use protocol::event::Event;
use protocol::id::{EventId, ProjectId};
use protocol::stacktrace::FrameStatus;

use super::accept::Sender;
use super::compress::Dictionary;
use super::look_up::{self, Looked};
use super::normalize::Arrival;
use super::stored::Unpacker;
use super::{keep, normalize, scrub, stored, summary, tags, user_hash};
use crate::app::App;
use crate::blocking;
use crate::db::accepted::Accepted;
use crate::db::issue::IssueUpdate;
use crate::error::{Error, Result};
use crate::grouping::{self, GroupHash};
use crate::metrics::FrameLabels;

/// What normalization adds to an event's JSON, about, in bytes.
const SLACK_BYTES: usize = 512;

/// A digested event, ready to be kept.
#[derive(Debug, Clone)]
pub(crate) struct Digested {
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
    pub(crate) received_at_ms: i64,
    pub(crate) occurred_at_ms: i64,
    pub(crate) original: Vec<u8>,
    pub(crate) result: Vec<u8>,
    pub(crate) hash: GroupHash,
    pub(crate) summary: IssueUpdate,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) user_hash: Option<Vec<u8>>,
    /// Keys of files that were not there or did not help, each with how many files answered to it just
    /// before they were looked up.
    pub(crate) missing: BTreeMap<String, i64>,
    /// Frames by platform and status, for the metrics.
    pub(crate) frames: BTreeMap<(&'static str, &'static str), u64>,
}

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct BatchReport {
    /// Events that are kept now.
    pub(crate) kept: u64,
    /// Events that were kept before.
    pub(crate) duplicates: u64,
    /// Rows that could not be digested, with the reason.
    pub(crate) failed: Vec<(i64, String)>,
    /// Rows that want a file which cannot be read now, with the reason. They are not to blame.
    pub(crate) waiting: Vec<(i64, String)>,
}

/// Digests accepted rows and removes them from the queue in the transaction that keeps their events.
///
/// # Errors
/// When files or the database cannot be reached: the rows stay as they are. A row that cannot be digested
/// is no error of the batch; it stands in the report.
pub(crate) async fn digest(app: &App, rows: Vec<Accepted>) -> Result<BatchReport> {
    let mut report = BatchReport::default();
    let payloads = rows.iter().map(|row| row.payload.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, payloads).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let prepared = blocking::map(rows, move |row| prepare(row, &unpacker)).await?;
    let (mut originals, mut events) = (Vec::new(), Vec::new());
    for (id, prepared) in ids.into_iter().zip(prepared) {
        match prepared {
            Ok((original, event)) => {
                events.push((original.project, event));
                originals.push((id, original));
            }
            Err(error) => report.failed.push((id, error)),
        }
    }
    let (mut looked_up, mut outcomes) = (Vec::new(), Vec::new());
    for (original, symbolicated) in originals.into_iter().zip(look_up::each(app, events).await?) {
        match symbolicated {
            Ok(outcome) => {
                looked_up.push(original);
                outcomes.push(outcome);
            }
            Err(error) => report.waiting.push((original.0, error.to_string())),
        }
    }
    let concluder = Concluder::of(app, looked_up.iter().map(|(_, original)| original)).await?;
    let joined: Vec<_> = looked_up.into_iter().zip(outcomes).collect();
    let concluded = blocking::map(joined, move |((id, original), outcome)| {
        (id, outcome.and_then(|looked| concluder.conclude(&original, looked)))
    })
    .await?;
    let mut digested = Vec::new();
    for (id, concluded) in concluded {
        match concluded {
            Ok(event) => digested.push((id, event)),
            Err(error) => report.failed.push((id, error)),
        }
    }
    count(app, &digested);
    let kept = keep::keep(app, digested).await?;
    report.kept = kept.kept;
    report.duplicates = kept.duplicates;
    Ok(report)
}

/// Notes what was digested: frames for the metrics, events for the dictionaries.
fn count(app: &App, digested: &[(i64, Digested)]) {
    count_frames(app, digested.iter().map(|(_, event)| event));
    let mut events: BTreeMap<i64, u64> = BTreeMap::new();
    for (_, event) in digested {
        *events.entry(event.project_id).or_default() += 1;
    }
    for (project_id, n) in events {
        if app.dictionaries.count_packed(project_id, n) {
            app.wake.housekeeping.notify_one();
        }
    }
}

/// What one event made of a stage, or why it could not.
pub(crate) type Attempt<T> = Result<T, String>;

/// Runs one event's part of a stage; a panic becomes its error.
pub(super) fn caught<T>(work: impl FnOnce() -> Result<T>) -> Attempt<T> {
    // Unwind safe: everything the closure may leave half done is dropped with it.
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(error.to_string()),
        Err(panic) => {
            let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
            Err(format!("the digest panicked: {}", text.unwrap_or_default()))
        }
    }
}

/// What is kept of an event whatever symbolication makes of it, and what every later digest starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Original {
    pub(crate) project: ProjectId,
    event_id: EventId,
    received_at_ms: i64,
    /// The normalized and scrubbed event.
    pub(crate) json: Vec<u8>,
}

impl Original {
    /// Takes an event that was normalized and scrubbed, with its JSON.
    ///
    /// # Errors
    /// When it has no id.
    pub(crate) fn new(project: ProjectId, event: &Event, json: Vec<u8>) -> Result<Self> {
        let event_id =
            event.event_id.ok_or_else(|| Error::internal("a normalized event has no id"))?;
        let received_at_ms = event.received.unwrap_or_default().ms();
        Ok(Self { project, event_id, received_at_ms, json })
    }
}

/// Makes the original of an accepted row.
pub(super) fn prepare(row: Accepted, unpacker: &Unpacker) -> Attempt<(Original, Event)> {
    caught(|| {
        let (project, event_id) = (row.project(), row.event_id());
        let sender: Sender = serde_json::from_str(&row.sender)?;
        let payload = unpacker.payload(row.payload)?;
        let event = Event::from_json(&protocol::surrogate::repair(&payload))
            .map_err(|error| Error::Invalid(format!("the event is no JSON object: {error}")))?;
        let arrival = Arrival {
            event_id,
            received: protocol::time::Timestamp(row.received_at_ms),
            sent_at: sender.sent_at_ms.map(protocol::time::Timestamp),
            client: sender.client,
            address: sender.address,
        };
        let mut event = normalize::normalize(event, &arrival);
        scrub::scrub(&mut event);
        let json = stored::json(&event, payload.len() + SLACK_BYTES)?;
        Ok((Original::new(project, &event, json)?, event))
    })
}

/// The last stage, with what it needs for all events of a batch.
pub(crate) struct Concluder {
    secret: [u8; 32],
    dictionaries: BTreeMap<i64, Arc<Dictionary>>,
}

impl Concluder {
    /// Finds the dictionaries of the events' projects.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(crate) async fn of(app: &App, originals: impl Iterator<Item = &Original>) -> Result<Self> {
        let projects: BTreeSet<i64> = originals.map(|original| original.project.0).collect();
        let mut dictionaries = BTreeMap::new();
        for project_id in projects {
            let current = app.dictionaries.current(&app.db, &app.clock, project_id).await?;
            dictionaries.extend(current.map(|dictionary| (project_id, dictionary)));
        }
        Ok(Self { secret: app.secrets.user_hash, dictionaries })
    }

    /// Fingerprints, summarizes and compresses a symbolicated event.
    pub(crate) fn conclude(&self, original: &Original, looked: Looked) -> Attempt<Digested> {
        self.conclude_with_json(original, looked).map(|(digested, _)| digested)
    }

    /// As [`conclude`](Self::conclude), and returns the JSON of the result too.
    pub(crate) fn conclude_with_json(
        &self,
        original: &Original,
        looked: Looked,
    ) -> Attempt<(Digested, Vec<u8>)> {
        caught(|| {
            let project_id = original.project.0;
            let result = &looked.outcome.event;
            let dictionary = self.dictionaries.get(&project_id).map(AsRef::as_ref);
            let result_json = stored::json(result, original.json.len() * 3 / 2)?;
            let forms = stored::pack(&original.json, &result_json, dictionary)?;
            let summary = summary::summarize(result);
            let digested = Digested {
                project_id,
                event_id: original.event_id.bytes().to_vec(),
                received_at_ms: original.received_at_ms,
                occurred_at_ms: summary.last_seen_ms,
                original: forms.original,
                result: forms.result,
                hash: grouping::fingerprint(result).hash,
                tags: tags::counted(result),
                user_hash: user_hash::user_hash(result, &self.secret),
                missing: looked.missing,
                frames: frames_by_status(result),
                summary,
            };
            Ok((digested, result_json))
        })
    }
}

/// Platforms that the metrics name; any other counts as `other`, so clients cannot make label values.
const PLATFORMS: &[&str] = &[
    "native",
    "javascript",
    "node",
    "python",
    "java",
    "csharp",
    "ruby",
    "php",
    "go",
    "cocoa",
    "c",
    "rust",
];

pub(super) fn frames_by_status(event: &Event) -> BTreeMap<(&'static str, &'static str), u64> {
    let mut counts = BTreeMap::new();
    for frame in event.stacktraces().flat_map(|trace| &trace.frames) {
        let platform = frame.platform.as_deref().or(event.platform.as_deref()).unwrap_or("other");
        let platform =
            PLATFORMS.iter().find(|known| **known == platform).copied().unwrap_or("other");
        let status =
            frame.symbolication.as_ref().map_or(&FrameStatus::AsSent, |s| &s.status).name();
        *counts.entry((platform, status)).or_default() += 1;
    }
    counts
}

/// Adds the frames of digested events to the metrics.
pub(crate) fn count_frames<'a>(app: &App, events: impl Iterator<Item = &'a Digested>) {
    for ((platform, status), n) in events.flat_map(|event| &event.frames) {
        app.metrics.frames.get_or_create(&FrameLabels { platform, status }).inc_by(*n);
    }
}

/// Reads what the digest needs of an envelope's header; see `accept`.
pub(crate) fn sent_at_ms(header: &EnvelopeHeader) -> Option<i64> {
    header.sent_at.map(protocol::time::Timestamp::ms)
}
