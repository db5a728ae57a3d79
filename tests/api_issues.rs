//! Issues over the REST API: lists, single ones, and what people do with them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::server::{Answer, Server};
use crate::support::wait::until;

const ISSUES: &str = "/api/0/projects/default/first/issues/";

/// Returns an envelope with one event.
pub(crate) fn envelope(event: &Value) -> String {
    let id = event["event_id"].as_str().expect("the event has an id");
    format!("{}\n{}\n{event}\n", json!({"event_id": id}), json!({"type": "event"}))
}

/// Returns an event of a Python program; `number` makes the id, `kind` the issue.
pub(crate) fn event(number: u32, kind: &str) -> Value {
    json!({
        "event_id": format!("{number:032x}"),
        "platform": "python",
        "level": "error",
        "release": "shop@1.2.0",
        "environment": "production",
        "user": {"id": format!("user-{number}"), "geo": {"city": "Graz", "zip": 8010}},
        "tags": {"plan": "free"},
        "breadcrumbs": {"values": [{"message": "clicked", "timestamp": 1_795_226_127.5}]},
        "request": {"url": "https://shop.example/cart?step=2", "method": "post"},
        "exception": {"values": [{
            "type": kind,
            "value": "no such article",
            "mechanism": {"type": "excepthook", "handled": false},
            "stacktrace": {"frames": [
                {"function": "run", "module": "framework", "lineno": 3, "in_app": false},
                {"function": format!("find_{kind}"), "module": "shop.cart", "filename": "shop/cart.py",
                 "abs_path": "/srv/shop/cart.py", "lineno": 12, "in_app": true,
                 "pre_context": ["def find(key):"], "context_line": "    raise KeyError", "post_context": [""],
                 "vars": {"key": "'x'"}},
            ]},
        }]},
    })
}

/// Sends an event and waits until it is digested.
pub(crate) async fn send(server: &Server, number: u32, kind: &str) -> Value {
    let event = event(number, kind);
    server.send_envelope(envelope(&event)).await.expect(200);
    server.wait_digested(event["event_id"].as_str().expect("it is text")).await
}

async fn list(server: &Server, query: &str) -> Vec<Value> {
    let answer = server.get(&format!("{ISSUES}{query}")).await.expect(200);
    answer.json().as_array().expect("it is a list").clone()
}

fn titles(issues: &[Value]) -> Vec<&str> {
    issues.iter().filter_map(|issue| issue["metadata"]["type"].as_str()).collect()
}

/// Returns a relation of the `Link` header: its cursor, and whether it has results.
fn relation(answer: &Answer, name: &str) -> (String, bool) {
    let link = answer.headers["link"].to_str().expect("it is text");
    let part = link.split(", <").find(|part| part.contains(&format!("rel=\"{name}\"")));
    let part = part.expect("both relations are there");
    let cursor = part.rsplit_once("cursor=\"").expect("it has a cursor").1.trim_end_matches('"');
    (cursor.to_owned(), part.contains("results=\"true\""))
}

