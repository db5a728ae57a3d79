//! Secrets leave no trace in what is kept.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::tempdir;

use crate::support::reading::{envelope, new_id};
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;

/// Asserts that no file below `folder` but the credentials contains the words.
fn assert_nowhere(folder: &Path, words: &str) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            assert_nowhere(&entry.path(), words);
        } else if entry.file_name() != "credentials.json" {
            let bytes = std::fs::read(entry.path()).unwrap();
            let is_there = bytes.windows(words.len()).any(|window| window == words.as_bytes());
            assert!(!is_there, "{words:?} is in {:?}", entry.path());
        }
    }
}

/// Everything the API says of an event.
async fn all_said(server: &Server, id: &str) -> String {
    let event = server.wait_digested(id).await;
    let json = server.of_project(&format!("events/{id}/json/")).await.expect(200).body;
    let issue = server.issue_of(&event).await;
    format!("{event}{json}{issue}")
}

#[tokio::test]
async fn token_in_the_environment_that_sentry_cli_sends_is_removed() {
    let mut server = Server::start().await;
    for cli in SentryCli::all() {
        let folder = tempdir().unwrap();
        let send = ["send-event", "-m", "deployment of %s failed", "-a", "web", "-t", "stage:last"];
        let ran = cli.run(&server, folder.path(), &send).await.says("Event dispatched");
        let id = ran.output.split_whitespace().last().unwrap().replace('-', "");
        let said = all_said(&server, &id).await;
        assert!(
            said.contains("SENTRY_AUTH_TOKEN"),
            "sentry-cli does not send its environment any more"
        );
        assert!(!said.contains(&server.credentials.token), "{said}");
        let secret = server.credentials.token.rsplit('_').next().unwrap();
        assert!(!said.contains(secret), "{said}");
    }
    // The accepted rows, which are as they came, are gone with the digest; the log of the database with its end.
    server.terminate();
    assert_eq!(server.ended().await, 0);
    assert_nowhere(&server.data(), &server.credentials.token);
}

#[tokio::test]
async fn secrets_of_every_part_of_an_event_are_removed() {
    let mut server = Server::start().await;
    let secret = "hunter2hunter2";
    let bearer = format!("Bearer {secret}");
    let address = format!("postgres://me:{secret}@db.example.com/x");
    let event = json!({
        "message": format!("cannot reach {address}"),
        "extra": {"password": secret, "list": [{"api_key": secret}], "settings": format!("api_key={secret}")},
        "contexts": {"app": {"client_secret": secret}},
        "tags": {"auth": secret},
        "user": {"id": "7", "data": {"token": secret}},
        "request": {
            "url": format!("https://me:{secret}@example.com/"),
            "headers": {"Authorization": bearer, "Cookie": format!("sid={secret}")},
            "cookies": {"sid": secret},
            "query_string": format!("access_token={secret}&page=2"),
            "data": {"card": "4111 1111 1111 1111", "password": secret},
            "env": {"DATABASE_URL": address},
        },
        "breadcrumbs": [{"message": format!("got {bearer}"), "data": {"session": secret}}],
        "exception": [{
            "type": "Error",
            "value": format!("refused: password={secret}"),
            "stacktrace": {"frames": [{"function": "f", "vars": {"secret": secret, "n": 1}}]},
        }],
    });
    let id = new_id();
    server.send_envelope(envelope(&id, &event)).await.expect(200);
    let said = all_said(&server, &id).await;
    assert!(!said.contains(secret) && !said.contains("4111 1111"), "{said}");
    let kept = server.of_project(&format!("events/{id}/json/")).await.expect(200).json();
    let frame = &kept["exception"]["values"][0]["stacktrace"]["frames"][0];
    assert_eq!(frame["vars"]["n"], 1, "what is no secret stays: {kept:#}");
    assert_eq!(kept["extra"]["password"], Value::from("[Filtered]"));
    server.terminate();
    assert_eq!(server.ended().await, 0);
    assert_nowhere(&server.data(), secret);
}
