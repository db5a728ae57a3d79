//! Digesting stored events again because somebody asked for it.

use super::*;
use crate::db::redigest_run::Scope;
use crate::ingest::redigest_run::{self, Going};
use crate::ingest::stored::Unpacker;
use crate::ingest::{consistency, stored};

const ALL: Scope = Scope { project_id: None, issue_id: None, since_ms: 0 };
const EVENTS: u8 = 40;

async fn filled(app: &App) -> Vec<String> {
    upload(app, "inlined-dwarf5").await;
    accept(app, (0..EVENTS).map(|number| row(app, number, &native_event(app, number))).collect())
        .await;
    drain(app).await;
    issues(app).await
}

async fn execute(app: &App, sql: &'static str) {
    app.db.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
}

async fn finish(app: &App, going: &mut Going) {
    while redigest_run::step(app, going).await.unwrap() {}
}

async fn run(app: &App, scope: Scope) -> Going {
    let mut going = redigest_run::go_on(app, scope, false).await.unwrap();
    finish(app, &mut going).await;
    going
}

async fn assert_consistent(app: &App) {
    assert_eq!(consistency::check(app, None).await.unwrap().problems, Vec::<String>::new());
}

on_both_apps!(a_run_over_what_is_as_it_should_be_changes_nothing, |app| {
    let before = filled(app).await;
    let run = run(app, ALL).await.run;
    assert_eq!((run.done, run.changed, run.moved, run.failed), (40, 0, 0, 0));
    assert_eq!(issues(app).await, before);
    assert_consistent(app).await;
});

on_both_apps!(events_of_an_older_grouping_are_regrouped_and_an_interrupted_run_goes_on, |app| {
    let before = filled(app).await;
    // As an older version grouped them: under hashes that no event has today.
    let forget = app.db.dialect().pick(
        "UPDATE group_hash SET version = 0, hash = CAST('old' || issue_id AS BLOB)",
        "UPDATE group_hash SET version = 0, hash = CAST('old' || issue_id AS BYTEA)",
    );
    execute(app, forget).await;
    let mut going = redigest_run::go_on(app, ALL, false).await.unwrap();
    assert_eq!((going.left, going.is_resumed), (40, false));
    assert!(redigest_run::step(app, &mut going).await.unwrap());
    assert_eq!((going.run.done, going.run.moved), (32, 32));
    // All counts are right on the way; only the events that are left have hashes of today in old issues.
    let problems = consistency::check(app, None).await.unwrap().problems;
    assert!(problems.iter().all(|problem| problem.contains("symbolist redigest")), "{problems:?}");
    // The process ends here; the next one goes on.
    let mut going = redigest_run::go_on(app, ALL, false).await.unwrap();
    assert_eq!((going.left, going.is_resumed, going.run.done), (8, true, 32));
    finish(app, &mut going).await;
    assert_eq!((going.run.done, going.run.moved, going.run.failed), (40, 40, 0));
    assert_eq!(issues(app).await, before);
    assert_consistent(app).await;
    // Done is done: the same again is a new run, and changes nothing.
    let again = run(app, ALL).await;
    assert_eq!((again.is_resumed, again.run.done, again.run.changed), (false, 40, 0));
});

on_both_apps!(events_that_were_kept_without_look_up_are_looked_up, |app| {
    let before = filled(app).await;
    // As if nothing had been symbolicated: results are the originals.
    let select = "SELECT id, original, result FROM event";
    let rows: Vec<(i64, Vec<u8>, Vec<u8>)> =
        app.db.read(move |tx| Box::pin(async move { tx.all(select, &[]).await })).await.unwrap();
    for (id, original, result) in rows {
        let json = Unpacker::default().original_json(&original, &result).unwrap();
        let result = stored::pack(&json, &json, None).unwrap().result;
        app.db
            .write(move |tx| {
                let result = result.clone();
                let sql = "UPDATE event SET result = $2 WHERE id = $1";
                Box::pin(async move { tx.execute(sql, &[&id, &result]).await })
            })
            .await
            .unwrap();
    }
    let run = run(app, ALL).await.run;
    assert_eq!((run.done, run.changed, run.moved, run.failed), (40, 40, 0, 0));
    assert_eq!(issues(app).await, before);
    assert_consistent(app).await;
});

on_both_apps!(todays_scrubbing_reaches_what_was_kept, |app| {
    let event = json!({"message": "m", "user": {"id": "1"}, "extra": {"note": "hello"}});
    accept(app, vec![row(app, 1, &event)]).await;
    drain(app).await;
    // As an older version kept it, which did not know that word.
    let select = "SELECT id, original, result FROM event";
    let kept: (i64, Vec<u8>, Vec<u8>) =
        app.db.read(move |tx| Box::pin(async move { tx.one(select, &[]).await })).await.unwrap();
    let json = Unpacker::default().original_json(&kept.1, &kept.2).unwrap();
    let mut old = stored::event(&json).unwrap();
    old.extra.insert("password".to_owned(), json!("hunter2"));
    let old = stored::json(&old, 0).unwrap();
    let forms = stored::pack(&old, &old, None).unwrap();
    app.db
        .write(move |tx| {
            let (id, forms) = (kept.0, forms.clone());
            let sql = "UPDATE event SET original = $2, result = $3 WHERE id = $1";
            Box::pin(async move { tx.execute(sql, &[&id, &forms.original, &forms.result]).await })
        })
        .await
        .unwrap();
    let run = run(app, ALL).await.run;
    assert_eq!((run.changed, run.moved), (1, 0));
    let (original, result): (Vec<u8>, Vec<u8>) = app
        .db
        .read(|tx| Box::pin(async move { tx.one("SELECT original, result FROM event", &[]).await }))
        .await
        .unwrap();
    let none = Unpacker::default();
    for json in [none.original_json(&original, &result), none.result_json(&original, &result)] {
        let text = String::from_utf8(json.unwrap()).unwrap();
        assert!(text.contains("hello") && !text.contains("hunter2"), "{text}");
    }
    assert_consistent(app).await;
});

on_both_apps!(a_run_has_a_scope, |app| {
    filled(app).await;
    let other = Scope { project_id: Some(PROJECT + 1), ..ALL };
    assert_eq!(run(app, other).await.run.done, 0);
    let project = Scope { project_id: Some(PROJECT), ..ALL };
    assert_eq!(run(app, project).await.run.done, 40);
    let issue: i64 = app
        .db
        .read(|tx| Box::pin(async move { tx.one("SELECT MIN(id) FROM issue", &[]).await }))
        .await
        .unwrap();
    let issue = Scope { issue_id: Some(issue), ..project };
    assert_eq!(run(app, issue).await.run.done, 20);
    let since = Scope { since_ms: app.clock.now_ms() + 3_600_000, ..ALL };
    assert_eq!(run(app, since).await.run.done, 0);
});
