//! Events of the real SDKs, live and as recorded.

use serde_json::{Value, json};

use crate::support::client::crash_python;
use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id, recorded};
use crate::support::server::Server;
use crate::support::trace::{frames, outline};

/// Recorded envelopes that carry an event, and the title of its issue.
const RECORDED: [(&str, &str); 6] = [
    ("python/exception", "OrderError: no price for 1999 cents"),
    ("node/exception", "RangeError: no rate for level bronze"),
    ("rust/panic", "panic: index out of bounds: the len is 4 but the index is 7"),
    ("rust/panic-symbolicated", "panic: index out of bounds: the len is 4 but the index is 7"),
    ("rust/cpp-hot", "odd total 6"),
    ("rust/cpp-cold", "odd total 18"),
];

fn event_id(envelope: &[u8]) -> String {
    let header = envelope.split(|byte| *byte == b'\n').next().unwrap();
    let header: Value = serde_json::from_slice(header).unwrap();
    header["event_id"].as_str().unwrap().replace('-', "")
}

on_both!(recorded_envelopes_are_digested_and_counted_once, |database| {
    let server = Server::start_on(database).await;
    for (name, title) in RECORDED {
        let envelope = recorded(name);
        let id = event_id(&envelope);
        let answer = server.send_envelope(envelope.clone()).await.expect(200);
        assert_eq!(answer.json(), json!({"id": id}), "{name}");
        let event = server.wait_digested(&id).await;
        assert_eq!(event["title"], title, "{name}");
        server.send_envelope(envelope).await.expect(200);
    }
    server.wait_idle().await;
    // The two totals are one message with another number; all others are issues of their own.
    let issues = server.issues().await;
    let counted: Vec<String> =
        issues.iter().map(|issue| format!("{} × {}", issue["count"], issue["title"])).collect();
    assert_eq!(issues.len(), RECORDED.len() - 1, "{counted:?}");
    let total: usize =
        issues.iter().map(|issue| issue["count"].as_str().unwrap().parse::<usize>().unwrap()).sum();
    assert_eq!(total, RECORDED.len(), "{counted:?}");
});

#[tokio::test]
async fn recorded_session_is_accepted_and_makes_no_issue() {
    let server = Server::start().await;
    let answer = server.send_envelope(recorded("node/session")).await.expect(200);
    assert_eq!(answer.json(), json!({}));
    let counted = "symbolist_items_total{type=\"session\",outcome=\"accepted\"}";
    assert_eq!(server.metric(counted).await as u64, 1);
    assert_eq!(server.issues().await, [] as [Value; 0]);
}

#[tokio::test]
async fn python_error_has_its_chain_its_variables_and_its_attachment() {
    let server = Server::start().await;
    let id = crash_python(&server).await;
    let event = server.wait_digested(&id).await;
    assert_eq!(event["title"], "OrderError: no price for 1999 cents");
    let entries = event["entries"].as_array().unwrap();
    let chain = entries.iter().find(|entry| entry["type"] == "exception").unwrap();
    let kinds: Vec<&Value> =
        chain["data"]["values"].as_array().unwrap().iter().map(|value| &value["type"]).collect();
    assert_eq!(kinds, ["KeyError", "OrderError"]);
    let frames = frames(&event);
    let last = frames.last().unwrap();
    assert_eq!((&last["function"], &last["inApp"]), (&json!("price"), &json!(true)));
    assert_eq!(last["vars"]["cents"], "1999", "{:#?}", outline(&frames));
    assert!(
        event["tags"].as_array().unwrap().contains(&json!({"key": "customer", "value": "bronze"}))
    );

    let attachments =
        server.of_project(&format!("events/{id}/attachments/")).await.expect(200).json();
    assert_eq!(attachments.as_array().unwrap().len(), 1, "{attachments}");
    assert_eq!(
        (&attachments[0]["name"], &attachments[0]["size"]),
        (&json!("order.log"), &json!(18))
    );
    let attachment = attachments[0]["id"].as_str().unwrap();
    let path = format!("events/{id}/attachments/{attachment}/?download=1");
    assert_eq!(server.of_project(&path).await.expect(200).body, "one line of a log\n");
}

#[tokio::test]
async fn large_attachment_is_kept_with_its_event() {
    let server = Server::start().await;
    let (id, log) = (new_id(), "0123456789abcdef".repeat(20_000));
    let mut body = envelope(&id, &json!({"message": "with a long log"}));
    let header = json!({"type": "attachment", "length": log.len(), "filename": "long.log"});
    body.extend_from_slice(format!("{header}\n{log}\n").as_bytes());
    server.send_envelope(body).await.expect(200);
    server.wait_digested(&id).await;
    let attachments =
        server.of_project(&format!("events/{id}/attachments/")).await.expect(200).json();
    let attachment = attachments[0]["id"].as_str().unwrap();
    let path = format!("events/{id}/attachments/{attachment}/?download=1");
    assert!(server.of_project(&path).await.expect(200).body == log, "not the same bytes");
}

on_both!(different_messages_are_different_issues, |database| {
    let server = Server::start_on(database).await;
    let messages = ["the cart is empty", "the till is closed", "the cart is empty"];
    for message in messages {
        let event = json!({"message": message, "user": {"id": message}});
        server.send_envelope(envelope(&new_id(), &event)).await.expect(200);
    }
    server.wait_idle().await;
    let mut issues: Vec<(String, String, u64)> = server
        .issues()
        .await
        .iter()
        .map(|issue| {
            let text = |key: &str| issue[key].as_str().unwrap().to_owned();
            (text("title"), text("count"), issue["userCount"].as_u64().unwrap())
        })
        .collect();
    issues.sort();
    let expected = [("the cart is empty", "2", 1), ("the till is closed", "1", 1)];
    assert_eq!(issues, expected.map(|(title, count, users)| (title.into(), count.into(), users)));
});
