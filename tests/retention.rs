//! What is too much goes, through the running server, and people still find their way.

use serde_json::json;

use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id};
use crate::support::server::{Options, Server};
use crate::support::visitor::Visitor;
use crate::support::wait::until;

/// Most events of the project.
const EVENTS_MAX: i64 = 20;

on_both!(a_budget_of_events_leaves_the_newest_and_the_counts, |database| {
    let options = Options::on(database).with("SYMBOLIST_RETENTION_EVENTS_MAX", "20");
    let mut server = Server::start_with(options).await;
    let rare = new_id();
    server.send_envelope(envelope(&rare, &json!({"message": "rare"}))).await.expect(200);
    server.wait_digested(&rare).await;
    let mut last = String::new();
    for _ in 0..60 {
        last = new_id();
        server.send_envelope(envelope(&last, &json!({"message": "noisy"}))).await.expect(200);
    }
    let newest = server.wait_digested(&last).await;
    server.wait_idle().await;
    // A round begins with the server.
    server.terminate();
    server.ended().await;
    server.restart().await;
    until("the oldest events to be gone", async || {
        (server.number("SELECT COUNT(*) FROM event").await == EVENTS_MAX).then_some(())
    })
    .await;
    assert_eq!(server.issue_of(&newest).await["count"], "60");
    let issues = server.issues().await;
    assert_eq!(issues.len(), 2);
    let mut visitor = Visitor::logged_in(&server).await;
    for id in [&rare, &last] {
        let page = visitor.wait_digested(id).await;
        assert!(visitor.get(&page).await.expect(200).body.contains("</html>"));
    }
    assert_eq!(server.metric("symbolist_retention_events_total").await as i64, 61 - EVENTS_MAX);
});
