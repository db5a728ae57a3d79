use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;
use crate::db::event::StoredEvent;
use crate::ingest::moves::Change;
use crate::ingest::redigest::{self, Reason, Report};
use crate::ingest::stored::Unpacker;
use crate::ingest::{digest, keep, look_up, tags};

const EVENTS: u8 = 8;

/// Sends the events and the file in an order, with work done in between or not, and returns the issues.
async fn live(app: &App, rows: &[Accepted], random: &mut StdRng) -> Vec<String> {
    let mut order: Vec<Option<Accepted>> = rows.iter().cloned().map(Some).collect();
    order.insert(random.random_range(0..=order.len()), None);
    for place in 0..order.len() {
        let other = random.random_range(place..order.len());
        order.swap(place, other);
    }
    for step in order {
        match step {
            Some(row) => accept(app, vec![row]).await,
            None => upload(app, "inlined-dwarf5").await,
        }
        match random.random_range(0..4) {
            0 => drop(jobs::digest::work(app).await.unwrap()),
            1 => drop(jobs::resymbolicate::work(app).await.unwrap()),
            2 => drain(app).await,
            _ => {}
        }
    }
    drain(app).await;
    issues(app).await
}

/// The user hash has a secret per installation, so the orders share one and clear it in between.
async fn clear(app: &App) {
    app.db
        .write(|tx| {
            Box::pin(async move {
                for sql in [
                    "DELETE FROM event",
                    "DELETE FROM issue",
                    "DELETE FROM group_hash",
                    "DELETE FROM issue_user",
                    "DELETE FROM issue_tag",
                    "DELETE FROM issue_hour",
                    "DELETE FROM debug_file",
                    "DELETE FROM file_key",
                    "DELETE FROM missing_file",
                    "DELETE FROM missing_key",
                    "DELETE FROM issue_redirect",
                    "DELETE FROM issue_journal",
                    "DELETE FROM job",
                ] {
                    tx.execute(sql, &[]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

on_both_apps!(the_order_of_events_and_file_does_not_show, |app| {
    let rows: Vec<Accepted> =
        (0..EVENTS).map(|number| row(app, number, &native_event(app, number))).collect();
    upload(app, "inlined-dwarf5").await;
    accept(app, rows.clone()).await;
    drain(app).await;
    let expected = issues(app).await;
    assert_eq!(expected.len(), 2, "{expected:?}");
    assert!(expected[0].contains("panic: boom in leaf"), "{expected:?}");
    for seed in 0..12 {
        clear(app).await;
        let found = live(app, &rows, &mut StdRng::seed_from_u64(seed)).await;
        assert_eq!(found, expected, "order {seed}");
    }
});

async fn stored(app: &App) -> Vec<(i64, i64, Vec<u8>)> {
    app.db.read(|tx| Box::pin(read_stored(tx))).await.unwrap()
}

async fn read_stored(tx: &mut Tx<'_>) -> crate::error::Result<Vec<(i64, i64, Vec<u8>)>> {
    tx.all("SELECT id, issue_id, result FROM event ORDER BY id", &[]).await
}

async fn again(app: &App, event: StoredEvent) -> Report {
    let report = redigest::redigest(app, vec![event], Reason::Files).await.unwrap();
    assert_eq!(report.failed, []);
    report
}

async fn kept(app: &App, id: i64) -> StoredEvent {
    let row = app.db.read(move |tx| Box::pin(crate::db::event::by_row(tx, id))).await;
    row.unwrap().unwrap()
}

on_both_apps!(digesting_again_without_a_new_file_changes_nothing, |app| {
    let rows = (0..EVENTS).map(|number| row(app, number, &native_event(app, number))).collect();
    accept(app, rows).await;
    drain(app).await;
    let before = (issues(app).await, stored(app).await);
    for (id, ..) in &before.1 {
        let report = again(app, kept(app, *id).await).await;
        assert_eq!((report.done, report.changed, report.moved), (1, 0, 0));
    }
    assert_eq!((issues(app).await, stored(app).await), before);
});

/// How many events wait to be digested again, and how many for a file.
async fn waiting(app: &App) -> (i64, i64) {
    app.db
        .read(|tx| {
            Box::pin(async move {
                tx.one(
                    "SELECT (SELECT COUNT(*) FROM event WHERE redigest_at_ms IS NOT NULL),
                       (SELECT COUNT(*) FROM missing_file WHERE key LIKE 'debug-id:%')",
                    &[],
                )
                .await
            })
        })
        .await
        .unwrap()
}

on_both_apps!(a_file_that_arrives_between_look_up_and_commit_is_not_forgotten, |app| {
    // At the first digest…
    let row = row(app, 1, &native_event(app, 1));
    let (original, native) = digest::prepare(row, &Unpacker::default()).unwrap();
    let concluder = digest::Concluder::of(app, std::iter::once(&original)).await.unwrap();
    let events = vec![(original.project, native.clone())];
    let looked = look_up::all(app, events.clone()).await.unwrap().remove(0);
    let digested = concluder.conclude(&original, looked.unwrap()).unwrap();
    upload(app, "symbols-only").await;
    // Nothing waits for it yet.
    assert!(jobs::resymbolicate::work(app).await.unwrap());
    assert!(!jobs::resymbolicate::work(app).await.unwrap());
    keep::keep(app, vec![(0, digested)]).await.unwrap();
    assert_eq!(waiting(app).await.0, 1);
    drain(app).await;
    assert!(issues(app).await[0].contains("panic: boom in outer"));
    // …and at a later one.
    let (id, ..) = stored(app).await[0];
    let event = kept(app, id).await;
    let looked = look_up::all(app, events).await.unwrap().remove(0);
    let digested = concluder.conclude(&original, looked.unwrap()).unwrap();
    upload(app, "inlined-dwarf5").await;
    let old_tags = tags::counted(&native);
    let change =
        Change { row: event, digested, old_tags, old_frames: BTreeMap::new(), is_changed: true };
    redigest::keep(app, vec![change], Reason::Files, Report::default()).await.unwrap();
    assert_eq!(waiting(app).await.0, 1);
    drain(app).await;
    assert!(issues(app).await[0].contains("panic: boom in leaf"), "{:?}", issues(app).await);
    assert_eq!(waiting(app).await, (0, 0));
});

on_both_apps!(a_file_that_does_not_help_is_looked_at_once, |app| {
    upload(app, "symbols-only").await;
    accept(app, vec![row(app, 1, &native_event(app, 1))]).await;
    drain(app).await;
    // Its functions are known, its lines are not: it waits for a better file, and does not go round.
    assert_eq!(waiting(app).await, (0, 1));
    assert!(!jobs::resymbolicate::work(app).await.unwrap());
    upload(app, "inlined-dwarf5").await;
    drain(app).await;
    assert_eq!(waiting(app).await, (0, 0));
    assert!(issues(app).await[0].contains("panic: boom in leaf"));
});

on_both_apps!(two_replicas_that_digest_one_event_again_count_it_once, |app| {
    let rows = (0..EVENTS).map(|number| row(app, number, &native_event(app, number))).collect();
    accept(app, rows).await;
    drain(app).await;
    upload(app, "inlined-dwarf5").await;
    let mut both = Vec::new();
    for (id, ..) in stored(app).await {
        let (one, other) = (kept(app, id).await, kept(app, id).await);
        both.push(async move { tokio::join!(again(app, one), again(app, other)) });
    }
    for (one, other) in futures_util::future::join_all(both).await {
        assert_eq!(one.moved + other.moved, 1);
    }
    drain(app).await;
    let issues = issues(app).await;
    assert_eq!(issues.len(), 2, "{issues:?}");
    assert!(
        issues.iter().all(|issue| issue.contains(": (4, 1)") && issue.contains(" 4 [")),
        "{issues:?}"
    );
});
