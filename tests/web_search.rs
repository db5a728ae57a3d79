//! Finding issues in a browser, and changing the handful that was found.

use serde_json::json;

use crate::api_issues::{envelope, event};
use crate::support::database::on_both;
use crate::support::server::Server;
use crate::support::visitor::Visitor;

const LIST: &str = "/default/first/issues/";

/// Sends one event of each kind and waits until they are digested.
async fn fill(server: &Server, visitor: &mut Visitor) {
    for (number, kind, environment, level) in [
        (1, "KeyError", "production", "error"),
        (2, "ValueError", "production", "warning"),
        (3, "TypeError", "staging", "error"),
    ] {
        let mut event = event(number, kind);
        event["environment"] = json!(environment);
        event["level"] = json!(level);
        if number == 3 {
            event["exception"]["values"][0]["mechanism"]["handled"] = json!(true);
        }
        server.send_envelope(envelope(&event)).await.expect(200);
        visitor.wait_digested(&format!("{number:032x}")).await;
    }
}

/// The issues that a page lists, first to last.
fn listed(page: &str) -> Vec<&str> {
    let rows = page.split("class=\"row-link\"").skip(1);
    rows.filter_map(|row| row.split_once('>')?.1.split(':').next()).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

on_both!(issues_are_found_by_what_is_known_of_them, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    fill(&server, &mut visitor).await;
    let all = ["TypeError", "ValueError", "KeyError"];
    for (query, expected) in [
        ("is:unresolved", all.as_slice()),
        ("", &all),
        ("*", &all),
        ("is:resolved", &[]),
        ("is:unhandled", &["ValueError", "KeyError"]),
        ("!is:unhandled", &["TypeError"]),
        ("environment:production", &["ValueError", "KeyError"]),
        ("!environment:production", &["TypeError"]),
        ("environment:prod*", &["ValueError", "KeyError"]),
        ("environment:[staging, elsewhere]", &["TypeError"]),
        ("environment:PRODUCTION", &[]),
        ("level:warning", &["ValueError"]),
        ("level:[warning, fatal] environment:production", &["ValueError"]),
        ("release:shop@1.2.0 plan:free", &all),
        ("has:plan", &all),
        ("has:browser", &[]),
        ("platform:python", &all),
        ("firstRelease:shop@1.2.0", &all),
        ("error.type:KeyError", &["KeyError"]),
        ("error.value:\"no such article\"", &all),
        ("keyerror", &["KeyError"]),
        ("such KEY", &["KeyError"]),
        ("\"such KEY\"", &[]),
        ("timesSeen:>1", &[]),
        ("users:1 timesSeen:1", &all),
        ("age:-1h", &all),
        ("age:+1h", &[]),
        ("FIRST-1", &["KeyError"]),
        ("00000000000000000000000000000003", &["TypeError"]),
        ("project:first", &all),
        ("project:other", &[]),
    ] {
        let page = visitor.get(&format!("{LIST}?query={}", encoded(query))).await.expect(200).body;
        assert_eq!(listed(&page), expected, "{query}");
        let path = format!("/api/0/projects/default/first/issues/?query={}", encoded(query));
        let found = server.get(&path).await.expect(200).json();
        let kinds: Vec<&str> = found
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|issue| issue["metadata"]["type"].as_str())
            .collect();
        assert_eq!(kinds, expected, "the API on {query}");
    }
    let path = "/api/0/organizations/default/issues/?environment=staging&query=";
    assert_eq!(server.get(path).await.expect(200).json().as_array().map(Vec::len), Some(1));
    let path = "/api/0/organizations/default/issues/?end=2020-01-01T00:00:00";
    assert_eq!(server.get(path).await.expect(200).json().as_array().map(Vec::len), Some(0));
});

on_both!(lists_are_ordered_and_offer_what_there_is, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    fill(&server, &mut visitor).await;
    let mut more = event(4, "KeyError");
    more["user"]["id"] = json!("somebody else");
    server.send_envelope(envelope(&more)).await.expect(200);
    visitor.wait_digested(&format!("{:032x}", 4)).await;
    for (query, first) in [
        ("", "KeyError"),
        ("?sort=new", "TypeError"),
        ("?sort=freq", "KeyError"),
        ("?sort=user", "KeyError"),
        ("?period=24h&sort=luck", "KeyError"),
    ] {
        let page = visitor.get(&format!("{LIST}{query}")).await.expect(200).body;
        assert_eq!(listed(&page).first(), Some(&first), "{query}");
    }
    let page = visitor.get(LIST).await.expect(200).body;
    for filter in ["environment%3Aproduction", "environment%3Astaging", "release%3Ashop%401.2.0"] {
        assert!(page.contains(filter), "{filter}: {page}");
    }
    let everywhere = visitor.get("/default/issues/").await.expect(200).body;
    assert_eq!(listed(&everywhere).len(), 3);
    assert!(everywhere.contains("href=\"/default/first/issues/FIRST-1/\""), "{everywhere}");
    visitor.get("/other/issues/").await.expect(404);
});

