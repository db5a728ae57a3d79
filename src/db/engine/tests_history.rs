//! Every migration on data: rows from before, migrated, read after.

use super::database::{Db, Options};
use super::testing::{TestDb, on_both};
use super::{MIGRATIONS, Migration};

/// The schema before the journal.
const FIRST: &[Migration] = MIGRATIONS.split_at(1).0;
/// The schema with it.
const JOURNAL: &[Migration] = MIGRATIONS.split_at(2).0;

async fn run(db: &Db, sql: &'static str) {
    db.write(move |tx| Box::pin(async move { tx.execute(sql, &[]).await })).await.unwrap();
}

async fn migrated(db: &TestDb, to: &'static [Migration]) -> Db {
    Db::open(&Options { migrations: to, ..db.options().clone() }).await.unwrap()
}

on_both!(what_events_wait_for_is_counted_by_the_journal_migration, FIRST, |db| {
    let missing =
        "INSERT INTO missing_file (project_id, key, received_at_ms, event_row_id, seen_count)
        VALUES (1, 'debug-id:a', 5, 1, 0), (1, 'debug-id:a', 6, 2, 0), (1, 'sourcemap:b', 6, 2, 1),
          (2, 'debug-id:a', 7, 3, 0)";
    run(db, missing).await;
    let after = migrated(db, JOURNAL).await;
    let counted: Vec<(i64, String, i64)> = after
        .read(|tx| {
            Box::pin(async move {
                tx.all("SELECT project_id, key, n FROM missing_key ORDER BY project_id, n", &[])
                    .await
            })
        })
        .await
        .unwrap();
    let expected = [(1, "sourcemap:b", 1), (1, "debug-id:a", 2), (2, "debug-id:a", 1)];
    assert_eq!(counted, expected.map(|(project, key, n)| (project, key.to_owned(), n)));
});
