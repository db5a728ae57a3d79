//! An event in Sentry's shapes: a line of a list, and everything.

use pages::help::UploadHelp;
use pages::source::Contexts;
use protocol::event::{Event, User};
use protocol::id::EventId;
use protocol::lenient::EventError;
use serde_json::{Map, Value, json};

use super::entries::entries;
use super::frame_json::or_null;
use super::issue_json::release_json;
use super::organization::time;
use crate::grouping;
use crate::grouping::culprit::{crash_frame, culprit};
use crate::grouping::title::title;
use crate::ingest::tags;

/// A kept event, decoded.
#[derive(Debug, Clone)]
pub(super) struct Decoded {
    /// Its row.
    pub(super) row: i64,
    /// Its project.
    pub(super) project_id: i64,
    /// Its issue.
    pub(super) issue_id: i64,
    /// Its id.
    pub(super) event_id: EventId,
    /// When it was accepted.
    pub(super) received_at_ms: i64,
    /// When it happened.
    pub(super) occurred_at_ms: i64,
    /// Bytes of its JSON.
    pub(super) size: usize,
    /// The result.
    pub(super) event: Event,
}

/// Returns a line of a list. It has no `project`: sentry-cli refuses a text there and npm `sentry` a number.
pub(super) fn item_json(decoded: &Decoded) -> Map<String, Value> {
    let Decoded { event, .. } = decoded;
    let id = decoded.event_id.to_string();
    let frame = crash_frame(event);
    let title = title(event);
    let kind = event.kind.as_deref().unwrap_or("default");
    let value = json!({
        "id": id,
        "eventID": id,
        "event.type": kind,
        "type": kind,
        "groupID": decoded.issue_id.to_string(),
        "projectID": decoded.project_id.to_string(),
        "message": event.logentry.as_ref().map(|entry| entry.text()).unwrap_or_default(),
        "title": if title.title.is_empty() { "<unlabeled event>" } else { &title.title },
        "location": frame.and_then(|frame| frame.filename.as_deref()),
        "culprit": culprit(event),
        "user": event.user.as_ref().map(user_json),
        "tags": tags_json(event),
        "platform": event.platform,
        "dateCreated": time(decoded.occurred_at_ms),
        "crashFile": null,
    });
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// What an event's page shows beside the event itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// Source lines from uploaded files.
    pub(super) contexts: Contexts,
    /// The next older event of the issue.
    pub(super) previous: Option<EventId>,
    /// The next newer event of the issue.
    pub(super) next: Option<EventId>,
    /// The minidump or crash report it came from, in Sentry's shape.
    pub(super) crash_file: Value,
    /// What the commands need that bring missing files.
    pub(super) help: UploadHelp,
}

/// Returns everything about an event.
pub(super) fn detail_json(decoded: &Decoded, around: &Surroundings) -> Value {
    let Decoded { event, .. } = decoded;
    let mut object = item_json(decoded);
    let title = title(event);
    let frame = crash_frame(event);
    let rest = json!({
        "size": decoded.size,
        "dist": event.dist,
        "contexts": contexts(event),
        "sdk": event.sdk,
        "context": event.extra,
        "packages": event.modules,
        "metadata": {
            "type": title.kind,
            "value": title.value,
            "filename": frame.and_then(|frame| frame.filename.as_deref()),
            "function": frame.and_then(|frame| frame.function.as_deref()),
        },
        "dateReceived": time(decoded.received_at_ms),
        "errors": errors_json(&event.errors),
        "occurrence": null,
        "_meta": {},
        "crashFile": around.crash_file,
        "fingerprints": [hex::encode(grouping::fingerprint(event).hash.0)],
        "groupingConfig": {"id": format!("symbolist:{}", grouping::VERSION), "enhancements": ""},
        "release": event.release.as_deref().map(release_json),
        "userReport": null,
        "sdkUpdates": [],
        "resolvedWith": [],
        "nextEventID": around.next.map(|id| id.to_string()),
        "previousEventID": around.previous.map(|id| id.to_string()),
        "entries": entries(event, &around.contexts, &around.help),
    });
    if let Value::Object(rest) = rest {
        object.extend(rest);
    }
    Value::Object(object)
}

