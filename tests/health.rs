//! Whether the server says truly how it is.

use crate::support::database::on_both;
use crate::support::server::Server;

on_both!(server_is_ready_when_its_parts_are, |database| {
    let server = Server::start_on(database).await;
    assert_eq!(server.get_as(None, "/healthz").await.expect(200).body, "ok\n");
    let ready = server.get_as(None, "/readyz").await.expect(200).json();
    assert_eq!((&ready["database"], &ready["blobs"]), (&"ok".into(), &"ok".into()));
});

#[tokio::test]
async fn server_without_its_blobs_is_not_ready_and_comes_back() {
    let server = Server::start().await.may_fail();
    let (blobs, away) = (server.data().join("blobs"), server.data().join("away"));
    std::fs::rename(&blobs, &away).unwrap();
    let ready = server.get_as(None, "/readyz").await.expect(503).json();
    assert_eq!((&ready["database"], &ready["blobs"]), (&"ok".into(), &"failed".into()));
    server.get_as(None, "/healthz").await.expect(200);
    std::fs::rename(&away, &blobs).unwrap();
    server.get_as(None, "/readyz").await.expect(200);
}

#[tokio::test]
async fn metrics_count_answers_by_route() {
    let server = Server::start().await;
    server.get("/api/0/organizations/default/").await.expect(200);
    server.get("/api/0/nope/").await.expect(404);
    let route = "symbolist_http_requests_total{route=\"/api/0/organizations/{organization}/\",method=\"GET\",status=\"200\"}";
    assert_eq!(server.metric(route).await as u64, 1);
    assert!(server.metric("symbolist_db_commit_duration_seconds_count").await >= 1.0);
    let text = server.get_as(None, "/metrics").await.expect(200);
    assert!(
        text.headers["content-type"].to_str().unwrap().starts_with("application/openmetrics-text")
    );
    assert!(!text.body.contains("nope"), "what clients ask for is no label");
}
