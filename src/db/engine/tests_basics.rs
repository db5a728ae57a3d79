//! Statements, binds and rows: the same on both engines.

use super::testing::{TestDb, on_both};
use super::{Bind, Db, Dialect, Migration, Tx, from_row};
use crate::error::{Error, Result};

/// A few tables that are not the product's.
pub(super) const TABLES: &[Migration] = &[Migration {
    name: "0001_test",
    sqlite: "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, note TEXT, body BLOB, n BIGINT);
             CREATE UNIQUE INDEX item_name ON item (name);
             CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED);",
    postgres: "CREATE TABLE item (id BIGINT NOT NULL PRIMARY KEY, name TEXT COLLATE \"C\" NOT NULL, note TEXT, body BYTEA, n BIGINT);
               CREATE UNIQUE INDEX item_name ON item (name);
               CREATE TABLE child (id BIGINT NOT NULL PRIMARY KEY, item_id BIGINT NOT NULL REFERENCES item (id) DEFERRABLE INITIALLY DEFERRED);",
}];

/// A row of `item`.
#[derive(Debug, PartialEq)]
struct Item {
    id: i64,
    name: String,
    note: Option<String>,
    body: Option<Vec<u8>>,
    n: Option<u32>,
}
from_row!(Item { id, name, note, body, n });

pub(super) async fn insert(tx: &mut Tx<'_>, id: i64, name: &str) -> Result<u64> {
    tx.execute("INSERT INTO item (id, name) VALUES ($1, $2)", &[&id, &name]).await
}

pub(super) async fn names(db: &TestDb) -> Vec<String> {
    db.read(|tx| Box::pin(async move { tx.all("SELECT name FROM item ORDER BY id", &[]).await }))
        .await
        .unwrap()
}

on_both!(what_is_written_is_read, TABLES, |db| {
    db.write(|tx| {
        Box::pin(async move {
            let (note, body, n) = (Some("a note"), vec![0u8, 255], None::<u32>);
            tx.execute(
                "INSERT INTO item (id, name, note, body, n) VALUES ($1, $2, $3, $4, $5)",
                &[&7i64, &String::from("seven"), &note, &body, &n],
            )
            .await
        })
    })
    .await
    .unwrap();
    let item: Item = db
        .read(|tx| {
            Box::pin(async move { tx.one("SELECT id, name, note, body, n FROM item", &[]).await })
        })
        .await
        .unwrap();
    let expected = Item {
        id: 7,
        name: "seven".into(),
        note: Some("a note".into()),
        body: Some(vec![0, 255]),
        n: None,
    };
    assert_eq!(item, expected);
});

on_both!(placeholders_go_by_number, TABLES, |db| {
    let pair: (String, String) = db
        .read(|tx| {
            Box::pin(async move {
                let sql = "SELECT $2 || $1 || $2, $1";
                tx.one(sql, &[&"a", &"b"]).await
            })
        })
        .await
        .unwrap();
    assert_eq!(pair, ("bab".to_owned(), "a".to_owned()));
});

on_both!(too_few_values_are_refused, TABLES, |db| {
    let refused = db
        .read(|tx| {
            Box::pin(async move { tx.all::<i64>("SELECT id FROM item WHERE id = $1", &[]).await })
        })
        .await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
});

#[tokio::test]
async fn too_many_values_are_refused() {
    // Only here: PostgreSQL takes what it was told the type of, even if it is not used.
    let db = TestDb::sqlite_with(TABLES).await;
    let refused = db
        .read(|tx| {
            Box::pin(async move {
                tx.all::<i64>("SELECT id FROM item WHERE id = $1", &[&1i64, &2i64]).await
            })
        })
        .await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
}

on_both!(nul_characters_are_stripped_from_text, TABLES, |db| {
    db.write(|tx| Box::pin(async move { insert(tx, 1, "a\0b\0").await })).await.unwrap();
    assert_eq!(names(db).await, ["ab"]);
});

on_both!(a_missing_row_is_none_and_one_wants_one, TABLES, |db| {
    let sql = "SELECT id FROM item";
    let none: Option<i64> =
        db.read(move |tx| Box::pin(async move { tx.optional(sql, &[]).await })).await.unwrap();
    assert_eq!(none, None);
    let one: Result<i64> = db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await;
    assert_eq!(one.unwrap_err().to_string(), "SELECT id FROM item: there is no row");
});

on_both!(a_value_out_of_range_is_an_error, TABLES, |db| {
    let sql = "SELECT CAST(-1 AS BIGINT)";
    let number: Result<u32> =
        db.read(move |tx| Box::pin(async move { tx.one(sql, &[]).await })).await;
    assert!(number.unwrap_err().to_string().contains("-1"));
});

