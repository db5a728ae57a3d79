//! The real sentry-cli, in both versions, reads and changes issues.

use crate::api_issues::{envelope, event, send};
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;

/// More than one page has.
const EVENTS: u32 = 103;

#[tokio::test]
async fn issues_are_listed_and_changed() {
    for cli in SentryCli::all() {
        let server = Server::start().await;
        let folder = server.data();
        let key = send(&server, 1, "KeyError").await["groupID"].as_str().expect("text").to_owned();
        send(&server, 2, "ValueError").await;
        let run = async |arguments: &[&str]| cli.run(&server, &folder, arguments).await;

        run(&["issues", "list"])
            .await
            .says("FIRST-1")
            .says("KeyError: no such article")
            .says("FIRST-2");
        let events = run(&["events", "list", "--show-user", "--show-tags"]).await;
        events.says("00000000-0000-0000-0000-000000000001").says("user-2").says("plan: free");

        // `--status` of `list` is not sent to the server by either version.
        let list = async |query: &str| run(&["issues", "list", "--query", query]).await;
        run(&["issues", "resolve", "--id", &key]).await.says("");
        list("is:resolved").await.says("FIRST-1").does_not_say("FIRST-2");
        run(&["issues", "mute", "--status", "unresolved"]).await.says("");
        list("is:ignored").await.says("FIRST-2").does_not_say("FIRST-1");
        run(&["issues", "unresolve", "--all"]).await.says("");
        list("is:unresolved").await.says("FIRST-1").says("FIRST-2");
        run(&["issues", "resolve", "--next-release", "--id", &key]).await.says("");
        list("is:resolved").await.says("FIRST-1").does_not_say("FIRST-2");
        list("assigned:me")
            .await
            .fails("Error parsing search query: `assigned:me`: issues are not assigned");
    }
}

#[tokio::test]
async fn lists_go_on_to_the_next_page() {
    let server = Server::start().await;
    for number in 1..=EVENTS {
        server.send_envelope(envelope(&event(number, "KeyError"))).await.expect(200);
    }
    for number in 1..=EVENTS {
        server.wait_digested(&format!("{number:032x}")).await;
    }
    for cli in SentryCli::all() {
        let ran = cli.run(&server, &server.data(), &["events", "list"]).await.says("KeyError");
        let lines = ran.output.lines().filter(|line| line.contains("KeyError")).count();
        assert_eq!(lines, usize::try_from(EVENTS).expect("it is small"), "{ran:#?}");
    }
}
