//! Phase one: what a client sends becomes durable rows, and nothing more happens before the answer.

use std::sync::Arc;

use bytes::Bytes;
use protocol::envelope::{Envelope, Item, ItemType};
use protocol::id::EventId;
use protocol::session;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::digest::sent_at_ms;
use super::intake::RateLimited;
use super::large_attachment::Room;
use super::stored;
use crate::app::App;
use crate::db::accepted::Accepted;
use crate::db::attachment::Attachment;
use crate::db::engine::{BoxFuture, Tx};
use crate::db::project_key::Admission;
use crate::db::{accepted, attachment};
use crate::error::{Error, Result};
use crate::metrics::{DropLabels, ItemLabels};

/// Most attachments of one envelope (Relay's earlier, larger limit).
const ATTACHMENTS_MAX: usize = 100;
/// Attachments up to this size stand in the database, larger ones in the blob store; in bytes.
const INLINE_BYTES_MAX: usize = 100 * 1024;
/// Longest name and media type of an attachment, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Who sent an event: what the digest needs to know about the request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sender {
    /// Name and version of the SDK, from the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// Address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// `User-Agent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user_agent: Option<String>,
    /// When the client sent the envelope, by its clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent_at_ms: Option<i64>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Acceptance {
    /// The event's id, where the envelope is about one.
    pub(crate) event_id: Option<EventId>,
    /// Whether something was dropped that this server never keeps, so that the client may stop sending it.
    pub(crate) has_unsupported: bool,
    /// Whether the event was dropped because its key sends too fast.
    pub(crate) rate_limited: Option<RateLimited>,
}

/// What an envelope leaves behind.
#[derive(Debug, Default)]
pub(super) struct Rows {
    event: Option<Accepted>,
    attachments: Vec<Attachment>,
    /// Attachments that go to the blob store first: place in `attachments`, bytes.
    large: Vec<(usize, Bytes)>,
}

/// Accepts an envelope: returns when everything that is kept of it survives a power loss.
///
/// # Errors
/// `Invalid` where the event cannot be read and nothing else is worth keeping, `TooLarge` beyond a limit,
/// `Unavailable` beyond the disk budget. Then nothing is kept.
pub(crate) async fn accept(
    app: &App,
    key: &Admission,
    sender: Sender,
    body: &Bytes,
    envelope: &Envelope<'_>,
) -> Result<Acceptance> {
    check_sizes(app, envelope)?;
    let payload = Payload::of(envelope);
    let event_id = event_id(envelope, &payload)?;
    let mut acceptance = Acceptance { event_id, ..Acceptance::default() };
    let sender = Sender { sent_at_ms: sent_at_ms(&envelope.header), ..sender };
    let arrival = Arrival { key, sender: &sender, body, payload: &payload };
    let rows = sort_items(app, &arrival, envelope, &mut acceptance)?;
    keep(app, rows).await?;
    Ok(acceptance)
}

/// One oversize item refuses the whole envelope, as Relay does: a part would look complete.
fn check_sizes(app: &App, envelope: &Envelope<'_>) -> Result<()> {
    let limits = &app.config.limits;
    for (index, item) in envelope.items.iter().enumerate() {
        let limit = match item.item_type() {
            ItemType::Event => limits.event_bytes_max,
            ItemType::Attachment => limits.attachment_bytes_max,
            _ => continue,
        };
        if item.payload.len() as u64 > limit.0 {
            return Err(Error::TooLarge(format!(
                "envelope exceeded size limits for type '{}': item {} has {} bytes, at most {limit}",
                item.item_type().name(),
                index + 1,
                item.payload.len(),
            )));
        }
    }
    Ok(())
}

/// What the payload of an envelope's first event says about itself.
enum Payload {
    /// The envelope is about no event.
    None,
    /// A JSON object, with its own id if it has one.
    Event(Option<EventId>),
    /// It cannot be read.
    Broken(serde_json::Error),
}

impl Payload {
    /// Reads over the whole payload once: the same JSON will be read again by the digest, which must not
    /// meet a broken one.
    fn of(envelope: &Envelope<'_>) -> Self {
        #[derive(Deserialize)]
        struct Fields<'a> {
            #[serde(default, borrow)]
            event_id: Option<&'a serde_json::value::RawValue>,
        }
        let event = envelope.items.iter().find(|item| item.item_type() == ItemType::Event);
        let Some(event) = event else { return Self::None };
        let repaired = protocol::surrogate::repair(event.payload);
        match serde_json::from_slice::<Fields<'_>>(&repaired) {
            Ok(fields) => {
                let text = fields.event_id.map(|id| id.get().trim_matches('"'));
                Self::Event(text.and_then(|id| id.parse().ok()))
            }
            Err(error) => Self::Broken(error),
        }
    }
}

