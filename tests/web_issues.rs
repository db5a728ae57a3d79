//! Reading issues and events in a browser, and changing their status.

use serde_json::Value;

use crate::api_issues::{envelope, event};
use crate::support::database::{Database, on_both};
use crate::support::server::{Options, Server};
use crate::support::visitor::Visitor;
use crate::web_access::message;

fn id(number: u32) -> String {
    format!("0123456789abcdef0000000000{number:06}")
}

on_both!(issues_are_listed_read_and_resolved, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let empty = visitor.get("/default/first/issues/").await.expect(200).body;
    assert!(empty.contains("Waiting for the first event of First project"), "{empty}");
    assert!(empty.contains(&server.credentials.dsn), "{empty}");

    for (number, text) in [(1, "disk full"), (2, "disk full"), (3, "disk full"), (4, "too hot")] {
        server.send_envelope(message(&id(number), text)).await.expect(200);
        visitor.wait_digested(&id(number)).await;
    }
    let front = visitor.get("/").await.expect(200).body;
    assert!(front.contains("/default/first/issues/"), "{front}");
    let list = visitor.get("/default/first/issues/").await.expect(200).body;
    assert!(list.contains("disk full") && list.contains("too hot"), "{list}");
    assert!(list.contains("FIRST-1") && list.contains("FIRST-2"), "{list}");

    // The newest event, with the way to the others.
    let newest = visitor.get("/default/first/issues/FIRST-1/").await.expect(200).body;
    assert!(newest.contains(&id(3)) && newest.contains("1 of 3"), "{newest}");
    let older = format!("/default/first/issues/FIRST-1/events/{}/", id(2));
    assert!(newest.contains(&format!("href=\"{older}\"")), "{newest}");
    let middle = visitor.get(&older).await.expect(200).body;
    assert!(middle.contains("2 of 3") && middle.contains(&id(1)), "{middle}");
    // By number, and under the wrong issue.
    visitor.get("/default/first/issues/1/").await.expect(200);
    let moved = format!("/default/first/issues/FIRST-2/events/{}/", id(2));
    assert_eq!(visitor.get(&moved).await.expect(303).location(), Some(older));

    let csrf = visitor.get("/default/first/issues/FIRST-1/").await.csrf();
    let change = [("status", "resolved"), ("csrf", csrf.as_str())];
    let path = "/default/first/issues/FIRST-1/status";
    let answer = visitor.post(path, &change).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/default/first/issues/FIRST-1/"));
    visitor.post(path, &[("status", "forgotten"), ("csrf", &csrf)]).await.expect(400);
    let lists = |tab: &str| format!("/default/first/issues/?status={tab}");
    let unresolved = visitor.get(&lists("unresolved")).await.expect(200).body;
    assert!(!unresolved.contains("disk full") && unresolved.contains("too hot"), "{unresolved}");
    let resolved = visitor.get(&lists("resolved")).await.expect(200).body;
    assert!(resolved.contains("disk full") && !resolved.contains("too hot"), "{resolved}");
    // It comes back when it happens again.
    server.send_envelope(message(&id(5), "disk full")).await.expect(200);
    visitor.wait_digested(&id(5)).await;
    let unresolved = visitor.get(&lists("unresolved")).await.expect(200).body;
    assert!(unresolved.contains("disk full"), "{unresolved}");
});

#[tokio::test]
async fn long_lists_have_pages() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    for number in 1..=53 {
        let text = format!(
            "no {}",
            ["kettle", "spoon", "fork"][number as usize % 3].repeat(number as usize)
        );
        server.send_envelope(message(&id(number), &text)).await.expect(200);
    }
    for number in 1..=53 {
        visitor.wait_digested(&id(number)).await;
    }
    let rows = |page: &str| page.matches("data-row").count();
    let first = visitor.get("/default/first/issues/?status=all").await.expect(200).body;
    assert_eq!(rows(&first), 50);
    let next =
        first.split('"').find(|part| part.contains("cursor=")).unwrap().replace("&#38;", "&");
    let second = visitor.get(&next).await.expect(200).body;
    assert_eq!(rows(&second), 3, "{next}");
    let back = second.split('"').find(|part| part.contains("cursor=")).unwrap();
    let back = visitor.get(&back.replace("&#38;", "&")).await.expect(200).body;
    assert_eq!(rows(&back), 50);
    let answer = visitor.get("/default/first/issues/?cursor=nonsense").await.expect(400);
    assert!(answer.body.contains("Invalid cursor"), "{}", answer.body);
    // Everything that matches, whatever page it is on.
    let csrf = first.split_once("name=\"csrf\" value=\"").unwrap().1.split_once('"').unwrap().0;
    let fields = [("csrf", csrf), ("query", "spoon"), ("all", "1"), ("status", "ignored")];
    let answer = visitor.post("/default/first/issues/status", &fields).await.expect(303);
    let location = answer.location().unwrap();
    assert_eq!(location, "/default/first/issues/?query=spoon&changed=18-ignored");
    let page = visitor.get(&location).await.expect(200).body;
    assert!(page.contains("18 issues are ignored now"), "{page}");
}

