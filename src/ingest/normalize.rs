//! Makes an event complete and consistent: defaults, clock, limits. Runs once per event, before scrubbing;
//! its output (the *original*) is what every later digest starts from.
//!
//! Facts are Relay's. Deliberately not here: what names mean (`grouping`) and
//! everything that needs uploaded files (`symbolicate`).

use protocol::event::{Event, LogEntry};
use protocol::id::EventId;
use protocol::lenient::EventError;
use protocol::level::Level;
use protocol::time::Timestamp;
use serde_json::Value;

use super::{normalize_frames, tags, trim};

/// How far `sent_at` may be off before all times are corrected, in milliseconds (Relay: 55 minutes).
const CLOCK_DRIFT_MS_MAX: i64 = 55 * 60 * 1000;
/// How far in the future an event may lie, in milliseconds (Relay: one minute).
const FUTURE_MS_MAX: i64 = 60 * 1000;
/// How old an event may be, in milliseconds (Relay: 90 days).
const AGE_MS_MAX: i64 = 90 * 24 * 3600 * 1000;
/// Longest release, in bytes (Relay's limit).
const RELEASE_BYTES_MAX: usize = 200;
/// Longest environment and distribution, in bytes (Relay's limit).
const ENVIRONMENT_BYTES_MAX: usize = 64;

/// What the request said about an event, beside the event itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Arrival {
    /// The id it was accepted under; overrides the payload's.
    pub(crate) event_id: Option<EventId>,
    /// When it was accepted.
    pub(crate) received: Timestamp,
    /// When the client says it sent it.
    pub(crate) sent_at: Option<Timestamp>,
    /// Name and version of the client, for example `sentry.rust/0.49.5`.
    pub(crate) client: Option<String>,
    /// Address of the client.
    pub(crate) address: Option<String>,
}

/// Normalizes an event.
pub(crate) fn normalize(mut event: Event, arrival: &Arrival) -> Event {
    event.event_id = arrival.event_id.or(event.event_id);
    correct_clock(&mut event, arrival);
    identify(&mut event, arrival);
    event.release =
        event.release.take().and_then(|release| valid_release(release, &mut event.errors));
    event.environment = valid_name(event.environment.take(), "environment", &mut event.errors);
    event.dist = valid_name(event.dist.take(), "dist", &mut event.errors);
    if event.release.is_none() {
        event.dist = None;
    }
    tags::normalize(&mut event);
    fill_user_address(&mut event, arrival);
    if let Some(entry) = event.logentry.take() {
        event.logentry = Some(formatted(entry));
    }
    normalize_frames::normalize(&mut event);
    trim::trim(&mut event);
    event
}

/// Shifts every time of the event where the client's clock is off, and notes why.
fn correct_clock(event: &mut Event, arrival: &Arrival) {
    let received = arrival.received.ms();
    let drift = arrival.sent_at.map(|sent| received - sent.ms()).unwrap_or_default();
    let sent = event.timestamp.unwrap_or(arrival.received).ms();
    let is_drift = drift.abs() >= CLOCK_DRIFT_MS_MAX;
    let drift = if is_drift { drift } else { 0 };
    let timestamp = sent.saturating_add(drift);
    // Also after the correction: a client may send any two times.
    let (shift, problem) = if timestamp > received + FUTURE_MS_MAX {
        (received - sent, Some("future_timestamp"))
    } else if timestamp < received - AGE_MS_MAX {
        (received - sent, Some("past_timestamp"))
    } else {
        (drift, is_drift.then_some("clock_drift"))
    };
    event.timestamp = Some(Timestamp(sent.saturating_add(shift)));
    event.received = Some(arrival.received);
    for breadcrumb in &mut event.breadcrumbs.values {
        let time = breadcrumb.timestamp.map(|time| time.ms().saturating_add(shift));
        breadcrumb.timestamp = time.and_then(Timestamp::from_ms);
    }
    if let Some(problem) = problem {
        let value = Some(format!("shifted by {} s", shift / 1000));
        event.errors.push(EventError::new(problem, "timestamp", value));
    }
}