/// The envelope's id, else the payload's, else a new one; `None` where the envelope is about no event.
fn event_id(envelope: &Envelope<'_>, payload: &Payload) -> Result<Option<EventId>> {
    match payload {
        Payload::None => Ok(envelope.header.event_id),
        Payload::Broken(error) if envelope.items.len() == 1 => {
            Err(Error::Invalid(format!("invalid event: its payload is no JSON object ({error})")))
        }
        // A sibling may be worth keeping; `sort_items` drops the event.
        Payload::Broken(_) => Ok(envelope.header.event_id),
        Payload::Event(own) => {
            Ok(Some(envelope.header.event_id.or(*own).unwrap_or_else(EventId::random)))
        }
    }
}

/// What all items of an envelope have in common.
struct Arrival<'a> {
    key: &'a Admission,
    sender: &'a Sender,
    body: &'a Bytes,
    payload: &'a Payload,
}

/// Decides about each item: kept, counted, or dropped and counted as that.
fn sort_items(
    app: &App,
    arrival: &Arrival<'_>,
    envelope: &Envelope<'_>,
    acceptance: &mut Acceptance,
) -> Result<Rows> {
    let key = arrival.key;
    let mut rows = Rows::default();
    for item in &envelope.items {
        let dropped = match item.item_type() {
            ItemType::Event => event_item(app, arrival, item, acceptance, &mut rows)?,
            ItemType::Attachment => attachment_item(app, arrival, item, acceptance, &mut rows),
            ItemType::Session | ItemType::Sessions => {
                let n = session::sessions(item.payload);
                app.intake.count_outcome(
                    key.project_id,
                    app.clock.now_ms(),
                    "session",
                    "session",
                    n,
                );
                None
            }
            ItemType::ClientReport => {
                client_report(app, key, item);
                None
            }
            ItemType::Unknown => Some("unknown"),
            ItemType::Internal => Some("internal"),
            _ => {
                acceptance.has_unsupported = true;
                Some("unsupported")
            }
        };
        count_item(app, key, item.item_type(), dropped);
    }
    Ok(rows)
}