on_both!(reads_cannot_write, TABLES, |db| {
    let refused = db.read(|tx| Box::pin(async move { insert(tx, 1, "one").await })).await;
    assert!(matches!(refused, Err(Error::Internal(_))), "{refused:?}");
    assert!(names(db).await.is_empty());
});

on_both!(many_rows_go_in_and_known_ones_are_not_returned, TABLES, |db| {
    db.write(|tx| Box::pin(async move { insert(tx, 3, "n3").await })).await.unwrap();
    let (inserted, again) = db
        .write(|tx| {
            Box::pin(async move {
                let items: Vec<(i64, String)> = (0..300).map(|i| (i, format!("n{i}"))).collect();
                let rows: Vec<[&dyn Bind; 2]> =
                    items.iter().map(|(id, name)| [id as _, name as _]).collect();
                let head = "INSERT INTO item (id, name) VALUES";
                let inserted: Vec<i64> = tx
                    .insert_many_returning(head, &rows, "ON CONFLICT DO NOTHING RETURNING id")
                    .await?;
                let again = tx.insert_many(head, &rows, "ON CONFLICT DO NOTHING").await?;
                Ok((inserted, again))
            })
        })
        .await
        .unwrap();
    assert_eq!((inserted.len(), again), (299, 0));
    assert!(!inserted.contains(&3));
    assert_eq!(names(db).await.len(), 300);
});

on_both!(nothing_to_insert_is_no_statement, TABLES, |db| {
    let inserted = db
        .write(|tx| {
            Box::pin(async move {
                let rows: [[&dyn Bind; 2]; 0] = [];
                tx.insert_many("INSERT INTO item (id, name) VALUES", &rows, "").await
            })
        })
        .await
        .unwrap();
    assert_eq!(inserted, 0);
});

on_both!(greatest_by_case_in_an_upsert, TABLES, |db| {
    for n in [5i64, 9, 2] {
        db.write(move |tx| {
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO item (id, name, n) VALUES (1, 'one', $1)
                     ON CONFLICT (id) DO UPDATE SET n = CASE WHEN excluded.n > item.n THEN excluded.n ELSE item.n END",
                    &[&n],
                )
                .await
            })
        })
        .await
        .unwrap();
    }
    let n: i64 = db
        .read(|tx| Box::pin(async move { tx.one("SELECT n FROM item", &[]).await }))
        .await
        .unwrap();
    assert_eq!(n, 9);
});

on_both!(sums_are_cast_and_text_is_ordered_by_bytes, TABLES, |db| {
    db.write(|tx| {
        Box::pin(async move {
            insert(tx, 1, "b").await?;
            insert(tx, 2, "B").await?;
            insert(tx, 3, "a").await
        })
    })
    .await
    .unwrap();
    let sum: i64 = db
        .read(|tx| {
            Box::pin(async move { tx.one("SELECT CAST(sum(id) AS BIGINT) FROM item", &[]).await })
        })
        .await
        .unwrap();
    assert_eq!(sum, 6);
    // The column is declared with COLLATE "C" on PostgreSQL; a database's own order may be "a, b, B".
    let sql = "SELECT name FROM item ORDER BY name";
    let sorted: Vec<String> =
        db.read(move |tx| Box::pin(async move { tx.all(sql, &[]).await })).await.unwrap();
    assert_eq!(sorted, ["B", "a", "b"]);
});

on_both!(ping_really_asks, TABLES, |db| {
    db.ping().await.unwrap();
    Db::clone(db).close().await;
    assert!(db.ping().await.is_err());
});

on_both!(the_dialect_is_known_inside_and_outside, TABLES, |db| {
    let inside = db.read(|tx| Box::pin(async move { Ok(tx.dialect()) })).await.unwrap();
    assert_eq!(inside, db.dialect());
    assert_eq!(inside.pick("a", "b") == "a", inside == Dialect::Lite);
});

on_both!(times_and_event_ids_stand_in_columns, TABLES, |db| {
    use protocol::id::{EventId, ProjectId};
    use protocol::time::Timestamp;
    let (time, id, project) = (Timestamp(1_795_226_127_147), EventId::random(), ProjectId(9));
    db.write(move |tx| {
        Box::pin(async move {
            let sql = "INSERT INTO item (id, name, body, n) VALUES ($3, 'one', $1, $2)";
            tx.execute(sql, &[&id, &time, &project]).await
        })
    })
    .await
    .unwrap();
    let row: (EventId, Option<Timestamp>, ProjectId) = db
        .read(|tx| Box::pin(async move { tx.one("SELECT body, n, id FROM item", &[]).await }))
        .await
        .unwrap();
    assert_eq!(row, (id, Some(time), project));
});