/// Sets what every event has: kind, platform, level, SDK.
fn identify(event: &mut Event, arrival: &Arrival) {
    let kind = if event.exception.is_empty() { "default" } else { "error" };
    event.kind = Some(kind.to_owned());
    let platform = event.platform.take().map(|platform| platform.trim().to_ascii_lowercase());
    let is_word = |platform: &String| {
        (1..=32).contains(&platform.len())
            && platform.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    event.platform = Some(platform.filter(is_word).unwrap_or_else(|| "other".to_owned()));
    event.level = Some(event.level.unwrap_or(Level::Error));
    if event.sdk.is_none() {
        let (name, version) = match arrival.client.as_deref().map(|client| client.split_once('/')) {
            None => return,
            Some(Some((name, version))) => (name, Some(version)),
            Some(None) => (arrival.client.as_deref().unwrap_or_default(), None),
        };
        let (name, version) = (Some(name.to_owned()), version.map(str::to_owned));
        event.sdk = Some(protocol::event::Sdk { name, version, integrations: Vec::new() });
    }
}

fn valid_release(release: String, errors: &mut Vec<EventError>) -> Option<String> {
    let release = release.trim();
    let is_reserved = [".", ".."].contains(&release) || release.eq_ignore_ascii_case("latest");
    let is_bad = |c: char| c.is_control() || c == '/' || c == '\\';
    if release.is_empty() {
        return None;
    }
    if is_reserved || release.len() > RELEASE_BYTES_MAX || release.contains(is_bad) {
        errors.push(EventError::new("invalid_data", "release", Some(shortened(release))));
        return None;
    }
    Some(release.to_owned())
}

fn valid_name(name: Option<String>, field: &str, errors: &mut Vec<EventError>) -> Option<String> {
    let name = name?;
    let name = name.trim();
    if name.is_empty() {
        return None;
    }
    let is_reserved = [".", ".."].contains(&name) || name.eq_ignore_ascii_case("none");
    let is_bad = |c: char| c.is_control() || c == '/' || c == '\\';
    if is_reserved || name.len() > ENVIRONMENT_BYTES_MAX || name.contains(is_bad) {
        errors.push(EventError::new("invalid_data", field, Some(shortened(name))));
        return None;
    }
    Some(name.to_owned())
}

fn shortened(text: &str) -> String {
    text.chars().take(100).collect()
}

/// `{{auto}}` stands for the address the event came from; nothing else makes us keep it.
fn fill_user_address(event: &mut Event, arrival: &Arrival) {
    let Some(user) = &mut event.user else { return };
    if user.ip_address.as_deref() == Some("{{auto}}") {
        user.ip_address = arrival.address.clone();
    }
    let is_address = |text: &String| text.parse::<std::net::IpAddr>().is_ok();
    user.ip_address = user.ip_address.take().filter(is_address);
    if *user == protocol::event::User::default() {
        event.user = None;
    }
}

/// Puts the parameters into the template where the SDK did not.
fn formatted(mut entry: LogEntry) -> LogEntry {
    if entry.formatted.is_none()
        && let Some(message) = &entry.message
    {
        entry.formatted = Some(format_template(message, &entry.params));
    }
    if entry.formatted == entry.message {
        entry.message = None;
    }
    entry
}

/// Fills `%s`, `%d`, `%(name)s`, `{}`, `{0}` and `{name}`; what has no parameter stays as it is.
fn format_template(template: &str, params: &Value) -> String {
    let named = |name: &str| params.get(name).or_else(|| params.get(name.parse::<usize>().ok()?));
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    let mut next = 0;
    while let Some(start) = rest.find(['%', '{']) {
        text.push_str(&rest[..start]);
        rest = &rest[start..];
        let Some((name, length)) = placeholder(rest) else {
            text.push_str(&rest[..1]);
            rest = &rest[1..];
            continue;
        };
        let value = if name.is_empty() { params.get(next) } else { named(name) };
        next += usize::from(name.is_empty());
        match value {
            Some(Value::String(value)) => text.push_str(value),
            Some(value) => text.push_str(&value.to_string()),
            None => text.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    text.push_str(rest);
    text
}

/// Returns the name (empty for positional) and the length of the placeholder that `text` starts with.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    if let Some(inner) = text.strip_prefix('{') {
        let end = inner.find('}')?;
        let is_name = inner[..end].bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        return is_name.then_some((&inner[..end], end + 2));
    }
    let rest = text.strip_prefix('%')?;
    let (name, rest) = match rest.strip_prefix('(').and_then(|named| named.split_once(')')) {
        Some((name, rest)) => (name, rest),
        None => ("", rest),
    };
    let length = text.len() - rest.len() + 1;
    rest.starts_with(['s', 'd', 'i', 'r', 'f', 'x']).then_some((name, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_226_127_000);

    fn normalized(event: Value, arrival: Arrival) -> Event {
        let event = Event::from_json(event.to_string().as_bytes()).unwrap();
        normalize(event, &Arrival { received: NOW, ..arrival })
    }

    #[test]
    fn normalizing_twice_changes_nothing() {
        let event = json!({
            "message": "x", "release": " a@1 ", "environment": "prod", "server_name": "web-1",
            "tags": {"a b": " v ", "environment": "y"}, "user": {"ip_address": "{{auto}}"},
            "exception": [{"type": "E", "stacktrace": {"frames": [{"filename": "/a/b.js", "function": "?"}]}}],
        });
        let arrival = Arrival { address: Some("192.0.2.1".to_owned()), ..Arrival::default() };
        let once = normalized(event, arrival.clone());
        let text = serde_json::to_vec(&once).unwrap();
        let again = Event::from_json(&text).unwrap();
        assert_eq!(normalize(again, &Arrival { received: NOW, ..arrival }), once);
    }

    #[test]
    fn a_wrong_clock_is_corrected_and_noted() {
        let hour = 3_600_000;
        let arrival = Arrival { sent_at: Some(Timestamp(NOW.0 - 2 * hour)), ..Arrival::default() };
        let event = normalized(json!({"timestamp": (NOW.0 - 2 * hour) / 1000 - 5}), arrival);
        assert_eq!(event.timestamp, Some(Timestamp(NOW.0 - 5000)));
        assert_eq!(event.errors[0].kind, "clock_drift");
        let future = normalized(json!({"timestamp": NOW.0 / 1000 + 600}), Arrival::default());
        assert_eq!(
            (future.timestamp, future.errors[0].kind.as_str()),
            (Some(NOW), "future_timestamp")
        );
    }

    #[test]
    fn no_clock_moves_an_event_out_of_reach() {
        for (sent_at, timestamp) in [(0, 0), (0, 253_402_300_799_i64), (253_402_300_799_999, 0)] {
            let event = json!({"timestamp": timestamp, "breadcrumbs": [{"timestamp": 1}]});
            let arrival = Arrival { sent_at: Some(Timestamp(sent_at)), ..Arrival::default() };
            let event = normalized(event, arrival);
            let time = event.timestamp.unwrap().0;
            assert!((NOW.0 - AGE_MS_MAX..=NOW.0 + FUTURE_MS_MAX).contains(&time), "{time}");
            let again = Event::from_json(&serde_json::to_vec(&event).unwrap()).unwrap();
            assert_eq!(again, event);
        }
    }

    #[test]
    fn notes_are_bounded_and_survive() {
        let bad: Vec<Value> =
            (0..150).map(|number| json!([format!("bad key!{number}"), "v"])).collect();
        let event = normalized(json!({"tags": bad, "release": "a/b"}), Arrival::default());
        assert!(event.errors.len() <= protocol::lenient::FIELD_ERRORS_MAX);
        let again = Event::from_json(&serde_json::to_vec(&event).unwrap()).unwrap();
        assert_eq!(again.errors, event.errors);
    }

    #[test]
    fn bad_releases_and_environments_are_dropped_with_a_note() {
        let event = json!({"release": "a/b", "dist": "1", "environment": "none"});
        let event = normalized(event, Arrival::default());
        assert_eq!((event.release, event.dist, event.environment), (None, None, None));
        assert_eq!(event.errors.len(), 2);
    }

    #[track_caller]
    fn formats(template: &str, params: Value, expected: &str) {
        assert_eq!(format_template(template, &params), expected);
    }

    #[test]
    fn templates_are_filled() {
        formats("%s of %d, 100%", json!(["a", 2]), "a of 2, 100%");
        formats("%(who)s {0} {who} {}", json!({"who": "x"}), "x {0} x {}");
        formats("{} {1} {", json!(["a", "b"]), "a b {");
    }
}