#[tokio::test]
async fn events_and_their_files_can_be_taken_away() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    let fixture = std::fs::read("fixtures/envelopes/python/exception.envelope").unwrap();
    let sent = server.send_envelope(fixture).await.expect(200).json();
    let event_id = sent["id"].as_str().unwrap();
    let page = visitor.wait_digested(event_id).await;

    let json = format!("/default/first/events/{event_id}/json");
    let result = visitor.get(&json).await.expect(200);
    assert_eq!(result.headers["content-type"], "application/json");
    assert_eq!(result.json()["event_id"], Value::from(event_id));
    let original = visitor.get(&format!("{json}?form=original")).await.expect(200).json();
    assert_eq!(original["platform"], "python");

    let page = visitor.get(&page).await.expect(200).body;
    assert!(page.contains("OrderError") && page.contains("KeyError"), "{page}");
    let file = page.split('"').find(|part| part.contains("/attachments/")).unwrap().to_owned();
    let answer = visitor.get(&file).await.expect(200);
    assert_eq!(answer.headers["content-disposition"], "attachment; filename*=UTF-8''order.log");
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert!(answer.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(answer.body.len(), 18);
    let elsewhere = file.replace(event_id, &id(1));
    visitor.get(&elsewhere).await.expect(404);
    visitor.get("/default/first/events/nonsense/").await.expect(404);
    visitor.get(&format!("/default/first/events/{}/", id(1))).await.expect(404);
}

#[tokio::test]
async fn an_event_that_waits_has_a_page() {
    let options = Options::on(Database::Sqlite).with("SYMBOLIST_DIGEST_WORKERS", "0");
    let server = Server::start_with(options).await;
    let mut visitor = Visitor::logged_in(&server).await;
    server.send_envelope(message(&id(1), "patience")).await.expect(200);
    let answer = visitor.get(&format!("/default/first/events/{}/", id(1))).await.expect(200);
    assert!(answer.body.contains("This event waits to be digested"), "{}", answer.body);
    assert_eq!(answer.headers["refresh"], "2");
}

on_both!(events_and_tags_of_an_issue_have_pages, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    for number in 1..=27 {
        let mut event = event(number, "KeyError");
        event["environment"] = if number <= 9 { "staging".into() } else { "production".into() };
        event["user"] = serde_json::json!({"email": format!("user-{number}@example.com")});
        server.send_envelope(envelope(&event)).await.expect(200);
        visitor.wait_digested(&format!("{number:032x}")).await;
    }
    let issue = "/default/first/issues/FIRST-1/";
    let rows = |page: &str| page.matches("data-row").count();
    let first = visitor.get(&format!("{issue}events/")).await.expect(200).body;
    assert_eq!(rows(&first), 25);
    assert!(first.contains("user-27@example.com") && first.contains("shop@1.2.0"), "{first}");
    assert!(first.contains(&format!("{issue}events/{:032x}/", 27)), "{first}");
    let next = first.split('"').find(|part| part.contains("cursor=")).unwrap().to_owned();
    let second = visitor.get(&next).await.expect(200).body;
    assert_eq!(rows(&second), 2);
    let back = second.split('"').find(|part| part.contains("cursor=")).unwrap().to_owned();
    assert_eq!(rows(&visitor.get(&back).await.expect(200).body), 25);

    let tags = visitor.get(&format!("{issue}tags/")).await.expect(200).body;
    assert!(tags.contains("67 %") && tags.contains("33 %"), "{tags}");
    let page = visitor.get(issue).await.expect(200).body;
    assert!(
        page.contains("67 %") && page.contains("is%3Aunresolved%20environment%3Astaging"),
        "{page}"
    );
    assert!(page.contains("exception type") && page.contains("same functions"), "{page}");
    for path in ["events/", "tags/"] {
        visitor.get(&format!("/default/first/issues/FIRST-9/{path}")).await.expect(404);
    }
});

