//! The history of the schema: applied once, in order, and the same on both engines.

use std::collections::BTreeMap;
use std::path::Path;

use super::database::{Db, Options};
use super::testing::{TestDb, on_both};
use super::tests_basics::{TABLES, names};
use super::tests_transactions::write;
use super::{MIGRATIONS, Migration};

const fn same(name: &'static str, sql: &'static str) -> Migration {
    Migration { name, sqlite: sql, postgres: sql }
}

const TWO: &[Migration] = &[
    TABLES[0],
    same("0002_more", "CREATE TABLE more (id BIGINT NOT NULL); INSERT INTO more (id) VALUES (1)"),
];
const EDITED: &[Migration] = &[same("0001_test", "CREATE TABLE item (id BIGINT)")];
const BROKEN: &[Migration] = &[
    TABLES[0],
    same("0002_broken", "CREATE TABLE half (id BIGINT); INSERT INTO nothing (id) VALUES (1)"),
];

/// Opens the database of `db` again, as a program with other migrations would.
async fn reopen(db: &TestDb, migrations: &'static [Migration]) -> crate::error::Result<Db> {
    Db::open(&Options { migrations, ..db.options().clone() }).await
}

async fn count(db: &Db, sql: &'static str) -> i64 {
    db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await.unwrap()
}

on_both!(a_newer_program_adds_what_is_missing, TABLES, |db| {
    write(db, 1, "one").await.unwrap();
    for _ in 0..2 {
        let newer = reopen(db, TWO).await.unwrap();
        assert_eq!(count(&newer, "SELECT count(*) FROM more").await, 1);
        assert_eq!(count(&newer, "SELECT count(*) FROM migration").await, 2);
    }
    assert_eq!(names(db).await, ["one"]);
});

on_both!(an_older_program_refuses_a_newer_database, TWO, |db| {
    let text = reopen(db, TABLES).await.unwrap_err().to_string();
    assert!(text.contains("0002_more, which this version of symbolist does not know"), "{text}");
});

on_both!(an_edited_migration_is_noticed, TABLES, |db| {
    let text = reopen(db, EDITED).await.unwrap_err().to_string();
    assert!(text.contains("the migration 0001_test was changed after it was applied"), "{text}");
});

on_both!(a_broken_migration_leaves_nothing, TABLES, |db| {
    let text = reopen(db, BROKEN).await.unwrap_err().to_string();
    assert!(text.contains("migration 0002_broken"), "{text}");
    let newer = reopen(db, TABLES).await.unwrap();
    let half = newer
        .read(|tx| Box::pin(async move { tx.all::<i64>("SELECT id FROM half", &[]).await }))
        .await;
    assert!(half.is_err(), "{half:?}");
});

on_both!(several_programs_may_start_at_once, TABLES, |db| {
    let opened = tokio::join!(reopen(db, TWO), reopen(db, TWO), reopen(db, TWO));
    opened.0.unwrap();
    opened.1.unwrap();
    assert_eq!(count(&opened.2.unwrap(), "SELECT count(*) FROM more").await, 1);
});

#[test]
fn files_and_list_are_the_same() {
    let listed: Vec<String> =
        MIGRATIONS.iter().map(|migration| format!("{}.sql", migration.name)).collect();
    assert!(listed.is_sorted(), "{listed:?}");
    for side in ["sqlite", "postgres"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(side);
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        assert_eq!(files, listed, "{side}");
    }
}

/// Table and column → type, nullability, place in the primary key.
type Columns = BTreeMap<(String, String), (String, i64, i64)>;
/// Table and index → columns in order, uniqueness, whether it covers only some rows.
type Indexes = BTreeMap<(String, String), (String, i64, i64)>;

const SQLITE_COLUMNS: &str = r#"
SELECT t.name, c.name, CASE c.type WHEN 'BIGINT' THEN 'INTEGER' ELSE c.type END, c."notnull", c.pk
FROM sqlite_schema t JOIN pragma_table_info(t.name) c
WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%'"#;

const POSTGRES_COLUMNS: &str = r#"
SELECT CAST(c.table_name AS TEXT), CAST(c.column_name AS TEXT),
       CASE c.data_type WHEN 'bigint' THEN 'INTEGER' WHEN 'bytea' THEN 'BLOB' ELSE upper(c.data_type) END,
       CASE c.is_nullable WHEN 'NO' THEN 1 ELSE 0 END,
       COALESCE((SELECT k.ordinal_position FROM information_schema.key_column_usage k
                 JOIN information_schema.table_constraints t USING (constraint_schema, constraint_name, table_name)
                 WHERE t.constraint_type = 'PRIMARY KEY' AND k.table_schema = c.table_schema
                   AND k.table_name = c.table_name AND k.column_name = c.column_name), 0)
