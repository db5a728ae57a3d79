//! What a transaction promises, on both engines.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;

use super::testing::{TestDb, on_both};
use super::tests_basics::{TABLES, insert, names};
use super::{Db, Dialect};
use crate::error::{Error, Result};

/// Longest time a test waits for something that comes.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Writes one item in a transaction of its own.
pub(super) async fn write(db: &Db, id: i64, name: &'static str) -> Result<u64> {
    db.write(move |tx| Box::pin(insert(tx, id, name))).await
}

/// Runs `others` so that on SQLite they are in one group commit: the writer is held until all wait.
macro_rules! together {
    ($db:expr, $($other:expr),+ $(,)?) => {{
        let hold = $crate::db::engine::tests_transactions::Hold::new(&$db).await;
        // Polled in this order; each only waits for its answer when the next is polled.
        let (all, ()) = tokio::join!(async { tokio::join!($($other),+) }, async { hold.release() });
        all
    }};
}
pub(super) use together;

/// Keeps SQLite's writer busy with a transaction of its own; nothing on PostgreSQL.
pub(super) struct Hold(Option<std::sync::mpsc::Sender<()>>);

impl Hold {
    /// Returns when the writer is held.
    pub(super) async fn new(db: &Db) -> Self {
        if db.dialect() == Dialect::Postgres {
            return Self(None);
        }
        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begin, begun) = tokio::sync::oneshot::channel::<()>();
        let shared = Mutex::new((Some(begin), held));
        let db = db.clone();
        tokio::spawn(async move {
            db.write(move |_| {
                let mut shared = shared.lock().unwrap();
                let _ = shared.0.take().map(|begin| begin.send(()));
                let _ = shared.1.recv_timeout(PATIENCE);
                Box::pin(async { Ok(()) })
            })
            .await
        });
        begun.await.unwrap();
        Self(Some(release))
    }

    /// Lets the writer go on.
    pub(super) fn release(self) {
        if let Some(release) = self.0 {
            release.send(()).unwrap();
        }
    }
}

on_both!(a_failing_job_undoes_only_itself, TABLES, |db| {
    let (first, twice, third) = together!(
        db,
        write(db, 1, "one"),
        db.write(|tx| {
            Box::pin(async move {
                insert(tx, 2, "two").await?;
                insert(tx, 2, "two again").await
            })
        }),
        write(db, 3, "three"),
    );
    first.unwrap();
    third.unwrap();
    assert!(
        matches!(&twice, Err(Error::Conflict(text)) if text == "it exists already"),
        "{twice:?}"
    );
    assert_eq!(names(db).await, ["one", "three"]);
});

on_both!(an_error_of_the_body_undoes_it, TABLES, |db| {
    let refused: Result<()> = db
        .write(|tx| {
            Box::pin(async move {
                insert(tx, 1, "one").await?;
                Err(Error::Forbidden("not you".into()))
            })
        })
        .await;
    assert!(matches!(refused, Err(Error::Forbidden(_))), "{refused:?}");
    assert!(names(db).await.is_empty());
});

on_both!(unique_violations_are_alike, TABLES, |db| {
    write(db, 1, "one").await.unwrap();
    let by_key = write(db, 1, "other").await;
    let by_index = write(db, 2, "one").await;
    for refused in [by_key, by_index] {
        assert!(
            matches!(&refused, Err(Error::Conflict(text)) if text == "it exists already"),
            "{refused:?}"
        );
    }
});

on_both!(other_violations_are_ours, TABLES, |db| {
    let sql = "INSERT INTO item (id, name) VALUES (1, NULL)";
    let refused = db.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await;
    assert!(
        matches!(&refused, Err(Error::Internal(text)) if text.to_string().starts_with(sql)),
        "{refused:?}"
    );
});

on_both!(going_on_after_a_failed_statement_commits_nothing, TABLES, |db| {
    let refused = db
        .write(|tx| {
            Box::pin(async move {
                insert(tx, 1, "one").await?;
                let _ = insert(tx, 1, "one").await;
                Ok(())
            })
        })
        .await;
    assert!(refused.unwrap_err().to_string().contains("went on after a statement had failed"));
    assert!(names(db).await.is_empty());
});