#[tokio::test]
async fn an_event_is_taken_along_as_text_and_markdown() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    server.send_envelope(envelope(&event(1, "KeyError"))).await.expect(200);
    visitor.wait_digested(&format!("{:032x}", 1)).await;
    let path = format!("/default/first/events/{:032x}/", 1);
    let url = server.url(&format!("/default/first/issues/FIRST-1/events/{:032x}/", 1));
    let markdown = visitor.get(&format!("{path}markdown")).await.expect(200);
    assert_eq!(markdown.headers["content-type"], "text/plain; charset=utf-8");
    assert!(markdown.body.starts_with("# KeyError: no such article\n"), "{}", markdown.body);
    for words in
        [url.as_str(), "```text\nTraceback", "find_KeyError", "shop@1.2.0", "**plan:** free"]
    {
        assert!(markdown.body.contains(words), "{words}: {}", markdown.body);
    }
    let text = visitor.get(&format!("{path}text")).await.expect(200).body;
    assert!(text.contains("find_KeyError") && !text.contains("```"), "{text}");
    visitor.get(&format!("/default/first/events/{:032x}/text", 2)).await.expect(404);
    Visitor::of(&server).get(&format!("{path}text")).await.expect(303);
}

#[tokio::test]
async fn addresses_of_sentrys_pages_lead_to_ours() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    server.send_envelope(envelope(&event(1, "KeyError"))).await.expect(200);
    visitor.wait_digested(&format!("{:032x}", 1)).await;
    let id = server.issues().await[0]["id"].as_str().unwrap().to_owned();
    let issue = "/default/first/issues/FIRST-1/";
    let event = format!("{issue}events/{:032x}/", 1);
    for (asked, expected) in [
        ("/organizations/default/issues/FIRST-1".to_owned(), issue.to_owned()),
        (format!("/organizations/default/issues/{id}/"), issue.to_owned()),
        (format!("/organizations/default/issues/{id}/events/{:032x}/", 1), event),
        ("/organizations/default/issues/FIRST-1/events/latest/".to_owned(), issue.to_owned()),
        ("/organizations/default/issues/FIRST-1/tags/".to_owned(), format!("{issue}tags/")),
        ("/issues/FIRST-1".to_owned(), issue.to_owned()),
        (format!("/issues/{id}/"), issue.to_owned()),
        (
            "/organizations/default/issues/?query=a%20b".to_owned(),
            "/default/issues/?query=a%20b".to_owned(),
        ),
        ("/organizations/default/projects/first/".to_owned(), "/default/first/issues/".to_owned()),
        ("/organizations/default/".to_owned(), "/default/".to_owned()),
    ] {
        let answer = visitor.get(&asked).await.expect(303);
        assert_eq!(answer.location(), Some(expected), "{asked}");
    }
    for nothing in [
        "/organizations/default/issues/FIRST-2",
        "/organizations/other/issues/FIRST-1",
        "/issues/9",
    ] {
        visitor.get(nothing).await.expect(404);
    }
    let stranger =
        Visitor::of(&server).get("/organizations/default/issues/FIRST-1").await.expect(303);
    assert!(stranger.location().unwrap().starts_with("/login?next="));
}

#[tokio::test]
async fn a_theme_is_remembered_and_colours_every_page() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    let page = visitor.get("/").await.expect(200);
    assert!(page.body.contains("<html lang=\"en\" class=\"\">"), "{}", page.body);
    let csrf = page.csrf();
    visitor.post("/theme", &[("theme", "dark"), ("csrf", "forged")]).await.expect(403);
    let answer = visitor.post("/theme", &[("theme", "dark"), ("csrf", &csrf)]).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some("/"));
    for (path, status) in [("/", 200), ("/default/first/issues/", 200), ("/default/nothing/", 404)]
    {
        let page = visitor.get(path).await.expect(status).body;
        assert!(page.contains("<html lang=\"en\" class=\"dark\">"), "{path}: {page}");
    }
    visitor.post("/logout", &[("csrf", &csrf)]).await.expect(303);
    let page = visitor.get("/login").await.expect(200).body;
    assert!(page.contains("class=\"dark\""), "{page}");
}