fn tags_json(event: &Event) -> Value {
    let mut tags = tags::counted(event);
    tags.sort();
    tags.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

/// The user; clients want `geo` to have nothing but texts.
fn user_json(user: &User) -> Value {
    let geo = user.geo.iter().filter(|(_, value)| value.is_string());
    let geo: Map<String, Value> = geo.map(|(key, value)| (key.clone(), value.clone())).collect();
    json!({
        "id": user.id,
        "email": user.email,
        "username": user.username,
        "name": user.name,
        "ip_address": user.ip_address,
        "geo": or_null(&geo),
        "data": or_null(&user.data),
    })
}

/// The contexts; clients want every one of them to be an object.
fn contexts(event: &Event) -> Map<String, Value> {
    let objects = event.contexts.iter().filter(|(_, value)| value.is_object());
    objects.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Errors that are worth showing: not those of single breadcrumbs, tags and frames.
fn errors_json(errors: &[EventError]) -> Value {
    let is_hidden = |error: &&EventError| {
        let name = error.name.as_str();
        ["breadcrumbs", "extra", "tags"].iter().any(|part| {
            name.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        }) || name.contains(".frames.")
    };
    let one = |error: &EventError| {
        json!({
            "type": error.kind,
            "message": message(error),
            "data": {"name": error.name, "value": error.value},
        })
    };
    errors.iter().filter(|error| !is_hidden(error)).map(one).collect()
}

fn message(error: &EventError) -> String {
    let kind = error.kind.replace('_', " ");
    match &error.value {
        Some(value) => format!("{kind}: {} is {value}", error.name),
        None => format!("{kind}: {}", error.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: Value) -> Decoded {
        Decoded {
            row: 1,
            project_id: 2,
            issue_id: 3,
            event_id: "9c7d8f0e1a2b4c3d8e4f5a6b7c8d9e0f".parse().unwrap(),
            received_at_ms: 1_795_226_127_147,
            occurred_at_ms: 1_795_226_127_000,
            size: 9,
            event: Event::from_json(value.to_string().as_bytes()).unwrap(),
        }
    }

    #[test]
    fn a_line_of_a_list_is_as_sentry_cli_reads_it() {
        let item = item_json(&decoded(json!({
            "exception": [{"type": "KeyError", "value": "x"}],
            "tags": {"b": "2", "a": "1"},
            "user": {"id": "7", "geo": {"city": "Graz", "zip": 8010}},
        })));
        assert_eq!(item["eventID"], "9c7d8f0e1a2b4c3d8e4f5a6b7c8d9e0f");
        assert!(!item.contains_key("event_id") && !item.contains_key("project"));
        assert_eq!(item["title"], "KeyError: x");
        assert_eq!(item["dateCreated"], "2026-11-21T01:55:27.000Z");
        assert_eq!(item["tags"][0], json!({"key": "a", "value": "1"}));
        assert_eq!(item["user"]["geo"], json!({"city": "Graz"}));
        assert_eq!(item["user"]["ip_address"], Value::Null);
    }

    #[test]
    fn everything_has_every_key() {
        let detail = detail_json(
            &decoded(json!({"contexts": {"a": {}, "b": "text"}})),
            &Surroundings::default(),
        );
        for key in [
            "_meta",
            "context",
            "contexts",
            "crashFile",
            "culprit",
            "dateCreated",
            "dateReceived",
            "dist",
            "entries",
            "errors",
            "eventID",
            "fingerprints",
            "groupID",
            "groupingConfig",
            "id",
            "location",
            "message",
            "metadata",
            "nextEventID",
            "occurrence",
            "packages",
            "platform",
            "previousEventID",
            "projectID",
            "release",
            "resolvedWith",
            "sdk",
            "sdkUpdates",
            "size",
            "tags",
            "title",
            "type",
            "user",
            "userReport",
        ] {
            assert!(detail.get(key).is_some(), "{key}");
        }
        assert_eq!(detail["title"], "<unlabeled event>");
        assert_eq!(detail["contexts"], json!({"a": {}}));
    }

    #[test]
    fn errors_of_small_parts_are_hidden() {
        let error = |name: &str| EventError::new("invalid_data", name, Some("1".to_owned()));
        let errors = [error("tags"), error("tags.x"), error("a.frames.1"), error("release")];
        let shown = errors_json(&errors);
        assert_eq!(shown.as_array().unwrap().len(), 1);
        assert_eq!(shown[0]["message"], "invalid data: release is 1");
    }
}