on_both!(an_issue_is_listed_resolved_and_reopened_by_the_next_event, |database| {
    let server = Server::start_on(database).await;
    assert_eq!(list(&server, "").await, Vec::<Value>::new());
    let detail = send(&server, 1, "KeyError").await;
    send(&server, 2, "KeyError").await;

    let issues = list(&server, "").await;
    assert_eq!(issues.len(), 1);
    let issue = &issues[0];
    assert_eq!(issue["shortId"], "FIRST-1");
    assert_eq!(issue["title"], "KeyError: no such article");
    assert_eq!(issue["culprit"], "find_KeyError (shop.cart)");
    assert_eq!((&issue["count"], &issue["userCount"]), (&json!("2"), &json!(2)));
    assert_eq!((&issue["status"], &issue["level"]), (&json!("unresolved"), &json!("error")));
    assert_eq!(issue["isUnhandled"], true);
    assert_eq!(issue["permalink"], server.url("/default/first/issues/FIRST-1/"));
    assert_eq!(issue["stats"]["24h"].as_array().map(Vec::len), Some(24));
    assert_eq!(
        issue["stats"]["24h"][23][1].as_i64().unwrap_or(0)
            + issue["stats"]["24h"][22][1].as_i64().unwrap_or(0),
        2
    );
    assert_eq!(issue["id"], detail["groupID"]);

    let id = issue["id"].as_str().expect("ids are texts");
    let path = format!("/api/0/organizations/default/issues/{id}/");
    let resolved = server.put(&path, &json!({"status": "resolved"})).await.expect(200).json();
    assert_eq!(
        (&resolved["status"], &resolved["shortId"]),
        (&json!("resolved"), &json!("FIRST-1"))
    );
    assert_eq!(resolved["firstRelease"]["shortVersion"], "1.2.0");
    assert_eq!(list(&server, "").await.len(), 0);
    assert_eq!(list(&server, "?query=is:resolved").await.len(), 1);
    assert_eq!(list(&server, "?query=").await.len(), 1);

    send(&server, 3, "KeyError").await;
    let reopened = list(&server, "").await;
    assert_eq!((&reopened[0]["id"], &reopened[0]["count"]), (&issue["id"], &json!("3")));
});

on_both!(every_name_of_an_issue_leads_to_it, |database| {
    let server = Server::start_on(database).await;
    let id = send(&server, 1, "KeyError").await["groupID"].as_str().expect("text").to_owned();
    let organization = "/api/0/organizations/default";
    for path in [
        format!("{organization}/issues/{id}/"),
        format!("{organization}/issues/FIRST-1/"),
        format!("{organization}/issues/first-1/"),
        format!("/api/0/issues/{id}/"),
        "/api/0/issues/FIRST-1/".to_owned(),
    ] {
        let issue = server.get(&path).await.expect(200).json();
        assert_eq!(issue["id"], id.as_str(), "{path}");
        assert_eq!(issue["tags"][0]["key"], "environment", "{path}");
        let latest = server.get(&format!("{path}events/latest/")).await.expect(200).json();
        assert_eq!(latest["eventID"], format!("{:032x}", 1));
    }
    let short = server.get(&format!("{organization}/shortids/FIRST-1/")).await.expect(200).json();
    assert_eq!((&short["groupId"], &short["group"]["id"]), (&json!(id), &json!(id)));

    let tags = server.get("/api/0/issues/FIRST-1/tags/").await.expect(200).json();
    let plan = tags.as_array().expect("a list").iter().find(|tag| tag["key"] == "plan");
    let plan = plan.expect("the event has the tag");
    assert_eq!((&plan["totalValues"], &plan["uniqueValues"]), (&json!(1), &json!(1)));
    assert_eq!(plan["topValues"][0]["value"], "free");
    assert_eq!(server.get("/api/0/issues/FIRST-1/tags/plan/").await.expect(200).json(), *plan);
    server.get("/api/0/issues/FIRST-1/tags/nothing/").await.expect(404);
    let hashes = server.get("/api/0/issues/FIRST-1/hashes/").await.expect(200).json();
    assert_eq!(hashes[0]["id"].as_str().map(str::len), Some(32));

    for path in ["issues/FIRST-2/", "issues/1/", "issues/x/", "shortids/FIRST-2/", "shortids/x/"] {
        server.get(&format!("{organization}/{path}")).await.expect(404);
    }
});

