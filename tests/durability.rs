//! What was acknowledged survives: kill -9 between accept and digest, and events that cannot be digested.

use std::collections::BTreeMap;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id};
use crate::support::server::Server;
use crate::support::wait::until;

/// Events of one burst.
const BURST: usize = 300;
/// Acknowledgements after which the server is killed.
const KILL_AFTER: usize = 150;
/// Bursts until one is interrupted with events waiting.
const BURSTS_MAX: usize = 10;
/// Messages, and with them issues; the digest must not lose one event of any.
const MESSAGES: [&str; 4] = ["alpha failed", "beta failed", "gamma failed", "delta failed"];

/// Sends a burst and kills the server in the midst of it; returns the acknowledged events by issue.
async fn interrupted_burst(server: &mut Server) -> Vec<(String, usize)> {
    let mut acknowledged = Vec::new();
    {
        let send = async |place: usize| {
            let id = new_id();
            let group = place % MESSAGES.len();
            let event = json!({"message": MESSAGES[group], "extra": {"pad": "x".repeat(2_000)}});
            let path = server.envelope_path();
            let request = server.client().post(server.url(&path)).body(envelope(&id, &event));
            let answer = request.send().await.ok()?;
            answer.status().is_success().then_some((id, group))
        };
        let mut sending: FuturesUnordered<_> = (0..BURST).map(send).collect();
        while acknowledged.len() < KILL_AFTER {
            let sent = sending.next().await.expect("a burst is longer than what is waited for");
            acknowledged.push(sent.expect("the running server accepts"));
        }
        server.kill_now();
        while let Some(sent) = sending.next().await {
            acknowledged.extend(sent);
        }
    }
    server.ended().await;
    acknowledged
}

on_both!(killed_server_loses_no_acknowledged_event_and_counts_none_twice, |database| {
    let mut server = Server::start_on(database).await;
    let mut acknowledged = Vec::new();
    let mut bursts = 0;
    loop {
        acknowledged.extend(interrupted_burst(&mut server).await);
        let waiting = server.number("SELECT COUNT(*) FROM accepted").await;
        // On PostgreSQL a batch in hand is leased for a minute, which the test does not wait for.
        server.execute("UPDATE accepted SET visible_at_ms = received_at_ms").await;
        bursts += 1;
        server.restart().await;
        if waiting > 0 {
            break;
        }
        assert!(bursts < BURSTS_MAX, "the digest was always faster than the kill");
    }
    server.wait_idle().await;
    let mut issue_of_group = BTreeMap::new();
    for (id, group) in &acknowledged {
        let event = server.wait_digested(id).await;
        let issue = event["groupID"].as_str().unwrap().to_owned();
        assert_eq!(*issue_of_group.entry(*group).or_insert(issue.clone()), issue, "{id}");
    }
    let issues = server.issues().await;
    assert_eq!(issues.len(), MESSAGES.len());
    let counted: usize =
        issues.iter().map(|issue| issue["count"].as_str().unwrap().parse::<usize>().unwrap()).sum();
    server.terminate();
    server.ended().await;
    let kept = usize::try_from(server.number("SELECT COUNT(*) FROM event").await).unwrap();
    let ids = server.number("SELECT COUNT(DISTINCT event_id) FROM event").await;
    assert_eq!((counted, ids), (kept, i64::try_from(kept).unwrap()));
    // Those that were being sent may have been kept without an answer, and no others.
    assert!((acknowledged.len()..=bursts * BURST).contains(&kept), "{kept}");
    assert_eq!(server.number("SELECT COUNT(*) FROM accepted").await, 0);
});

/// Copies a queued row with another payload and history, as failures and crashes leave it.
async fn insert_accepted(server: &Server, id: i64, event_id: &str, payload: &str, alone: i64) {
    let bytes = |hex: String| match server.environment().is_empty() {
        true => format!("x'{hex}'"),
        false => format!("decode('{hex}', 'hex')"),
    };
    let (event_id, payload) = (bytes(event_id.to_owned()), bytes(hex::encode(payload)));
    let project = server.credentials.project_id;
    let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis();
    server
        .execute(&format!(
            "INSERT INTO accepted (id, project_id, event_id, received_at_ms, visible_at_ms, attempts,
               alone_attempts, sender, payload)
             VALUES ({id}, {project}, {event_id}, {now}, {now}, 2, {alone}, '{{}}', {payload})"
        ))
        .await;
}

on_both!(poison_is_parked_with_its_error_and_the_others_go_on, |database| {
    let mut server = Server::start_on(database).await.may_fail();
    let sent = new_id();
    server.send_envelope(envelope(&sent, &json!({"message": "fine"}))).await.expect(200);
    let issue = server.wait_digested(&sent).await["groupID"].clone();
    server.terminate();
    server.ended().await;
    // Ids tell the time: rows with small ones would have expired.
    let id = server.number("SELECT MAX(id) FROM event").await;
    let (broken, killer, good) = (new_id(), new_id(), new_id());
    // One that cannot be read, tried alone twice; one during whose digest the process ended three times.
    insert_accepted(&server, id + 1, &broken, "[1, 2", 2).await;
    insert_accepted(&server, id + 2, &killer, "{\"message\": \"boom\"}", 3).await;
    insert_accepted(&server, id + 3, &good, "{\"message\": \"fine\"}", 0).await;
    server.restart().await;
    assert_eq!(server.wait_digested(&good).await["groupID"], issue);
    for (id, words) in [(broken, "no JSON object"), (killer, "the process ended three times")] {
        let told = until("the event to be parked", async || {
            let answer = server.of_project(&format!("events/{id}/")).await;
            let told = answer.expect(404).json()["detail"].as_str().unwrap().to_owned();
            told.contains("kept aside").then_some(told)
        })
        .await;
        assert!(told.contains(words), "{told}");
    }
    assert_eq!(server.metric("symbolist_events_parked_total").await as u64, 2);
    // A restart tries neither again, and loses neither.
    server.terminate();
    server.ended().await;
    server.restart().await;
    server.wait_idle().await;
    server.terminate();
    server.ended().await;
    let parked = "SELECT COUNT(*) FROM accepted WHERE parked_at_ms IS NOT NULL";
    assert_eq!(server.number(parked).await, 2);
});