/// Counts in metrics and in the project's outcomes.
fn count_item(app: &App, key: &Admission, kind: ItemType, dropped: Option<&'static str>) {
    let outcome = if dropped.is_some() { "dropped" } else { "accepted" };
    let labels = ItemLabels { r#type: kind.name(), outcome };
    app.metrics.items.get_or_create(&labels).inc();
    if let Some(reason) = dropped {
        let labels = DropLabels { r#type: kind.name(), reason };
        app.metrics.items_dropped.get_or_create(&labels).inc();
        let outcome = format!("dropped:{reason}");
        app.intake.count_outcome(key.project_id, app.clock.now_ms(), &outcome, kind.name(), 1);
    }
}

fn event_item(
    app: &App,
    arrival: &Arrival<'_>,
    item: &Item<'_>,
    acceptance: &mut Acceptance,
    rows: &mut Rows,
) -> Result<Option<&'static str>> {
    let key = arrival.key;
    if rows.event.is_some() {
        return Ok(Some("duplicate_item"));
    }
    let Some(event_id) = acceptance.event_id else { return Ok(Some("invalid")) };
    if matches!(arrival.payload, Payload::Broken(_)) {
        return Ok(Some("invalid"));
    }
    let now_ms = app.clock.now_ms();
    if let Err(limited) = app.intake.count_event(key, &app.config.limits, now_ms) {
        acceptance.rate_limited = Some(limited);
        app.metrics.rate_limited.inc();
        return Ok(Some("rate_limited"));
    }
    let dictionary = app.dictionaries.at_hand(key.project_id);
    rows.event = Some(Accepted {
        id: app.clock.new_id(),
        project_id: key.project_id,
        event_id: event_id.bytes().to_vec(),
        received_at_ms: now_ms,
        attempts: 0,
        alone_attempts: 0,
        sender: serde_json::to_string(arrival.sender)?,
        payload: stored::pack_payload(item.payload, dictionary.as_deref())?,
    });
    Ok(None)
}

fn attachment_item(
    app: &App,
    arrival: &Arrival<'_>,
    item: &Item<'_>,
    acceptance: &Acceptance,
    rows: &mut Rows,
) -> Option<&'static str> {
    let (key, body) = (arrival.key, arrival.body);
    let Some(event_id) = acceptance.event_id else { return Some("no_event") };
    if rows.attachments.len() >= ATTACHMENTS_MAX {
        return Some("too_many");
    }
    let named = |text: Option<&String>, default: &str| {
        let text = text.map_or(default, String::as_str);
        text[..text.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
    };
    let is_inline = item.payload.len() <= INLINE_BYTES_MAX;
    if !is_inline {
        rows.large.push((rows.attachments.len(), body.slice_ref(item.payload)));
    }
    rows.attachments.push(Attachment {
        id: app.clock.new_id(),
        project_id: key.project_id,
        event_id: event_id.bytes().to_vec(),
        received_at_ms: app.clock.now_ms(),
        name: named(item.header.filename.as_ref(), "attachment"),
        content_type: named(item.header.content_type.as_ref(), "application/octet-stream"),
        kind: named(item.header.attachment_type.as_ref(), "event.attachment"),
        size: i64::try_from(item.payload.len()).unwrap_or(i64::MAX),
        // A large one is hashed when it is stored, beside the async threads.
        sha256: if is_inline { Sha256::digest(item.payload).to_vec() } else { Vec::new() },
        body: is_inline.then(|| item.payload.to_vec()),
    });
    None
}

/// Reasons that SDKs give for events they dropped; others count as `other`, so the set stays bounded.
const DISCARD_REASONS: &[&str] = &[
    "queue_overflow",
    "cache_overflow",
    "buffer_overflow",
    "ratelimit_backoff",
    "network_error",
    "sample_rate",
    "before_send",
    "event_processor",
    "send_error",
    "internal_sdk_error",
    "ignored",
    "insufficient_data",
    "backpressure",
];

fn client_report(app: &App, key: &Admission, item: &Item<'_>) {
    for (reason, category, n) in session::discarded(item.payload) {
        let reason =
            if DISCARD_REASONS.contains(&reason.as_str()) { reason } else { "other".to_owned() };
        let is_error = ["error", "default"].contains(&category.as_str());
        let category = if is_error { "error" } else { "other" };
        let now_ms = app.clock.now_ms();
        app.intake.count_outcome(key.project_id, now_ms, &format!("client:{reason}"), category, n);
    }
}

/// Writes the rows: blobs first, so that no row ever names bytes that are not there.
async fn keep(app: &App, mut rows: Rows) -> Result<()> {
    if rows.event.is_none() && rows.attachments.is_empty() {
        return Ok(());
    }
    let payload_bytes = rows.event.as_ref().map_or(0, |event| event.payload.len());
    let inline: usize = rows.attachments.iter().filter_map(|a| a.body.as_ref()).map(Vec::len).sum();
    let limits = &app.config.limits;
    app.intake.disk.check(&app.config.data, limits.disk_free_bytes_min, app.clock.now_ms())?;
    app.intake.check_room(limits, payload_bytes)?;
    // Before the permit: whoever waits for a blob store that hangs holds up nobody else.
    let mut room = Room::default();
    for (place, bytes) in std::mem::take(&mut rows.large) {
        room.keep(app, &mut rows.attachments[place], bytes).await?;
    }
    let _permit = app.intake.admit(payload_bytes + inline).await?;
    let has_event = rows.event.is_some();
    app.intake.writes.add(&app.db, rows).await?;
    if has_event {
        app.intake.add_backlog(i64::try_from(payload_bytes).unwrap_or(i64::MAX));
        app.metrics.events_accepted.inc();
        app.wake.digest.notify_one();
    }
    Ok(())
}

/// Inserts what envelopes leave behind.
pub(super) fn insert<'a>(tx: &'a mut Tx<'_>, all: Arc<Vec<Rows>>) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let events: Vec<&Accepted> = all.iter().filter_map(|rows| rows.event.as_ref()).collect();
        accepted::insert(tx, &events).await?;
        let attachments: Vec<&Attachment> = all.iter().flat_map(|rows| &rows.attachments).collect();
        attachment::insert(tx, &attachments).await
    })
}
