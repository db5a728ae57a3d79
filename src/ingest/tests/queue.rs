use super::*;
use crate::db::accepted::Claim;
use crate::db::issue_count::TAG_VALUES_MAX;
use crate::ingest::stored;

async fn claim(app: &App, bytes_max: i64) -> Vec<Accepted> {
    let now_ms = app.clock.now_ms();
    let lease_until_ms = now_ms + 60_000;
    let claim = Claim {
        now_ms,
        lease_until_ms,
        attempts_min: 0,
        attempts_max: 1,
        limit: 10,
        bytes_max,
        unpacked_bytes: stored::payload_bytes,
    };
    app.db.write(move |tx| Box::pin(accepted::claim(tx, claim))).await.unwrap()
}

async fn depth(app: &App) -> accepted::Depth {
    app.db.read(|tx| Box::pin(accepted::depth(tx))).await.unwrap()
}

on_both_apps!(a_batch_is_bounded_in_bytes, |app| {
    let event = json!({"message": "x".repeat(1000)});
    accept(app, (0..5).map(|number| row(app, number, &event)).collect()).await;
    assert_eq!(claim(app, 1).await.len(), 1, "the oldest goes whatever its size");
    let taken = claim(app, 2100).await;
    assert_eq!(taken.len(), 2);
    if app.db.dialect() == crate::db::engine::Dialect::Postgres {
        assert_eq!(claim(app, 1 << 20).await.len(), 2, "leased rows belong to somebody else");
    }
});

on_both_apps!(the_same_event_twice_is_kept_and_counted_once, |app| {
    let event = json!({"message": "once", "user": {"id": 1}});
    accept(app, vec![row(app, 1, &event), row(app, 1, &event)]).await;
    drain(app).await;
    accept(app, vec![row(app, 1, &event)]).await;
    let (one, other) = tokio::join!(jobs::digest::work(app), jobs::digest::work(app));
    assert!(one.unwrap() || other.unwrap());
    let issues = issues(app).await;
    assert_eq!(issues.len(), 1);
    assert!(issues[0].starts_with("once in : (1, 1)"), "{issues:?}");
    assert_eq!(depth(app).await, accepted::Depth::default());
});

on_both_apps!(a_poison_row_is_parked_and_its_neighbours_are_kept, |app| {
    let poison = Accepted { payload: b"no JSON".to_vec(), ..row(app, 1, &Value::Null) };
    accept(app, vec![poison, row(app, 2, &json!({"message": "fine"}))]).await;
    assert!(jobs::digest::work(app).await.unwrap());
    assert_eq!(issues(app).await.len(), 1);
    for _ in 0..4 {
        // The backoff passes.
        let now_ms = app.clock.now_ms();
        app.db.write(move |tx| Box::pin(end_backoff(tx, now_ms))).await.unwrap();
        jobs::digest::work(app).await.unwrap();
    }
    let depth = depth(app).await;
    assert_eq!((depth.waiting, depth.parked), (0, 1));
});

async fn end_backoff(tx: &mut Tx<'_>, now_ms: i64) -> crate::error::Result<()> {
    let sql = "UPDATE accepted SET visible_at_ms = $1 WHERE parked_at_ms IS NULL";
    tx.execute(sql, &[&now_ms]).await.map(drop)
}

on_both_apps!(old_rows_expire_in_bounded_steps, |app| {
    accept(app, (0..3).map(|number| row(app, number, &json!({"message": "m"}))).collect()).await;
    let expire =
        |before_ms: i64| app.db.write(move |tx| Box::pin(accepted::expire(tx, before_ms, 2)));
    assert!(expire(app.clock.now_ms() - 60_000).await.unwrap().is_empty());
    assert_eq!(expire(app.clock.now_ms() + 60_000).await.unwrap(), [PROJECT, PROJECT]);
    assert_eq!(expire(app.clock.now_ms() + 60_000).await.unwrap(), [PROJECT]);
});

on_both_apps!(a_tag_counts_a_bounded_number_of_values, |app| {
    let max = u16::try_from(TAG_VALUES_MAX).unwrap();
    let rows = |from: u16, to: u16| {
        let row = |number: u16| {
            let event =
                json!({"message": "m", "tags": {"request": number.to_string(), "kind": "k"}});
            let id = [number.to_le_bytes().as_slice(), &[1; 14]].concat();
            Accepted { event_id: id, ..row(app, 0, &event) }
        };
        (from..to).map(row).collect::<Vec<_>>()
    };
    accept(app, rows(0, max - 10)).await;
    drain(app).await;
    accept(app, rows(max - 10, max + 30)).await;
    drain(app).await;
    accept(app, rows(max + 30, max + 40)).await;
    drain(app).await;
    let counted: (i64, i64) = app
        .db
        .read(|tx| {
            Box::pin(async move {
                tx.one(
                    "SELECT (SELECT COUNT(*) FROM issue_tag WHERE key = 'request'),
                       (SELECT n FROM issue_tag WHERE key = 'kind')",
                    &[],
                )
                .await
            })
        })
        .await
        .unwrap();
    assert_eq!(counted, (TAG_VALUES_MAX, i64::from(max) + 40));
});
