//! What happened to an issue, in Sentry's shape.

use axum::Json;
use axum::extract::State;
use protocol::short_id::short_id;
use serde_json::{Value, json};

use super::organization::time;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::db::issue::StoredIssue;
use crate::db::issue_journal::{self, Entry};
use crate::error::Result;
use crate::http::issue_access::IssueAccess;
use crate::issues::journal::Kind;

/// `GET …/issues/{issue}/activities/`, the newest first.
pub(crate) async fn list(
    State(app): State<App>,
    at: IssueAccess<ReadEvents>,
) -> Result<Json<Value>> {
    let (issue, slug) = (at.found.issue, at.found.project.slug);
    let id = issue.id;
    let entries = app
        .db
        .read(move |tx| Box::pin(async move { issue_journal::of_issue(tx, id).await }))
        .await?;
    Ok(Json(json!({"activity": activity_json(&issue, &slug, &entries)})))
}

/// Returns the journal of an issue, ending with how it began.
pub(super) fn activity_json(issue: &StoredIssue, slug: &str, entries: &[Entry]) -> Vec<Value> {
    let first_seen = json!({
        "id": "0",
        "type": "first_seen",
        "user": null,
        "data": {},
        "dateCreated": time(issue.first_seen_ms),
    });
    let entries = entries.iter().filter_map(|entry| entry_json(entry, slug));
    entries.chain([first_seen]).collect()
}

/// One entry; `None` where a newer version wrote it.
///
/// Types are Sentry's. Sentry says `reprocess` of an issue that was digested again as a whole, and names the
/// issues by `oldGroupId` and `newGroupId`; here it is said on both sides.
fn entry_json(entry: &Entry, slug: &str) -> Option<Value> {
    let kind = Kind::from_text(&entry.kind)?;
    let other_id = entry.other_issue_id.map(|id| id.to_string());
    let other_short_id =
        entry.other_number.filter(|number| *number > 0).map(|number| short_id(slug, number));
    let own_id = Some(entry.issue_id.to_string());
    let moved = |from: &Option<String>, to: &Option<String>, direction: &str| {
        json!({
            "eventCount": entry.n,
            "oldGroupId": from,
            "newGroupId": to,
            "direction": direction,
            "otherShortId": other_short_id,
            "cause": entry.cause,
        })
    };
    let decided = json!({"shortId": other_short_id});
    let (name, data) = match kind {
        Kind::MovedIn => ("reprocess", moved(&other_id, &own_id, "in")),
        Kind::MovedOut => ("reprocess", moved(&own_id, &other_id, "out")),
        Kind::Redirect => {
            ("merge", json!({"issues": [{"id": other_id, "shortId": other_short_id}]}))
        }
        Kind::Resolved => ("set_resolved", decided),
        Kind::Ignored => ("set_ignored", decided),
        Kind::Unresolved => ("set_unresolved", decided),
        Kind::Regressed => ("set_regression", json!({})),
    };
    let user = entry.actor.as_ref().map(|name| json!({"name": name}));
    Some(json!({
        "id": entry.id.to_string(),
        "type": name,
        "user": user,
        "data": data,
        "dateCreated": time(entry.at_ms),
    }))
}
