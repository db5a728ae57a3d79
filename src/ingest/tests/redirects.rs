//! What becomes of issues whose events move, and of what people decided about them.

use pages::issue::IssueStatus;
use protocol::id::{IssueId, ProjectId};

use super::*;
use crate::db::issue::StoredIssue;
use crate::db::issue_journal::{self, Entry};
use crate::db::issue_search::{self, Filter, Place, Sort};
use crate::ingest::consistency;
use crate::issues::{named, status};

async fn live(app: &App) -> Vec<StoredIssue> {
    let mut live = Vec::new();
    for status in ["unresolved", "resolved", "ignored"] {
        let found = app.db.read(move |tx| {
            Box::pin(async move {
                let (order, filter) = ((Sort::default(), Place::START), Filter::default());
                issue_search::search(tx, ProjectId(PROJECT), status, &filter, order, 100).await
            })
        });
        live.extend(found.await.unwrap());
    }
    live
}

async fn named_by_id(app: &App, id: i64) -> Option<StoredIssue> {
    app.db.read(move |tx| Box::pin(named::by_id(tx, IssueId(id)))).await.unwrap()
}

async fn named_by_number(app: &App, number: i64) -> Option<StoredIssue> {
    app.db.read(move |tx| Box::pin(named::by_number(tx, ProjectId(PROJECT), number))).await.unwrap()
}

async fn journal(app: &App, id: i64) -> Vec<Entry> {
    app.db.read(move |tx| Box::pin(issue_journal::of_issue(tx, id))).await.unwrap()
}

async fn decide(app: &App, id: i64, to: IssueStatus) {
    status::set(app, ProjectId(PROJECT), &[IssueId(id)], to, "ann@example.com").await.unwrap();
}

/// Events of one unreadable issue, of which the file makes two: 2/3 of the events in one.
async fn unreadable(app: &App, numbers: &[u8]) -> StoredIssue {
    let rows = numbers.iter().map(|number| row(app, *number, &native_event(app, *number)));
    accept(app, rows.collect()).await;
    drain(app).await;
    let mut issues = live(app).await;
    assert_eq!(issues.len(), 1, "{issues:?}");
    issues.remove(0)
}

async fn assert_consistent(app: &App) {
    assert_eq!(consistency::check(app, None).await.unwrap().problems, Vec::<String>::new());
}

on_both_apps!(an_emptied_issue_leads_to_the_one_that_took_most, |app| {
    let old = unreadable(app, &[0, 2, 4, 1]).await;
    decide(app, old.id, IssueStatus::Ignored).await;
    upload(app, "inlined-dwarf5").await;
    drain(app).await;
    let issues = live(app).await;
    assert_eq!(issues.iter().map(|issue| issue.times_seen).sum::<i64>(), 4);
    let heir = issues.iter().find(|issue| issue.times_seen == 3).unwrap();
    assert_eq!(named_by_id(app, old.id).await.unwrap().id, heir.id);
    assert_eq!(named_by_number(app, old.number).await.unwrap().id, heir.id);
    assert!(issues.iter().all(|issue| issue.id != old.id && issue.status == "ignored"));
    // Both sides say what happened, and the decision about the old issue is told of the new one.
    let entries = journal(app, heir.id).await;
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds.len(), 3, "{entries:?}");
    let moved = entries.iter().find(|entry| entry.kind == "moved_in").unwrap();
    assert_eq!((moved.n, moved.other_number), (3, Some(old.number)));
    assert_eq!(moved.cause.as_deref(), Some("inlined-dwarf5"));
    let ignored = entries.iter().find(|entry| entry.kind == "ignored").unwrap();
    assert_eq!(ignored.actor.as_deref(), Some("ann@example.com"));
    assert_eq!(ignored.other_number, Some(old.number));
    assert!(journal(app, old.id).await.is_empty());
    assert_consistent(app).await;
});

on_both_apps!(what_comes_later_with_the_old_hash_opens_an_issue_of_its_own, |app| {
    let old = unreadable(app, &[0, 1]).await;
    upload(app, "inlined-dwarf5").await;
    drain(app).await;
    // The same words, but of an image that nobody knows.
    let mut event = native_event(app, 5);
    event["debug_meta"]["images"][0]["debug_id"] = json!("00000000-0000-4000-8000-000000000002");
    accept(app, vec![row(app, 5, &event)]).await;
    drain(app).await;
    let issues = live(app).await;
    assert_eq!(issues.len(), 3, "{issues:?}");
    let alone = issues.iter().find(|issue| issue.culprit.is_empty()).unwrap();
    assert!(alone.id != old.id && alone.number > old.number);
    assert_eq!((alone.status.as_str(), alone.times_seen), ("unresolved", 1));
    assert!(named_by_number(app, old.number).await.unwrap().id != alone.id);
    assert_consistent(app).await;
});

