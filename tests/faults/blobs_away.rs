//! The blob store is away while events with attachments, uploads and the digest want it.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::object_storage;
use crate::support::client::variable;
use crate::support::database::Database;
use crate::support::proxy::Proxy;
use crate::support::reading::{envelope, new_id};
use crate::support::server::{Options, Server};
use crate::support::trace::{frames, outline};
use crate::support::upload::Part;
use crate::support::wait::until;

const ELF: &[u8] = include_bytes!("../../fixtures/elf/inlined-dwarf5");
const OTHER: &[u8] = include_bytes!("../../fixtures/elf/cold");

/// Where the blobs are, and how they go away.
enum Store {
    Bucket(Proxy),
    Folder(PathBuf),
}

impl Store {
    async fn take_away(&self) {
        match self {
            Self::Bucket(wire) => wire.cut().await,
            Self::Folder(path) => std::fs::rename(path, path.with_extension("away")).unwrap(),
        }
    }

    fn bring_back(&self) {
        match self {
            Self::Bucket(wire) => wire.mend(),
            Self::Folder(path) => std::fs::rename(path.with_extension("away"), path).unwrap(),
        }
    }
}

/// An event whose frame lies in the uploaded file.
fn native(debug_id: &Value) -> Value {
    json!({
        "platform": "native",
        "exception": [{"type": "panic", "value": "boom", "stacktrace": {"frames": [
            {"instruction_addr": "0x11065"}]}}],
        "debug_meta": {"images": [
            {"type": "elf", "debug_id": debug_id, "image_addr": "0x10000", "image_size": 65536}]},
    })
}

fn with_attachment(id: &str, bytes: usize) -> Vec<u8> {
    let mut body = envelope(id, &json!({"message": "with a log"}));
    let header = json!({"type": "attachment", "length": bytes, "filename": "run.log"});
    body.extend_from_slice(format!("{header}\n{}\n", "l".repeat(bytes)).as_bytes());
    body
}

async fn send(server: &Server, event: &Value) -> String {
    let id = new_id();
    server.send_envelope(envelope(&id, event)).await.expect(200);
    id
}

/// What works and what waits while the store is away.
async fn assert_the_rest_goes_on(server: &Server, native_id: &str) {
    let plain = send(server, &json!({"message": "plain"})).await;
    server.wait_digested(&plain).await;
    let ready = server.get_as(None, "/readyz").await.expect(503).json();
    assert_eq!((&ready["database"], &ready["blobs"]), (&"ok".into(), &"failed".into()));

    let logged = new_id();
    server.send_envelope(with_attachment(&logged, 200_000)).await.expect(200);
    server.wait_digested(&logged).await;
    let listed =
        server.of_project(&format!("events/{logged}/attachments/")).await.expect(200).json();
    let attachment = listed[0]["id"].as_str().unwrap();
    let path = format!("events/{logged}/attachments/{attachment}/?download=1");
    assert_eq!(server.of_project(&path).await.expect(200).body.len(), 200_000);

    let refused = server.send_envelope(with_attachment(&new_id(), 9 << 20)).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"));
    assert!(refused.body.contains("`run.log` of 9437184 bytes"), "{}", refused.body);
    let refused = server.send_chunks(&[Part::plain(OTHER)]).await.expect(503);
    assert!(refused.headers.contains_key("retry-after"), "sentry-cli repeats such an answer");

    let told = until("the native event to be tried", async || {
        let told = server.of_project(&format!("events/{native_id}/")).await.expect(404).body;
        told.contains("blob store").then_some(told)
    })
    .await;
    assert!(!told.contains("kept aside"), "{told}");
}

async fn goes_away_and_comes_back(options: Options, store: impl Fn(&Server) -> Store) {
    let mut server = Server::start_with(options).await.may_fail();
    let uploaded = server.upload("prog", ELF).await;
    let debug_id = uploaded["dif"]["debugId"].clone();
    // Look-up files are a cache; without it the digest has to ask the store.
    server.terminate();
    server.ended().await;
    std::fs::remove_dir_all(server.data().join("derived")).unwrap();
    server.restart().await;
    let store = store(&server);
    store.take_away().await;
    let native_id = send(&server, &native(&debug_id)).await;
    assert_the_rest_goes_on(&server, &native_id).await;
    store.bring_back();
    let event = server.wait_digested(&native_id).await;
    let lines = outline(&frames(&event));
    assert!(lines.iter().any(|line| line.contains("plain")), "{lines:?}");
    server.get_as(None, "/readyz").await.expect(200);
    until("uploads to work again", async || {
        let sent = server.send_chunks(&[Part::plain(OTHER)]).await;
        (sent.status == 200).then_some(())
    })
    .await;
    assert_eq!(server.assemble("other", OTHER).await["state"], "ok");
    assert_eq!(server.metric("symbolist_events_parked_total").await as u64, 0);
}

#[tokio::test]
async fn a_bucket_that_is_away_stops_only_what_needs_it() {
    let wire = Proxy::to(&variable("SYMBOLIST_TEST_S3_ENDPOINT")).await;
    let options = object_storage::options(Database::Postgres)
        .with("SYMBOLIST_BLOBS_S3_ENDPOINT", &wire.url());
    let wire = std::cell::Cell::new(Some(wire));
    goes_away_and_comes_back(options, |_| Store::Bucket(wire.take().unwrap())).await;
}

#[tokio::test]
async fn a_folder_that_is_away_stops_only_what_needs_it() {
    let folder = |server: &Server| Store::Folder(server.data().join("blobs"));
    goes_away_and_comes_back(Options::default(), folder).await;
}
