//! The list of issues in a real browser, by keyboard, and without JavaScript.

use std::path::Path;

use serde_json::{Value, json};
use tokio::process::Command;

use crate::api_issues::{envelope, event};
use crate::support::server::Server;
use crate::support::visitor::Visitor;

#[tokio::test]
async fn a_list_is_worked_through_by_keyboard() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    for (number, kind) in
        (1..).zip(["KeyError", "ValueError", "TypeError", "OSError", "EOFError", "EOFError"])
    {
        server.send_envelope(envelope(&event(number, kind))).await.expect(200);
        visitor.wait_digested(&format!("{number:032x}")).await;
    }
    let found = work(&server).await;
    let titles = |kinds: &[&str]| -> Value {
        kinds.iter().map(|kind| format!("{kind}: no such article")).collect()
    };
    let all = ["EOFError", "OSError", "TypeError", "ValueError", "KeyError"];
    assert_eq!(found["listed"], titles(&all));
    assert_eq!(found["selected"], "2 selected");
    assert_eq!((&found["searching"], &found["keys"]), (&json!("query"), &json!(true)));
    let resolved = &found["resolved"];
    assert_eq!(resolved["listed"], titles(&all[2..]));
    assert_eq!(resolved["notice"], "2 issues are resolved now; a new event brings them back.");
    assert_eq!(resolved["address"], "/default/first/issues/?query=is%3Aunresolved");
    assert_eq!(found["older"], "2 of 2");
    let copied = found["copied"].as_str().unwrap();
    assert!(copied.starts_with("Traceback") && copied.contains("find_EOFError"), "{copied}");
    assert_eq!(found["dark"], json!(["dark js", "dark"]));
    assert_eq!(found["plain"]["listed"], titles(&all[3..]));
    assert_eq!(found["plain"]["notice"], "1 issue is ignored now.");
    assert_eq!(found["shift"], json!({"list": 0, "issue": 0}));
    assert_eq!(found["problems"], json!([]));
}

async fn work(server: &Server) -> Value {
    let node = std::env::var("SYMBOLIST_TEST_NODE").expect(
        "SYMBOLIST_TEST_NODE is set: run the tests with tests/run, which installs a browser",
    );
    let credentials = &server.credentials;
    let mut command = Command::new(node);
    command.arg(Path::new("tests/pages/list.mjs"));
    command.args([&credentials.url, &credentials.email, &credentials.password]);
    let output = command.arg("/default/first/issues/").kill_on_drop(true).output().await;
    let output = output.expect("node starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}