on_both_apps!(chains_of_redirects_collapse, |app| {
    let first = unreadable(app, &[1]).await;
    // A file that knows functions only groups by another name than one that knows inlined calls.
    upload(app, "symbols-only").await;
    drain(app).await;
    let second = live(app).await.remove(0);
    assert_ne!(first.id, second.id);
    upload(app, "inlined-dwarf5").await;
    drain(app).await;
    let third = live(app).await.remove(0);
    assert_ne!(second.id, third.id);
    for old in [&first, &second] {
        let to: Option<i64> = {
            let id = old.id;
            app.db.read(move |tx| Box::pin(crate::db::issue_redirect::by_id(tx, id))).await.unwrap()
        };
        assert_eq!(to, Some(third.id));
        assert_eq!(named_by_number(app, old.number).await.unwrap().id, third.id);
    }
    // Whoever still has the old page open decides about the new issue.
    decide(app, first.id, IssueStatus::Resolved).await;
    assert_eq!(named_by_id(app, third.id).await.unwrap().status, "resolved");
    assert_consistent(app).await;
});

/// Makes the readable issue first, so that events move to one that exists.
async fn with_target(app: &App) -> (StoredIssue, StoredIssue) {
    upload(app, "inlined-dwarf5").await;
    accept(app, vec![row(app, 0, &native_event(app, 0))]).await;
    drain(app).await;
    let target = live(app).await.remove(0);
    // As if its look-up had come before the file.
    let mut event = native_event(app, 2);
    event["debug_meta"]["images"][0]["debug_id"] = json!("00000000-0000-4000-8000-000000000002");
    accept(app, vec![row(app, 2, &event)]).await;
    drain(app).await;
    let old = live(app).await.into_iter().find(|issue| issue.id != target.id).unwrap();
    (target, old)
}

on_both_apps!(a_resolved_issue_is_reopened_by_an_event_received_later, |app| {
    let (target, old) = with_target(app).await;
    decide(app, target.id, IssueStatus::Resolved).await;
    set_status_changed(app, target.id, old.last_seen_ms.min(1)).await;
    arrive(app).await;
    let now = named_by_id(app, old.id).await.unwrap();
    assert_eq!((now.id, now.status.as_str(), now.times_seen), (target.id, "unresolved", 2));
    assert!(journal(app, target.id).await.iter().any(|entry| entry.kind == "regressed"));
    assert_consistent(app).await;
});

on_both_apps!(a_resolved_issue_stays_so_for_an_event_received_before, |app| {
    let (target, old) = with_target(app).await;
    decide(app, target.id, IssueStatus::Resolved).await;
    arrive(app).await;
    let now = named_by_id(app, old.id).await.unwrap();
    assert_eq!((now.id, now.status.as_str(), now.times_seen), (target.id, "resolved", 2));
    assert_consistent(app).await;
});

async fn set_status_changed(app: &App, id: i64, at_ms: i64) {
    let sql = "UPDATE issue SET status_changed_at_ms = $2 WHERE id = $1";
    app.db
        .write(move |tx| Box::pin(async move { tx.execute(sql, &[&id, &at_ms]).await }))
        .await
        .unwrap();
}

/// The file under the other debug id.
async fn arrive(app: &App) {
    upload_as(app, "inlined-dwarf5", "00000000-0000-4000-8000-000000000002").await;
    drain(app).await;
}

on_both_apps!(an_issue_whose_other_events_expired_hands_its_counts_over, |app| {
    let old = unreadable(app, &[0, 2]).await;
    // Retention removed one event; it stays counted.
    app.db
        .write(|tx| {
            Box::pin(async move {
                tx.execute("DELETE FROM event WHERE id = (SELECT MIN(id) FROM event)", &[]).await
            })
        })
        .await
        .unwrap();
    upload(app, "inlined-dwarf5").await;
    drain(app).await;
    let heir = named_by_id(app, old.id).await.unwrap();
    assert_ne!(heir.id, old.id);
    assert_eq!((heir.times_seen, heir.users_seen), (2, 1));
    assert_eq!(heir.first_seen_ms, old.first_seen_ms);
});
