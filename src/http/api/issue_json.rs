//! An issue in Sentry's shape.

use protocol::short_id::short_id;
use serde_json::{Map, Value, json};

use super::activity::activity_json;
use super::issue_stats::{DAY, MONTH};
use super::organization::time;
use crate::db::issue::StoredIssue;
use crate::db::issue_count::TagCount;
use crate::db::issue_journal::Entry;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::http::origin::Origin;
use crate::ingest::summary::Metadata;

/// What an issue is called that has no title: there must be something to click.
const UNTITLED: &str = "<unlabeled event>";

/// Returns an issue as lists show it, without `stats`.
pub(super) fn issue_json(
    origin: &Origin,
    organization: &Organization,
    project: &Project,
    issue: &StoredIssue,
) -> Map<String, Value> {
    let short_id = short_id(&project.slug, issue.number);
    let page = format!("{origin}/{}/{}/issues/{short_id}/", organization.slug, project.slug);
    let is_unhandled = issue.is_unhandled_at_ms.is_some();
    let value = json!({
        "id": issue.id.to_string(),
        "shareId": null,
        "shortId": short_id,
        "title": if issue.title.is_empty() { UNTITLED } else { &issue.title },
        "culprit": issue.culprit,
        "permalink": page,
        "logger": issue.logger,
        "level": issue.level,
        "status": issue.status,
        "statusDetails": {},
        "substatus": substatus(&issue.status),
        "isPublic": false,
        "platform": issue.platform,
        "project": {
            "id": project.id.to_string(),
            "name": project.name,
            "slug": project.slug,
            "platform": project.platform,
        },
        "type": issue.kind,
        "metadata": metadata(&issue.metadata),
        "numComments": 0,
        "assignedTo": null,
        "isBookmarked": false,
        "isSubscribed": false,
        "subscriptionDetails": null,
        "hasSeen": false,
        "annotations": [],
        "issueType": "error",
        "issueCategory": "error",
        "priority": priority(&issue.level),
        "priorityLockedAt": null,
        "isUnhandled": is_unhandled,
        "count": issue.times_seen.to_string(),
        "userCount": issue.users_seen,
        "firstSeen": time(issue.first_seen_ms),
        "lastSeen": time(issue.last_seen_ms),
    });
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

/// What the page of one issue shows beyond a list.
pub(super) struct IssueExtras {
    /// Its tag values, the most frequent first.
    pub(super) tags: Vec<TagCount>,
    /// Events per hour of the last month.
    pub(super) hours: Vec<(i64, i64)>,
    /// What happened to it.
    pub(super) journal: Vec<Entry>,
}

/// Adds what the page of one issue shows beyond a list.
pub(super) fn add_extras(
    object: &mut Map<String, Value>,
    issue: &StoredIssue,
    slug: &str,
    extras: &IssueExtras,
    now_ms: i64,
) {
    let mut add = |key: &str, value: Value| object.insert(key.to_owned(), value);
    add("firstRelease", issue.first_release.as_deref().map_or(Value::Null, release_json));
    add("lastRelease", issue.last_release.as_deref().map_or(Value::Null, release_json));
    add("tags", tag_totals(&extras.tags));
    add(
        "stats",
        json!({
            DAY.name: DAY.bars(now_ms, &extras.hours),
            MONTH.name: MONTH.bars(now_ms, &extras.hours),
        }),
    );
    add("activity", activity_json(issue, slug, &extras.journal).into());
    for empty in ["seenBy", "participants", "pluginActions", "pluginIssues", "pluginContexts"] {
        add(empty, json!([]));
    }
    add("userReportCount", json!(0));
}

fn tag_totals(tags: &[TagCount]) -> Value {
    let mut totals: Vec<(&str, i64)> = Vec::new();
    for tag in tags {
        match totals.iter_mut().find(|(key, _)| *key == tag.key) {
            Some((_, total)) => *total += tag.n,
            None => totals.push((&tag.key, tag.n)),
        }
    }
    totals.sort_unstable();
    let one = |(key, total): (&str, i64)| json!({"key": key, "name": key, "totalValues": total});
    totals.into_iter().map(one).collect()
}

/// Returns a release of which only the name is known.
pub(super) fn release_json(version: &str) -> Value {
    json!({"version": version, "shortVersion": short_version(version)})
}

/// Leaves out the package of `package@version`, and most of a long hash.
fn short_version(version: &str) -> String {
    let short = version.split_once('@').map_or(version, |(_, version)| version);
    let is_hash = short.len() >= 40 && short.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hash { short[..12].to_owned() } else { short.to_owned() }
}

/// What is ignored here stays so: there are no conditions under which it comes back.
pub(super) fn substatus(status: &str) -> Option<&'static str> {
    match status {
        "unresolved" => Some("ongoing"),
        "ignored" => Some("archived_forever"),
        _ => None,
    }
}

fn priority(level: &str) -> &'static str {
    match level {
        "fatal" | "error" => "high",
        "warning" => "medium",
        _ => "low",
    }
}

fn metadata(stored: &str) -> Value {
    let metadata: Metadata = serde_json::from_str(stored).unwrap_or_default();
    let Metadata { kind, value, filename, function, unresolved_frames } = metadata;
    let mut object = Map::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            object.insert(key.to_owned(), value.into());
        }
    };
    // Sentry calls the text of a message `title`; `value` belongs to a type.
    add(if kind.is_empty() { "title" } else { "value" }, Some(value));
    add("type", Some(kind));
    add("filename", filename);
    add("function", function);
    object.insert("unresolvedFrames".to_owned(), unresolved_frames.into());
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_shortened_as_sentry_does() {
        assert_eq!(short_version("shop@1.2.0+7"), "1.2.0+7");
        assert_eq!(short_version("v7"), "v7");
        assert_eq!(short_version("4f5c1ab04f5c1ab04f5c1ab04f5c1ab04f5c1ab0"), "4f5c1ab04f5c");
    }

    #[test]
    fn metadata_tells_types_from_messages() {
        let stored = json!({"kind": "KeyError", "value": "x", "unresolved_frames": 2}).to_string();
        let expected = json!({"type": "KeyError", "value": "x", "unresolvedFrames": 2});
        assert_eq!(metadata(&stored), expected);
        let stored = json!({"value": "hello"}).to_string();
        assert_eq!(metadata(&stored), json!({"title": "hello", "unresolvedFrames": 0}));
    }
}
