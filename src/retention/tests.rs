use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::blobs::{BlobKey, Hashed, Sha1};
use crate::db::accepted::{self, Accepted};
use crate::db::attachment::{self, Attachment};
use crate::db::chunk;
use crate::ingest::accept::Sender;
use crate::jobs;

/// Makes two tests of one body over `&App` with settings: `name::sqlite` and `name::postgres`.
macro_rules! on_both_apps {
    ($name:ident, $settings:expr, |$app:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check($app: &crate::app::App) $body

            #[tokio::test]
            async fn sqlite() {
                check(&*crate::app::testing::TestApp::with($settings).await).await;
            }

            #[tokio::test]
            async fn postgres() {
                check(&*crate::app::testing::TestApp::postgres_with($settings).await).await;
            }
        }
    };
}

const PROJECT: i64 = 1;
/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Accepts events with a message, numbered so that their ids differ.
async fn accept(app: &App, message: &str, numbers: std::ops::Range<u16>) {
    let row = |number: u16| Accepted {
        id: app.clock.new_id(),
        project_id: PROJECT,
        event_id: event_id(number),
        received_at_ms: app.clock.now_ms(),
        attempts: 0,
        alone_attempts: 0,
        sender: serde_json::to_string(&Sender::default()).unwrap(),
        payload: json!({"message": message, "extra": {"n": number}}).to_string().into_bytes(),
    };
    let rows: Vec<Accepted> = numbers.map(row).collect();
    app.db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                for row in &rows {
                    accepted::insert(tx, &[row]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

fn event_id(number: u16) -> Vec<u8> {
    [number.to_be_bytes().as_slice(), &[7; 14]].concat()
}

async fn digest(app: &App) {
    while jobs::digest::work(app).await.unwrap() {}
}

/// Stores a blob and an attachment that names it.
async fn attach(app: &App, number: u16, content: &'static [u8]) -> BlobKey {
    let blob = app.blobs.put_bytes(Bytes::from_static(content)).await.unwrap();
    let row = Attachment {
        id: app.clock.new_id(),
        project_id: PROJECT,
        event_id: event_id(number),
        received_at_ms: app.clock.now_ms(),
        name: "log".to_owned(),
        content_type: "text/plain".to_owned(),
        kind: "event.attachment".to_owned(),
        size: content.len() as i64,
        sha256: blob.0.to_vec(),
        body: None,
    };
    app.db
        .write(move |tx| {
            let row = row.clone();
            Box::pin(async move { attachment::insert(tx, &[&row]).await })
        })
        .await
        .unwrap();
    blob
}

async fn number(app: &App, sql: &'static str) -> i64 {
    app.db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap()
}

/// Title, events that are counted and events that are there, of each issue.
async fn issues(app: &App) -> Vec<(String, i64, i64)> {
    app.db
        .read(|tx| {
            Box::pin(async move {
                tx.all(
                    "SELECT title, times_seen, (SELECT COUNT(*) FROM event e WHERE e.issue_id = i.id)
                     FROM issue i
                     ORDER BY title",
                    &[],
                )
                .await
            })
        })
        .await
        .unwrap()
}

fn issue(title: &str, counted: i64, kept: i64) -> (String, i64, i64) {
    (title.to_owned(), counted, kept)
}

async fn ignore(app: &App, title: &'static str) {
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE issue SET status = 'ignored' WHERE title = $1";
                tx.execute(sql, &[&title]).await
            })
        })
        .await
        .unwrap();
}

on_both_apps!(old_events_go_with_their_issues_but_not_what_was_ignored, &[], |app| {
    accept(app, "noisy", 0..250).await;
    accept(app, "ignored", 250..260).await;
    digest(app).await;
    ignore(app, "ignored").await;
    let now_ms = app.clock.now_ms();
    assert_eq!(round(app, now_ms + 89 * DAY_MS).await.unwrap(), Deleted::default());
    let deleted = round(app, now_ms + 91 * DAY_MS).await.unwrap();
    assert_eq!((deleted.events, deleted.issues), (259, 1));
    assert!(deleted.bytes > 259);
    assert_eq!(issues(app).await, [issue("ignored", 10, 1)], "counts are history");
    let leftovers =
        "SELECT (SELECT COUNT(*) FROM missing_file) + (SELECT COUNT(*) FROM group_hash)";
    assert_eq!(number(app, leftovers).await, 1);
    assert_eq!(round(app, now_ms + 92 * DAY_MS).await.unwrap(), Deleted::default());
    // The same error again is a new issue.
    accept(app, "noisy", 300..301).await;
    digest(app).await;
    assert_eq!(issues(app).await, [issue("ignored", 10, 1), issue("noisy", 1, 1)]);
});