FROM information_schema.columns c WHERE c.table_schema = current_schema()"#;

const SQLITE_INDEXES: &str = r#"
SELECT t.name, i.name, (SELECT group_concat(c.name, ', ') FROM pragma_index_info(i.name) c), i."unique", i.partial
FROM sqlite_schema t JOIN pragma_index_list(t.name) i
WHERE t.type = 'table' AND i.origin = 'c'"#;

const POSTGRES_INDEXES: &str = r#"
SELECT CAST(t.relname AS TEXT), CAST(i.relname AS TEXT),
       (SELECT string_agg(CAST(a.attname AS TEXT), ', ' ORDER BY k.place)
        FROM unnest(x.indkey) WITH ORDINALITY AS k(number, place)
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number),
       CASE WHEN x.indisunique THEN 1 ELSE 0 END, CASE WHEN x.indpred IS NULL THEN 0 ELSE 1 END
FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
WHERE t.relnamespace = CAST(current_schema() AS regnamespace) AND NOT x.indisprimary"#;

async fn described(
    db: &Db,
    lite: &'static str,
    postgres: &'static str,
) -> BTreeMap<(String, String), (String, i64, i64)> {
    let sql = db.dialect().pick(lite, postgres);
    let rows: Vec<(String, String, String, i64, i64)> =
        db.read(move |tx| Box::pin(async move { tx.all(sql, &[]).await })).await.unwrap();
    rows.into_iter().map(|(table, name, what, a, b)| ((table, name), (what, a, b))).collect()
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let (lite, postgres) = (TestDb::sqlite().await, TestDb::postgres().await);
    let columns: Columns = described(&lite, SQLITE_COLUMNS, POSTGRES_COLUMNS).await;
    assert!(columns.len() > 50, "only {} columns", columns.len());
    assert_eq!(columns, described(&postgres, SQLITE_COLUMNS, POSTGRES_COLUMNS).await);
    let indexes: Indexes = described(&lite, SQLITE_INDEXES, POSTGRES_INDEXES).await;
    assert!(!indexes.is_empty());
    assert_eq!(indexes, described(&postgres, SQLITE_INDEXES, POSTGRES_INDEXES).await);
}

/// The schema before attachments were deleted.
const BEFORE_RETENTION: &[Migration] = MIGRATIONS.split_at(1).0;

on_both!(rows_from_before_retention_are_there_after_it, BEFORE_RETENTION, |db| {
    db.write(|tx| {
        Box::pin(async move {
            let sql = "INSERT INTO attachment (id, project_id, event_id, received_at_ms, name, content_type, kind,
                         size, sha256, body)
                       VALUES ($1, 1, $2, 0, 'log', 'text/plain', 'event.attachment', 3, $2, NULL)";
            tx.execute(sql, &[&1_i64, &[7_u8; 32].as_slice()]).await
        })
    })
    .await
    .unwrap();
    let newer = reopen(db, MIGRATIONS).await.unwrap();
    assert_eq!(count(&newer, "SELECT COUNT(*) FROM blob_garbage").await, 0);
    let named = newer.write(|tx| {
        Box::pin(async move {
            crate::db::blob_garbage::note(tx, &[vec![7; 32], vec![8; 32]], 0).await?;
            crate::db::blob_garbage::claim(tx, 1, 0, 10).await
        })
    });
    assert_eq!(named.await.unwrap(), [vec![8; 32]], "the old row still names its blob");
});

/// The schema as it was before issues could be searched.
const BEFORE_SEARCH: &[Migration] = MIGRATIONS.split_at(1).0;

on_both!(issues_from_before_the_search_are_found, BEFORE_SEARCH, |db| {
    use crate::db::issue_count::{TagKey, add_tags, is_value};
    let key = TagKey { issue_id: 1, key: "plan".to_owned(), value: "free".to_owned() };
    let tags = BTreeMap::from([(key, (1, 1))]);
    db.write(move |tx| {
        let tags = tags.clone();
        Box::pin(async move { add_tags(tx, &tags).await })
    })
    .await
    .unwrap();
    let newer = reopen(db, MIGRATIONS).await.unwrap();
    let found = newer.read(|tx| Box::pin(async move { is_value(tx, "plan", "free").await })).await;
    assert!(found.unwrap());
});