on_both!(lists_are_searched_and_paged, |database| {
    let server = Server::start_on(database).await;
    let kinds = ["KeyError", "ValueError", "TypeError", "OSError", "EOFError"];
    for (number, kind) in (1..).zip(kinds) {
        send(&server, number, kind).await;
    }
    let newest_first: Vec<&str> = kinds.into_iter().rev().collect();
    assert_eq!(titles(&list(&server, "").await), newest_first);

    let first = server.get(&format!("{ISSUES}?limit=2&cursor=")).await.expect(200);
    assert_eq!(titles(first.json().as_array().expect("a list")), ["EOFError", "OSError"]);
    assert!(!relation(&first, "previous").1);
    let (cursor, has_next) = relation(&first, "next");
    assert!(has_next);
    send(&server, 9, "IndexError").await;
    let second = server.get(&format!("{ISSUES}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(titles(second.json().as_array().expect("a list")), ["TypeError", "ValueError"]);
    let (cursor, has_next) = relation(&second, "next");
    assert!(has_next && relation(&second, "previous").1);
    let last = server.get(&format!("{ISSUES}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(titles(last.json().as_array().expect("a list")), ["KeyError"]);
    assert!(!relation(&last, "next").1);
    let (cursor, _) = relation(&last, "previous");
    let back = server.get(&format!("{ISSUES}?limit=2&cursor={cursor}")).await.expect(200);
    assert_eq!(back.body, second.body);

    assert_eq!(titles(&list(&server, "?query=keyerror").await), ["KeyError"]);
    assert_eq!(titles(&list(&server, "?query=find_Type").await), ["TypeError"]);
    assert_eq!(titles(&list(&server, "?query=first-2").await), ["ValueError"]);
    assert_eq!(list(&server, "?query=level:fatal").await.len(), 0);
    let hit = server.get(&format!("{ISSUES}?query={:032x}", 4)).await.expect(200);
    assert_eq!(hit.headers["x-sentry-direct-hit"], "1");
    assert_eq!(hit.json()[0]["matchingEventId"], format!("{:032x}", 4));
    assert_eq!(titles(&list(&server, "?sort=new&statsPeriod=24h").await).len(), 6);
    assert!(list(&server, "?collapse=stats").await[0].get("stats").is_none());

    let refused = server.get(&format!("{ISSUES}?query=assigned:me")).await.expect(400).json();
    let detail = refused["detail"].as_str().expect("it is text");
    assert!(detail.starts_with("Error parsing search query: `assigned:me`"), "{detail}");
    for bad in ["?cursor=x", "?limit=0", "?groupStatsPeriod=1y", "?sort=luck", "?statsPeriod=long"]
    {
        server.get(&format!("{ISSUES}{bad}")).await.expect(400);
    }

    let project = server.credentials.project_id;
    for (query, count) in [
        (String::new(), 6),
        (format!("?project={project}"), 6),
        ("?project=-1".to_owned(), 6),
        ("?query=project:first".to_owned(), 6),
        ("?query=project:other".to_owned(), 0),
    ] {
        let path = format!("/api/0/organizations/default/issues/{query}");
        let found = server.get(&path).await.expect(200).json();
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{query}");
    }
    server.get("/api/0/organizations/default/issues/?project=77").await.expect(404);
});

#[tokio::test]
async fn many_issues_change_at_once() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for (number, kind) in (1..).zip(["KeyError", "ValueError", "TypeError"]) {
        ids.push(send(&server, number, kind).await["groupID"].as_str().expect("text").to_owned());
    }
    // As sentry-cli writes it.
    let muted = json!({"status": "muted", "snoozeDuration": null});
    let path = format!("{ISSUES}?id={}&id={}", ids[0], ids[1]);
    let answer = server.put(&path, &muted).await.expect(200).json();
    assert_eq!((&answer["status"], &answer["statusDetails"]), (&json!("ignored"), &json!({})));
    assert_eq!(titles(&list(&server, "?query=is:archived").await), ["ValueError", "KeyError"]);

    let next = json!({"status": "resolvedInNextRelease", "snoozeDuration": null});
    let answer = server.put(&format!("{ISSUES}?status=muted"), &next).await.expect(200).json();
    assert_eq!(answer["status"], "resolved");
    assert!(answer["statusDetails"]["note"].as_str().is_some_and(|note| note.contains("release")));
    assert_eq!(list(&server, "?query=is:resolved").await.len(), 2);
    assert_eq!(list(&server, "").await.len(), 1);

    server.put(ISSUES, &json!({"status": "resolved"})).await.expect(200);
    assert_eq!(list(&server, "").await.len(), 0);
    assert_eq!(server.put(ISSUES, &json!({"status": "resolved"})).await.expect(204).body, "");
    server.put(&format!("{ISSUES}?id=5"), &json!({"status": "resolved"})).await.expect(204);

    for (path, body) in [
        (ISSUES.to_owned(), json!({"status": "gone"})),
        (ISSUES.to_owned(), json!({})),
        (ISSUES.to_owned(), json!({"merge": 1})),
        (format!("{ISSUES}?id=x"), json!({"status": "resolved"})),
        (format!("{ISSUES}?status=x"), json!({"status": "resolved"})),
        (format!("{ISSUES}?query=user:me"), json!({"status": "resolved"})),
        (format!("{ISSUES}?query=x&id=1"), json!({"status": "resolved"})),
    ] {
        server.put(&path, &body).await.expect(400);
    }
}

#[tokio::test]
async fn other_organizations_and_small_tokens_see_nothing() {
    let server = Server::start().await;
    let id = send(&server, 1, "KeyError").await["groupID"].as_str().expect("text").to_owned();
    server.command(&["organization", "create", "other"]).ok();
    let token = |organization: &str, scopes: &str| {
        let ran = server.command(&[
            "token",
            "create",
            "--organization",
            organization,
            "--scopes",
            scopes,
            "--json",
        ]);
        ran.json()["token"].as_str().expect("it is text").to_owned()
    };
    let foreign = token("other", "all");
    let event = format!("{:032x}", 1);
    let paths = [
        ISSUES.to_owned(),
        "/api/0/organizations/default/issues/".to_owned(),
        format!("/api/0/organizations/default/issues/{id}/"),
        format!("/api/0/organizations/default/issues/{id}/events/latest/"),
        "/api/0/organizations/default/shortids/FIRST-1/".to_owned(),
        format!("/api/0/organizations/default/eventids/{event}/"),
        format!("/api/0/projects/default/first/events/{event}/"),
        format!("/api/0/projects/default/first/events/{event}/json/"),
        format!("/api/0/projects/default/first/events/{event}/attachments/"),
    ];
    for path in &paths {
        server.get_as(Some(&foreign), path).await.expect(404);
        server.get_as(None, path).await.expect(401);
    }
    for path in [format!("/api/0/issues/{id}/"), format!("/api/0/organizations/other/issues/{id}/")]
    {
        server.get_as(Some(&foreign), &path).await.expect(404);
    }
    let build = token("default", "org:ci");
    let reader = token("default", "event:read");
    for path in &paths {
        server.get_as(Some(&build), path).await.expect(403);
        server.get_as(Some(&reader), path).await.expect(200);
    }
    let request = server.client().request(Method::PUT, server.url(&format!("/api/0/issues/{id}/")));
    let request = request.bearer_auth(&reader).json(&json!({"status": "resolved"}));
    assert_eq!(request.send().await.expect("the server answers").status(), 403);
}

#[tokio::test]
async fn an_event_that_waits_says_so() {
    let server = Server::start().await;
    let event = event(1, "KeyError");
    let path = format!("/api/0/projects/default/first/events/{:032x}/", 1);
    assert_eq!(server.get(&path).await.expect(404).json(), json!({"detail": "Event not found"}));
    server.get("/api/0/projects/default/first/events/nonsense/").await.expect(404);
    server.send_envelope(envelope(&event)).await.expect(200);
    // Whether it still waits is a race; that it says nothing else meanwhile is not.
    until("the event", async || {
        let answer = server.get(&path).await;
        if answer.status == 404 {
            let detail = answer.json()["detail"].as_str().expect("it is text").to_owned();
            assert!(detail.contains("waits to be processed"), "{detail}");
        }
        (answer.status == 200).then_some(())
    })
    .await;
}