on_both_apps!(
    events_are_kept_for_ever_if_the_operator_says_so,
    &[("SYMBOLIST_RETENTION_AGE", "0s")],
    |app| {
        accept(app, "old", 0..3).await;
        digest(app).await;
        let deleted = round(app, app.clock.now_ms() + 9_000 * DAY_MS).await.unwrap();
        assert_eq!(deleted, Deleted::default());
    }
);

on_both_apps!(
    a_noisy_issue_does_not_push_out_a_rare_one,
    &[("SYMBOLIST_RETENTION_EVENTS_MAX", "120")],
    |app| {
        accept(app, "rare", 0..1).await;
        digest(app).await;
        accept(app, "noisy", 1..400).await;
        digest(app).await;
        let deleted = round(app, app.clock.now_ms()).await.unwrap();
        assert_eq!((deleted.events, deleted.issues), (280, 0));
        assert_eq!(issues(app).await, [issue("noisy", 399, 119), issue("rare", 1, 1)]);
        assert_eq!(round(app, app.clock.now_ms()).await.unwrap(), Deleted::default());
    }
);

on_both_apps!(
    more_issues_than_events_may_be_kept_lose_the_oldest,
    &[("SYMBOLIST_RETENTION_EVENTS_MAX", "2")],
    |app| {
        for (place, message) in ["ignored", "first", "second", "third"].into_iter().enumerate() {
            accept(app, message, place as u16..place as u16 + 1).await;
            digest(app).await;
        }
        ignore(app, "ignored").await;
        let deleted = round(app, app.clock.now_ms()).await.unwrap();
        assert_eq!((deleted.events, deleted.issues), (2, 2));
        assert_eq!(issues(app).await, [issue("ignored", 1, 1), issue("third", 1, 1)]);
    }
);

on_both_apps!(
    a_budget_of_bytes_counts_attachments,
    &[("SYMBOLIST_RETENTION_BYTES_MAX", "40KB")],
    |app| {
        accept(app, "with logs", 0..20).await;
        digest(app).await;
        for number in 0..10 {
            attach(app, number, &[b'l'; 10_000]).await;
        }
        let deleted = round(app, app.clock.now_ms()).await.unwrap();
        assert!(deleted.events > 0 && deleted.attachments >= 6, "{deleted:?}");
        let left = app.db.read(|tx| Box::pin(rows::bytes(tx))).await.unwrap();
        assert!(left <= 40_000, "{left} bytes are left");
    }
);

on_both_apps!(blobs_go_a_day_after_their_last_row, &[], |app| {
    accept(app, "with logs", 0..2).await;
    digest(app).await;
    let own = attach(app, 0, b"only one event has this").await;
    attach(app, 1, b"only one event has this").await;
    let shared = attach(app, 1, b"this is an uploaded chunk too").await;
    let orphan = attach(app, 9, b"its event never came").await;
    let hashed = Hashed { sha1: Sha1([1; 20]), key: shared, size: 29 };
    app.db
        .write(move |tx| Box::pin(async move { chunk::upsert(tx, 1, &[hashed], 0).await }))
        .await
        .unwrap();
    let later_ms = app.clock.now_ms() + 91 * DAY_MS;
    let deleted = round(app, later_ms).await.unwrap();
    assert_eq!((deleted.events, deleted.attachments, deleted.blobs), (2, 4, 0));
    for blob in [own, shared, orphan] {
        assert!(app.blobs.exists(blob).await.unwrap(), "somebody may be about to name it again");
    }
    // Somebody is: it stays for another day from then on.
    garbage::spare(app, own).await.unwrap();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                blob_garbage::note(tx, &[own.0.to_vec()], later_ms + 2 * GRACE_MS).await
            })
        })
        .await
        .unwrap();
    let deleted = round(app, later_ms + GRACE_MS).await.unwrap();
    assert_eq!(deleted.blobs, 1);
    assert!(app.blobs.exists(own).await.unwrap());
    assert!(app.blobs.exists(shared).await.unwrap(), "a row names it");
    assert!(!app.blobs.exists(orphan).await.unwrap());
    assert_eq!(round(app, later_ms + 2 * GRACE_MS).await.unwrap().blobs, 1);
    assert!(!app.blobs.exists(own).await.unwrap());
    assert_eq!(number(app, "SELECT COUNT(*) FROM blob_garbage").await, 0);
});

