//! What only PostgreSQL has: transactions that meet, and settings of a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Barrier;

use super::database::{DatabaseUrl, Db, Options};
use super::testing::TestDb;
use super::tests_basics::{TABLES, insert, names};
use super::tests_transactions::write;
use crate::error::{Error, Result};

const SERIALIZATION_FAILURE: &str = "DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$";

/// Writes an item in a transaction that fails the first `failure_count` times.
async fn write_after_failures(db: &Db, failure_count: u32, ran: &Arc<AtomicU32>) -> Result<u64> {
    let ran = Arc::clone(ran);
    db.write(move |tx| {
        let ran = Arc::clone(&ran);
        Box::pin(async move {
            let inserted = insert(tx, 1, "one").await?;
            if ran.fetch_add(1, Ordering::Relaxed) < failure_count {
                tx.execute(SERIALIZATION_FAILURE, &[]).await?;
            }
            Ok(inserted)
        })
    })
    .await
}

#[tokio::test]
async fn a_serialization_failure_is_tried_again() {
    let db = TestDb::postgres_with(TABLES).await;
    let ran = Arc::new(AtomicU32::new(0));
    assert_eq!(write_after_failures(&db, 2, &ran).await.unwrap(), 1);
    assert_eq!(ran.load(Ordering::Relaxed), 3);
    assert_eq!(names(&db).await, ["one"]);
}

#[tokio::test]
async fn it_is_not_tried_forever() {
    let db = TestDb::postgres_with(TABLES).await;
    let ran = Arc::new(AtomicU32::new(0));
    let refused = write_after_failures(&db, u32::MAX, &ran).await;
    assert!(matches!(refused, Err(Error::Busy)), "{refused:?}");
    assert_eq!(ran.load(Ordering::Relaxed), 5);
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn other_errors_are_not_tried_again() {
    let db = TestDb::postgres_with(TABLES).await;
    write(&db, 1, "one").await.unwrap();
    let ran = Arc::new(AtomicU32::new(0));
    let refused = write_after_failures(&db, 0, &ran).await;
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

#[tokio::test]
async fn both_sides_of_a_deadlock_succeed() {
    let db = TestDb::postgres_with(TABLES).await;
    write(&db, 1, "one").await.unwrap();
    write(&db, 2, "two").await.unwrap();
    let (meet, ran) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let update = |first: i64, second: i64| {
        let (meet, ran) = (Arc::clone(&meet), Arc::clone(&ran));
        db.write(move |tx| {
            let (meet, ran) = (Arc::clone(&meet), Arc::clone(&ran));
            Box::pin(async move {
                let sql = "UPDATE item SET n = coalesce(n, 0) + 1 WHERE id = $1";
                tx.execute(sql, &[&first]).await?;
                // Only the first attempts meet; the one that is tried again must not wait for anybody.
                if ran.fetch_add(1, Ordering::Relaxed) < 2 {
                    meet.wait().await;
                }
                tx.execute(sql, &[&second]).await
            })
        })
    };
    let (one, other) = tokio::join!(update(1, 2), update(2, 1));
    one.unwrap();
    other.unwrap();
    assert_eq!(ran.load(Ordering::Relaxed), 3);
    let sums: Vec<i64> = db
        .read(|tx| Box::pin(async move { tx.all("SELECT n FROM item ORDER BY id", &[]).await }))
        .await
        .unwrap();
    assert_eq!(sums, [2, 2]);
}

#[tokio::test]
async fn sessions_have_their_limits() {
    let db = TestDb::postgres_with(TABLES).await;
    let sql =
        "SELECT current_setting('statement_timeout'), current_setting('transaction_isolation'),
                      current_setting('transaction_read_only')";
    type Settings = (String, String, String);
    let read: Settings =
        db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap();
    let write: Settings =
        db.write(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap();
    assert_eq!(
        (read.0.as_str(), read.1.as_str(), read.2.as_str()),
        ("5s", "repeatable read", "on")
    );
    assert_eq!(
        (write.0.as_str(), write.1.as_str(), write.2.as_str()),
        ("30s", "read committed", "off")
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_an_error_without_its_password() {
    let url = "postgres://someone:hunter2@127.0.0.1:1/nothing".to_owned();
    let options = Options::new(DatabaseUrl::Postgres { url });
    assert!(!format!("{options:?}").contains("hunter2"));
    let error = Db::open(&options).await.unwrap_err().to_string();
    assert!(error.starts_with("connecting to the database: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[tokio::test]
async fn an_address_that_cannot_be_read_is_the_operators_error() {
    let options = Options::new(DatabaseUrl::Postgres { url: "postgres://:0:".to_owned() });
    let error = Db::open(&options).await.unwrap_err();
    assert!(error.to_string().contains("the address of the database cannot be read"), "{error}");
}

#[tokio::test]
async fn connections_that_the_server_ended_are_replaced() {
    let db = TestDb::postgres_with(TABLES).await;
    let sql = "SELECT CAST(pg_backend_pid() AS BIGINT)";
    let writer: i64 =
        db.write(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap();
    let reader: i64 =
        db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap();
    let other = Db::open(db.options()).await.unwrap();
    other
        .write(move |tx| {
            Box::pin(async move {
                let sql = "SELECT CASE WHEN pg_terminate_backend(CAST($1 AS INT), 5000) THEN 1 ELSE 0 END";
                let ended: (i64, i64) = (tx.one(sql, &[&writer]).await?, tx.one(sql, &[&reader]).await?);
                assert_eq!(ended, (1, 1));
                Ok(())
            })
        })
        .await
        .unwrap();
    write(&db, 1, "one").await.unwrap();
    assert_eq!(names(&db).await, ["one"]);
}
