//! The real sentry-cli reads and changes issues.

use std::process::{Command, Output};

use crate::api_issues::send;
use crate::support::server::Server;

fn run(server: &Server, arguments: &[&str]) -> Output {
    let program = std::env::var("SYMBOLIST_TEST_SENTRY_CLI_3")
        .expect("SYMBOLIST_TEST_SENTRY_CLI_3 names sentry-cli 3: run the tests with tests/run");
    Command::new(program)
        .args(arguments)
        .env_clear()
        .env("SENTRY_URL", &server.credentials.url)
        .env("SENTRY_AUTH_TOKEN", &server.credentials.token)
        .env("SENTRY_ORG", &server.credentials.organization)
        .env("SENTRY_PROJECT", &server.credentials.project)
        .env("HOME", server.data())
        .current_dir(server.data())
        .output()
        .expect("sentry-cli starts")
}

#[track_caller]
fn output(server: &Server, arguments: &[&str]) -> String {
    let ran = run(server, arguments);
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&ran.stderr));
    text
}

#[tokio::test]
async fn sentry_cli_lists_and_changes_issues() {
    let server = Server::start().await;
    let key = send(&server, 1, "KeyError").await["groupID"].as_str().expect("text").to_owned();
    send(&server, 2, "ValueError").await;

    let issues = output(&server, &["issues", "list"]);
    assert!(issues.contains("FIRST-1") && issues.contains("FIRST-2"), "{issues}");
    assert!(issues.contains("KeyError: no such article"), "{issues}");
    let events = output(&server, &["events", "list", "--show-user", "--show-tags"]);
    assert!(events.contains("00000000-0000-0000-0000-000000000001"), "{events}");
    assert!(events.contains("user-2"), "{events}");

    output(&server, &["issues", "resolve", "--id", &key]);
    let resolved = output(&server, &["issues", "list", "--query", "is:resolved"]);
    assert!(resolved.contains("FIRST-1") && !resolved.contains("FIRST-2"), "{resolved}");
    output(&server, &["issues", "mute", "--status", "unresolved"]);
    let muted = output(&server, &["issues", "list", "--query", "is:ignored"]);
    assert!(muted.contains("FIRST-2") && !muted.contains("FIRST-1"), "{muted}");
    output(&server, &["issues", "unresolve", "--all"]);
    let open = output(&server, &["issues", "list", "--query", "is:unresolved"]);
    assert!(open.contains("FIRST-1") && open.contains("FIRST-2"), "{open}");
}

#[tokio::test]
async fn sentry_cli_pages_and_tells_what_is_not_understood() {
    let server = Server::start().await;
    for number in 1..=103 {
        let event = crate::api_issues::event(number, "KeyError");
        server.send_envelope(crate::api_issues::envelope(&event)).await.expect(200);
    }
    server.wait_digested(&format!("{:032x}", 103)).await;
    server.wait_digested(&format!("{:032x}", 1)).await;
    let events = output(&server, &["events", "list"]);
    assert_eq!(events.lines().filter(|line| line.contains("KeyError")).count(), 103, "{events}");

    let refused = run(&server, &["issues", "list", "--query", "assigned:me"]);
    let text = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(text.contains("Error parsing search query") && text.contains("assigned:me"), "{text}");
}
