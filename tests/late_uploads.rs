//! Whether the file or the event comes first makes no difference in the end.

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::client::{built, crash_native};
use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id};
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;
use crate::support::trace::{frames, outline};
use crate::support::wait::until;

/// Users of the crashes; one has two.
const USERS: [&str; 4] = ["ann", "bob", "ann", "eve"];

/// What is the same whatever came first.
#[derive(Debug, PartialEq)]
struct Seen {
    title: Value,
    culprit: Value,
    count: Value,
    users: Value,
    frames: Vec<String>,
}

/// Returns the payload of a crash of the stripped program, as its SDK sends it. Addresses differ from run to
/// run, so both orders are given the same.
async fn crash() -> Value {
    let server = Server::start().await;
    let id = crash_native(&server, "rust-crash", &[]).await;
    server.wait_digested(&id).await;
    let kept = server.of_project(&format!("events/{id}/json/")).await.expect(200).json();
    json!({
        "platform": kept["platform"],
        "exception": kept["exception"],
        "debug_meta": kept["debug_meta"],
        "release": kept["release"],
    })
}

async fn send_all(server: &Server, crash: &Value) -> Vec<String> {
    let mut ids = Vec::new();
    for user in USERS {
        let (id, mut event) = (new_id(), crash.clone());
        event["user"] = json!({"id": user});
        server.send_envelope(envelope(&id, &event)).await.expect(200);
        server.wait_digested(&id).await;
        ids.push(id);
    }
    ids
}

async fn upload(server: &Server) {
    let [cli, _] = SentryCli::all();
    let (folder, file) = (tempdir().unwrap(), built("debug/rust-crash.debug"));
    let upload = ["debug-files", "upload", file.to_str().unwrap()];
    cli.run(server, folder.path(), &upload).await.says("OK");
}

/// Waits until all events are symbolicated, and returns their one issue.
async fn seen(server: &Server, ids: &[String]) -> Seen {
    let mut last = Value::Null;
    for id in ids {
        last = until("the event to be symbolicated", async || {
            let event = server.wait_digested(id).await;
            let is_done = outline(&frames(&event)).iter().any(|line| line.contains("price::rate"));
            is_done.then_some(event)
        })
        .await;
    }
    let issue = server.issue_of(&last).await;
    for id in ids {
        assert_eq!(server.wait_digested(id).await["groupID"], last["groupID"]);
    }
    let counted: Vec<Value> =
        server.issues().await.into_iter().filter(|issue| issue["count"] != "0").collect();
    assert_eq!(counted.len(), 1, "{counted:#?}");
    Seen {
        title: issue["title"].clone(),
        culprit: issue["culprit"].clone(),
        count: issue["count"].clone(),
        users: issue["userCount"].clone(),
        frames: outline(&frames(&last)),
    }
}

on_both!(event_first_and_file_first_end_the_same, |database| {
    let crash = crash().await;
    let (event_first, file_first) =
        tokio::join!(Server::start_on(database), Server::start_on(database));
    let early = send_all(&event_first, &crash).await;
    upload(&event_first).await;
    upload(&file_first).await;
    let late = send_all(&file_first, &crash).await;
    let (one, other) = (seen(&event_first, &early).await, seen(&file_first, &late).await);
    assert_eq!(one, other);
    assert_eq!((&one.count, &one.users), (&json!("4"), &json!(3)));
});
