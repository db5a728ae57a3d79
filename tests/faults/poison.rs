//! Ten thousand queued events that cannot be digested, with good ones between them.

use serde_json::json;

use crate::support::database::{Database, on_both};
use crate::support::reading::{envelope, new_id};
use crate::support::server::Server;
use crate::support::wait::until;

/// Events that cannot be digested.
const POISON: i64 = 10_000;
/// Good events that are sent meanwhile.
const GOOD: usize = 50;
/// What the server's private memory may grow by, in bytes: a batch in hand, not the queue.
const GROWTH_BYTES_MAX: u64 = 48 << 20;

/// Writes rows whose payload is no JSON, as a damaged disk or a bug in the accept path would leave them.
async fn insert_poison(server: &Server, database: Database) {
    let project = server.credentials.project_id;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let after = server.number("SELECT MAX(id) FROM event").await;
    let (event_id, payload) = match database {
        Database::Sqlite => ("randomblob(16)", "CAST('[1, 2' AS BLOB)"),
        Database::Postgres => ("decode(md5(CAST(n AS TEXT)), 'hex')", "CAST('[1, 2' AS BYTEA)"),
    };
    server
        .execute(&format!(
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {POISON})
             INSERT INTO accepted (id, project_id, event_id, received_at_ms, visible_at_ms, attempts,
               alone_attempts, sender, payload)
             SELECT {after} + n, {project}, {event_id}, {now}, {now}, 0, 0, '{{}}', {payload} FROM numbers"
        ))
        .await;
}

on_both!(ten_thousand_poison_events_are_parked_and_hold_up_nobody, |database| {
    let mut server = Server::start_on(database).await.may_fail();
    let first = new_id();
    server.send_envelope(envelope(&first, &json!({"message": "fine"}))).await.expect(200);
    let issue = server.wait_digested(&first).await["groupID"].clone();
    server.terminate();
    server.ended().await;
    insert_poison(&server, database).await;
    server.restart().await;
    let memory = server.memory();
    let mut good = Vec::new();
    for _ in 0..GOOD {
        let id = new_id();
        server.send_envelope(envelope(&id, &json!({"message": "fine"}))).await.expect(200);
        good.push(id);
    }
    for id in &good {
        assert_eq!(server.wait_digested(id).await["groupID"], issue);
    }
    let parked = "SELECT COUNT(*) FROM accepted WHERE parked_at_ms IS NOT NULL";
    assert!(server.number(parked).await < POISON, "the good events waited for all the others");
    let mut most = memory;
    until("the poison to be parked", async || {
        most = most.max(server.memory());
        (server.number(parked).await == POISON).then_some(())
    })
    .await;
    assert!(most < memory + GROWTH_BYTES_MAX, "memory grew from {memory} to {most} bytes");
    assert_eq!(server.metric("symbolist_events_parked_total").await as i64, POISON);
    until("the gauge", async || {
        (server.metric("symbolist_queue_parked").await as i64 == POISON).then_some(())
    })
    .await;
    let reasons = server.texts("SELECT DISTINCT error FROM accepted").await;
    assert!(matches!(reasons.as_slice(), [one] if one.contains("no JSON object")), "{reasons:?}");
    let log = server.log();
    assert!(log.lines().count() < 1_000, "the log is buried under {} lines", log.lines().count());
});
