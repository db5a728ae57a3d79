//! What only SQLite has: the writer thread, its group commits, and a file that others may write to.

use std::sync::{Arc, Mutex};

use super::FromRow;
use super::body::Body;
use super::database::{DatabaseUrl, Db, Options};
use super::testing::TestDb;
use super::tests_basics::{TABLES, insert, names};
use super::tests_transactions::{PATIENCE, together, write};
use crate::error::{Error, Result};

/// Inserts an item with a body of `length` bytes.
async fn write_large(db: &Db, id: i64, length: usize) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let (name, body) = (format!("large {id}"), vec![1u8; length]);
            tx.execute(
                "INSERT INTO item (id, name, body) VALUES ($1, $2, $3)",
                &[&id, &name, &body],
            )
            .await
        })
    })
    .await
}

/// Asks the writer's connection.
async fn pragma<T: FromRow + 'static>(db: &Db, sql: &'static str) -> T {
    db.write(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap()
}

#[tokio::test]
async fn the_writer_has_its_settings() {
    let db = TestDb::sqlite_with(TABLES).await;
    let journal_mode: String = pragma(&db, "PRAGMA journal_mode").await;
    assert_eq!(journal_mode, "wal");
    for (sql, expected) in [
        ("PRAGMA synchronous", 2),
        ("PRAGMA foreign_keys", 1),
        ("PRAGMA secure_delete", 1),
        ("PRAGMA busy_timeout", 5_000),
        ("PRAGMA wal_autocheckpoint", 16_000),
    ] {
        assert_eq!(pragma::<i64>(&db, sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn awaiting_something_foreign_is_reported_and_undone() {
    let db = TestDb::sqlite_with(TABLES).await;
    let foreign = db.write(|tx| {
        Box::pin(async move {
            insert(tx, 2, "two").await?;
            tokio::task::yield_now().await;
            Ok(())
        })
    });
    let (first, foreign, third) =
        together!(db, write(&db, 1, "one"), foreign, write(&db, 3, "three"));
    first.unwrap();
    third.unwrap();
    assert_eq!(
        foreign.unwrap_err().to_string(),
        "a transaction awaited something that is not the database"
    );
    assert_eq!(names(&db).await, ["one", "three"]);
}

#[tokio::test]
async fn awaiting_a_timer_is_reported_and_undone() {
    let db = TestDb::sqlite_with(TABLES).await;
    let timer = db
        .write(|tx| {
            Box::pin(async move {
                insert(tx, 1, "one").await?;
                tokio::time::sleep(PATIENCE).await;
                Ok(())
            })
        })
        .await;
    let text = timer.unwrap_err().to_string();
    assert!(text.starts_with("a transaction panicked: there is no reactor running"), "{text}");
    assert!(names(&db).await.is_empty());
}

/// One test for what a full disk does: a page limit has the same effect on SQLite.
#[tokio::test]
async fn a_full_disk_is_told_to_everybody_it_undid() {
    let db = TestDb::sqlite_with(TABLES).await;
    write_large(&db, 100, 10).await.unwrap();
    let limited: i64 = db
        .write(|tx| Box::pin(async move { tx.one("PRAGMA max_page_count = 20", &[]).await }))
        .await
        .unwrap();
    assert_eq!(limited, 20);

    let (first, large, third) =
        together!(db, write(&db, 1, "one"), write_large(&db, 2, 1 << 20), write(&db, 3, "three"));
    for told in [&first, &large, &third] {
        assert!(
            matches!(told, Err(Error::Unavailable { message, .. }) if message.contains("full")),
            "{told:?}"
        );
    }
    assert_eq!(names(&db).await, ["large 100"]);

    // There is room for something small, and the writer goes on.
    write(&db, 4, "four").await.unwrap();
    assert_eq!(names(&db).await, ["four", "large 100"]);
}

/// Returns a body that only says that it runs.
fn note(order: &Arc<Mutex<Vec<&'static str>>>, name: &'static str) -> impl Body<()> + use<> {
    let order = Arc::clone(order);
    as_body(move |_| {
        order.lock().unwrap().push(name);
        Box::pin(async { Ok(()) })
    })
}

/// Tells the compiler which lifetimes a closure is over.
fn as_body<T, B: Body<T>>(body: B) -> B {
    body
}

#[tokio::test]
async fn accepts_come_before_the_digest() {
    let db = TestDb::sqlite_with(TABLES).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    let note = |name| note(&order, name);
    let digest = async {
        tokio::join!(db.write_digest(note("digest 1")), db.write_digest(note("digest 2")))
    };
    let accept = async { tokio::join!(db.write(note("accept 1")), db.write(note("accept 2"))) };
    let ((d1, d2), (a1, a2)) = together!(db, digest, accept);
    for done in [d1, d2, a1, a2] {
        done.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), ["accept 1", "accept 2", "digest 1", "digest 2"]);
}

#[tokio::test]
async fn another_process_may_write_and_is_noticed() {
    let db = TestDb::sqlite_with(TABLES).await;
    let other = Db::open(db.options()).await.unwrap();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    db.on_foreign_change(move || tell.send(()).unwrap());

    write(&db, 1, "one").await.unwrap();
    assert_eq!(names(&db).await, ["one"]);
    assert_eq!(db.data_version(), 0, "our own commits are not foreign");

    write(&other, 2, "two").await.unwrap();
    // Idle: noticed all the same.
    tokio::time::timeout(PATIENCE, told.recv()).await.unwrap().unwrap();
    assert_eq!(db.data_version(), 1);

    write(&other, 3, "three").await.unwrap();
    // Before the next write runs, so that it does not rest on what is out of date.
    write(&db, 4, "four").await.unwrap();
    assert_eq!(db.data_version(), 2);
    assert_eq!(names(&db).await, ["one", "two", "three", "four"]);
    other.close().await;
}

#[tokio::test]
async fn two_processes_wait_for_each_other() {
    let db = TestDb::sqlite_with(TABLES).await;
    let other = Db::open(db.options()).await.unwrap();
    let writers: Vec<_> = (0..40i64)
        .map(|id| {
            let db = if id % 2 == 0 { Db::clone(&db) } else { other.clone() };
            tokio::spawn(async move { write_large(&db, id, 2_000).await })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(names(&db).await.len(), 40);
}

#[tokio::test]
async fn truncating_and_checkpointing_are_not_foreign_changes() {
    let db = TestDb::sqlite_with(TABLES).await;
    for id in 0..20 {
        write_large(&db, id, 20_000).await.unwrap();
        // Longer than the pause between two checkpoints, in all.
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    db.ping().await.unwrap();
    assert_eq!(db.data_version(), 0);
}

#[tokio::test]
async fn closing_leaves_everything_in_the_file() {
    let db = TestDb::sqlite_with(TABLES).await;
    write(&db, 1, "one").await.unwrap();
    let DatabaseUrl::Sqlite { path } = &db.options().url else { panic!("it is SQLite") };
    Db::clone(&db).close().await;
    let names: Vec<String> = std::fs::read_dir(path.parent().unwrap())
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["symbolist.db"]);
    let refused = write(&db, 2, "two").await;
    assert!(matches!(refused, Err(Error::Unavailable { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_data_folder_has_one_server_and_many_guests() {
    let folder = tempfile::tempdir().unwrap();
    let guest = Options::new(DatabaseUrl::Sqlite { path: folder.path().join("symbolist.db") });
    let server = Options { own_data_folder: true, ..guest.clone() };
    let db = Db::open(&server).await.unwrap();
    let text = Db::open(&server).await.unwrap_err().to_string();
    assert!(text.contains(&folder.path().display().to_string()), "{text}");
    Db::open(&guest).await.unwrap();
    drop(db);
    Db::open(&server).await.unwrap();
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/symbolist.db");
    let doing = format!("opening the database {}: ", path.display());
    let error = Db::open(&Options::new(DatabaseUrl::Sqlite { path })).await.unwrap_err();
    assert!(error.to_string().starts_with(&doing), "{error}");
}
