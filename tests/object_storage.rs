//! The whole main job with the blobs in a real S3 server.

use crate::native_crash::{assert_rust_crash, upload, wait_symbolicated};
use crate::node_crash::{App, assert_resolved};
use crate::support::client::{crash_native, crash_node, variable};
use crate::support::database::Database;
use crate::support::reading::{envelope, new_id};
use crate::support::sentry_cli::SentryCli;
use crate::support::server::{Options, Server};

/// Returns the options of a server that keeps its blobs in the tests' bucket, under a prefix of its own.
pub(crate) fn options(database: Database) -> Options {
    let of_tests = |name: &str| variable(&format!("SYMBOLIST_TEST_S3_{name}"));
    Options::on(database)
        .with("SYMBOLIST_BLOBS_KIND", "s3")
        .with("SYMBOLIST_BLOBS_S3_ENDPOINT", &of_tests("ENDPOINT"))
        .with("SYMBOLIST_BLOBS_S3_BUCKET", &of_tests("BUCKET"))
        .with("SYMBOLIST_BLOBS_S3_ACCESS_KEY", &of_tests("KEY"))
        .with("SYMBOLIST_BLOBS_S3_SECRET_KEY", &of_tests("SECRET"))
        .with("SYMBOLIST_BLOBS_S3_PREFIX", &new_id())
}

#[tokio::test]
async fn files_events_and_attachments_live_in_a_bucket() {
    let [cli, _] = SentryCli::all();
    let server = Server::start_with(options(Database::Postgres)).await;
    let early = crash_native(&server, "rust-crash", &[]).await;
    server.wait_digested(&early).await;
    upload(&server, &cli, "rust-crash").await;
    assert_rust_crash(&wait_symbolicated(&server, &early, "rust_crash::price::rate").await);

    let app = App::build(&server, &cli, |_, _| ()).await;
    app.upload(&server, &cli, &[]).await;
    let event_id = crash_node(&server, &app.script()).await;
    assert_resolved(&server.wait_digested(&event_id).await);

    let (id, log) = (new_id(), "0123456789abcdef".repeat(20_000));
    let mut body = envelope(&id, &serde_json::json!({"message": "with a long log"}));
    let header =
        serde_json::json!({"type": "attachment", "length": log.len(), "filename": "long.log"});
    body.extend_from_slice(format!("{header}\n{log}\n").as_bytes());
    server.send_envelope(body).await.expect(200);
    server.wait_digested(&id).await;
    let attachments =
        server.of_project(&format!("events/{id}/attachments/")).await.expect(200).json();
    let path =
        format!("events/{id}/attachments/{}/?download=1", attachments[0]["id"].as_str().unwrap());
    assert!(server.of_project(&path).await.expect(200).body == log, "not the same bytes");

    let kept_here = std::fs::read_dir(server.data().join("blobs")).map_or(0, Iterator::count);
    assert_eq!(kept_here, 0, "blobs are in the bucket, not in the data folder");
}