on_both!(a_failing_commit_is_everybodys_error, TABLES, |db| {
    let child = db.write(|tx| {
        Box::pin(
            async move { tx.execute("INSERT INTO child (id, item_id) VALUES (1, 77)", &[]).await },
        )
    });
    let (first, child, third) = together!(db, write(db, 1, "one"), child, write(db, 3, "three"));
    assert!(matches!(child, Err(Error::Internal(_))), "{child:?}");
    let is_alone = db.dialect() == Dialect::Postgres;
    assert_eq!((first.is_ok(), third.is_ok()), (is_alone, is_alone), "{first:?} {third:?}");
    assert_eq!(names(db).await.len(), if is_alone { 2 } else { 0 });
    write(db, 4, "four").await.unwrap();
});

on_both!(a_panic_is_caught_and_undone, TABLES, |db| {
    let panics = db.write(|tx| {
        Box::pin(async move {
            insert(tx, 2, "two").await?;
            if tx.dialect() == tx.dialect() {
                panic!("a mistake of ours");
            }
            Ok(())
        })
    });
    let (first, panicked, third) =
        together!(db, write(db, 1, "one"), panics, write(db, 3, "three"));
    first.unwrap();
    third.unwrap();
    assert_eq!(panicked.unwrap_err().to_string(), "a transaction panicked: a mistake of ours");
    assert_eq!(names(db).await, ["one", "three"]);

    let read: Result<()> = db.read(|_| panic!("outside of the future")).await;
    assert_eq!(read.unwrap_err().to_string(), "a transaction panicked: outside of the future");
    assert_eq!(names(db).await, ["one", "three"]);
});

on_both!(a_caller_that_goes_away_does_not_undo_its_write, TABLES, |db| {
    {
        let mut write = std::pin::pin!(write(db, 1, "one"));
        let polled = futures_util::poll!(&mut write);
        assert!(polled.is_pending());
    }
    let arrives = async {
        while names(db).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, arrives).await.unwrap();
});

on_both!(a_read_sees_one_snapshot, TABLES, |db| {
    write(db, 1, "one").await.unwrap();
    // A thread that reads SQLite may block, PostgreSQL's task waits for the notification.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (begun, beginning) = tokio::sync::oneshot::channel::<()>();
    let shared = Arc::new((Mutex::new(Some(begun)), Mutex::new(wait), Notify::new()));
    let notify = Arc::clone(&shared);
    let count = "SELECT count(*) FROM item";
    let read = db.read(move |tx| {
        let shared = Arc::clone(&shared);
        Box::pin(async move {
            let before: i64 = tx.one(count, &[]).await?;
            let _ = shared.0.lock().unwrap().take().map(|begun| begun.send(()));
            if tx.dialect() == Dialect::Lite {
                let _ = shared.1.lock().unwrap().recv_timeout(PATIENCE);
            } else {
                shared.2.notified().await;
            }
            let after: i64 = tx.one(count, &[]).await?;
            Ok((before, after))
        })
    });
    let other = async {
        beginning.await.unwrap();
        write(db, 2, "two").await.unwrap();
        go.send(()).unwrap();
        notify.2.notify_one();
    };
    let (counts, ()) = tokio::join!(read, other);
    assert_eq!(counts.unwrap(), (1, 1));
});

on_both!(the_digest_writes_too, TABLES, |db| {
    db.write_digest(|tx| Box::pin(insert(tx, 1, "one"))).await.unwrap();
    assert_eq!(names(db).await, ["one"]);
});

on_both!(many_writers_at_once_all_commit, TABLES, |db| {
    let writers: Vec<_> = (0..200i64)
        .map(|id| {
            let db = Db::clone(db);
            tokio::spawn(async move {
                db.write(move |tx| {
                    Box::pin(async move {
                        let name = format!("n{id}");
                        tx.execute("INSERT INTO item (id, name) VALUES ($1, $2)", &[&id, &name])
                            .await
                    })
                })
                .await
            })
        })
        .collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap().unwrap(), 1);
    }
    assert_eq!(names(db).await.len(), 200);
});

#[tokio::test]
async fn databases_of_tests_are_separate() {
    let (a, b) = (TestDb::postgres_with(TABLES).await, TestDb::postgres_with(TABLES).await);
    write(&a, 1, "one").await.unwrap();
    assert!(names(&b).await.is_empty());
}