#[tokio::test]
async fn an_empty_list_says_what_to_change() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    fill(&server, &mut visitor).await;
    let refused = visitor.get(&format!("{LIST}?query=is:unresolved%20assigned:me")).await;
    let refused = refused.expect(400);
    assert!(refused.body.contains("<code>assigned:me</code>"), "{}", refused.body);
    assert!(refused.body.contains("value=\"is:unresolved assigned:me\""), "{}", refused.body);
    assert!(refused.body.contains("What can be searched"), "{}", refused.body);

    let path = format!("{LIST}?query=is:resolved%20enviroment:production");
    let typo = visitor.get(&path).await.expect(200).body;
    assert!(
        typo.contains("<code>environment</code>") && !typo.contains("Search everywhere"),
        "{typo}"
    );
    let path = format!("{LIST}?query=is:resolved%20keyerror");
    let elsewhere = visitor.get(&path).await.expect(200).body;
    assert!(
        elsewhere.contains("Search everywhere") && elsewhere.contains("Without"),
        "{elsewhere}"
    );
}

on_both!(several_issues_are_changed_at_once, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    fill(&server, &mut visitor).await;
    let list = visitor.get(LIST).await.expect(200);
    let csrf = list.csrf();
    let ids: Vec<&str> = list
        .body
        .split("name=\"id\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(ids.len(), 3, "{}", list.body);
    let path = "/default/first/issues/status";
    let query = ("query", "is:unresolved");
    let two =
        [("csrf", csrf.as_str()), query, ("id", ids[0]), ("id", ids[1]), ("status", "resolved")];
    let answer = visitor.post(path, &two).await.expect(303);
    let location = answer.location().unwrap();
    assert_eq!(location, "/default/first/issues/?query=is%3Aunresolved&changed=2-resolved");
    let page = visitor.get(&location).await.expect(200).body;
    assert_eq!(listed(&page), ["KeyError"]);
    assert!(page.contains("2 issues are resolved now"), "{page}");

    let all =
        [("csrf", csrf.as_str()), ("query", "is:resolved"), ("all", "1"), ("status", "ignored")];
    visitor.post("/default/issues/status", &all).await.expect(303);
    let ignored = visitor.get(&format!("{LIST}?query=is:ignored")).await.expect(200).body;
    assert_eq!(listed(&ignored), ["TypeError", "ValueError"]);

    for wrong in [
        [("csrf", csrf.as_str()), ("id", "x"), ("status", "resolved")],
        [("csrf", csrf.as_str()), ("id", ids[0]), ("status", "gone")],
        [("csrf", csrf.as_str()), ("all", "1"), ("query", "user:me")],
    ] {
        visitor.post(path, &wrong).await.expect(400);
    }
    visitor
        .post(path, &[("csrf", "forged"), ("id", ids[0]), ("status", "resolved")])
        .await
        .expect(403);
});

on_both!(programs_change_what_they_find, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    fill(&server, &mut visitor).await;
    let project = "/api/0/projects/default/first/issues/";
    let organization = "/api/0/organizations/default/issues/";
    let resolved = json!({"status": "resolved"});
    let path = format!("{project}?query=environment:production%20level:warning");
    let answer = server.put(&path, &resolved).await.expect(200).json();
    assert_eq!(answer["status"], "resolved");
    server.put(&path, &resolved).await.expect(204);
    assert_eq!(server.issues().await.iter().filter(|it| it["status"] == "resolved").count(), 1);
    let path = format!("{organization}?query=environment:staging&project=first");
    server.put(&path, &json!({"status": "ignored"})).await.expect(200);
    assert_eq!(server.issues().await.iter().filter(|it| it["status"] == "ignored").count(), 1);
    server.put(&format!("{organization}?query=user:me"), &resolved).await.expect(400);
    server.put(&format!("{organization}?query=disk&id=1"), &resolved).await.expect(400);
    server.put(&format!("{organization}?project=nothing"), &resolved).await.expect(404);
});