on_both_apps!(a_blob_that_is_being_deleted_is_waited_for, &[], |app| {
    let blob = BlobKey::of(b"in between");
    let claim = app.db.write(move |tx| {
        Box::pin(async move {
            blob_garbage::note(tx, &[blob.0.to_vec()], 0).await?;
            blob_garbage::claim(tx, 1_000, 0, 10).await
        })
    });
    assert_eq!(claim.await.unwrap(), [blob.0.to_vec()]);
    let forget = async {
        tokio::task::yield_now().await;
        app.db
            .write(move |tx| Box::pin(async move { blob_garbage::forget(tx, &blob.0).await }))
            .await
            .unwrap();
    };
    let (spared, ()) = tokio::join!(garbage::spare(app, blob), forget);
    spared.unwrap();
});

on_both_apps!(
    events_are_accepted_and_digested_while_old_ones_go,
    &[("SYMBOLIST_RETENTION_EVENTS_MAX", "50")],
    |app| {
        accept(app, "noisy", 0..1_000).await;
        digest(app).await;
        let sending = async {
            for number in 1_000..1_040 {
                accept(app, "noisy", number..number + 1).await;
                digest(app).await;
            }
        };
        let now_ms = app.clock.now_ms();
        let (deleted, ()) = tokio::join!(round(app, now_ms), sending);
        // What comes meanwhile may be counted or not.
        let deleted = i64::try_from(deleted.unwrap().events).unwrap();
        assert!((950..=990).contains(&deleted), "{deleted}");
        assert_eq!(issues(app).await, [issue("noisy", 1_040, 1_040 - deleted)]);
        assert_eq!(number(app, "SELECT COUNT(*) FROM accepted").await, 0);
    }
);

/// Seven events of one issue that wait for one file.
async fn wait_for_a_file(app: &App) {
    let image = json!({"type": "elf", "debug_id": "00000000-0000-4000-8000-000000000001",
                       "image_addr": "0x10000", "image_size": 65536});
    let frames = json!({"frames": [{"instruction_addr": "0x11065"}]});
    let event = json!({"platform": "native", "debug_meta": {"images": [image]},
                       "exception": [{"type": "panic", "value": "boom", "stacktrace": frames}]});
    let rows: Vec<Accepted> = (0..7)
        .map(|number| Accepted {
            id: app.clock.new_id(),
            project_id: PROJECT,
            event_id: event_id(number),
            received_at_ms: app.clock.now_ms(),
            attempts: 0,
            alone_attempts: 0,
            sender: serde_json::to_string(&Sender::default()).unwrap(),
            payload: event.to_string().into_bytes(),
        })
        .collect();
    app.db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move { accepted::insert(tx, &rows.iter().collect::<Vec<_>>()).await })
        })
        .await
        .unwrap();
    digest(app).await;
}

on_both_apps!(
    what_expired_events_waited_for_is_counted_no_more,
    &[("SYMBOLIST_RETENTION_EVENTS_MAX", "2")],
    |app| {
        wait_for_a_file(app).await;
        let waiting = "SELECT n FROM missing_key WHERE key LIKE 'debug-id:%'";
        assert_eq!(number(app, waiting).await, 7);
        assert_eq!(round(app, app.clock.now_ms()).await.unwrap().events, 5);
        assert_eq!(number(app, waiting).await, 2);
        let deleted = round(app, app.clock.now_ms() + 91 * DAY_MS).await.unwrap();
        assert_eq!((deleted.events, deleted.issues), (2, 1));
        assert_eq!(number(app, "SELECT COUNT(*) FROM missing_key").await, 0);
    }
);
