//! Who may read which page, and what keeps other sites' pages out.

use crate::support::server::Server;
use crate::support::visitor::Visitor;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

#[tokio::test]
async fn pages_lead_to_the_login_and_back() {
    let server = Server::start().await;
    let mut visitor = Visitor::of(&server);
    let path = "/default/first/issues/?status=all";
    let login = visitor.get(path).await.expect(303).location().unwrap();
    assert_eq!(login, "/login?next=%2Fdefault%2Ffirst%2Fissues%2F%3Fstatus%3Dall");
    let page = visitor.get(&login).await.expect(200);
    assert!(page.body.contains(r#"name="next" value="/default/first/issues/?status=all""#));
    let (email, password) = (&server.credentials.email, &server.credentials.password);
    let answer = visitor.log_in(email, password, path).await.expect(303);
    assert_eq!(answer.location().as_deref(), Some(path));
    visitor.get(path).await.expect(200);
    // The form makes no sense any more.
    assert_eq!(visitor.get("/login").await.expect(303).location().as_deref(), Some("/"));

    let csrf = visitor.get("/").await.expect(200).csrf();
    visitor.post("/logout", &[("csrf", &csrf)]).await.expect(303);
    visitor.get(path).await.expect(303);
}

#[tokio::test]
async fn login_leads_to_own_pages_only() {
    let server = Server::start().await;
    let (email, password) = (&server.credentials.email, &server.credentials.password);
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"] {
        let mut visitor = Visitor::of(&server);
        let answer = visitor.log_in(email, password, next).await.expect(303);
        assert_eq!(answer.location().as_deref(), Some("/"), "{next}");
    }
}

#[tokio::test]
async fn wrong_passwords_are_told_and_slowed_down() {
    let server = Server::start().await;
    let mut visitor = Visitor::of(&server);
    for _ in 0..10 {
        let answer = visitor.log_in("me@example.com", "nonsense", "/").await.expect(401);
        assert!(answer.body.contains("The address or the password is wrong."), "{}", answer.body);
        assert!(answer.body.contains(r#"value="me@example.com""#), "{}", answer.body);
    }
    let answer = visitor.log_in("me@example.com", "nonsense", "/").await.expect(429);
    assert!(answer.body.contains("Too many failed logins"), "{}", answer.body);
    assert!(answer.headers.contains_key("retry-after"));
    visitor.get("/").await.expect(303);
}

#[tokio::test]
async fn forms_of_other_pages_change_nothing() {
    let server = Server::start().await;
    let (email, password) = (server.credentials.email.clone(), server.credentials.password.clone());
    let mut stranger = Visitor::of(&server);
    let right = [("email", email.as_str()), ("password", password.as_str())];
    stranger.post("/login", &right).await.expect(403);
    // Another form's token does not fit either.
    let token = Visitor::of(&server).get("/login").await.csrf();
    stranger.get("/login").await.expect(200);
    stranger.post("/login", &[right[0], right[1], ("csrf", &token)]).await.expect(403);
    stranger.get("/").await.expect(303);

    let id = "0c0ffee0000000000000000000000001";
    server.send_envelope(message(id, "a form from elsewhere")).await.expect(200);
    let mut visitor = Visitor::logged_in(&server).await;
    visitor.wait_digested(id).await;
    let path = "/default/first/issues/FIRST-1/status";
    for csrf in ["", "nonsense", &token] {
        visitor.post(path, &[("status", "resolved"), ("csrf", csrf)]).await.expect(403);
        visitor.post("/logout", &[("csrf", csrf)]).await.expect(403);
    }
    let list = visitor.get("/default/first/issues/").await.expect(200);
    assert!(list.body.contains("a form from elsewhere"), "{}", list.body);
}

#[tokio::test]
async fn what_belongs_to_others_is_not_there() {
    let server = Server::start().await;
    server.command(&["organization", "create", "other"]).ok();
    server.command(&["project", "create", "app", "--organization", "other"]).ok();
    let made = server.command(&[
        "user",
        "create",
        "guest@example.com",
        "--organization",
        "other",
        "--json",
    ]);
    let password = made.json()["password"].as_str().unwrap().to_owned();

    let id = "0c0ffee0000000000000000000000002";
    server.send_envelope(message(id, "not for guests")).await.expect(200);
    let mut owner = Visitor::logged_in(&server).await;
    let event = owner.wait_digested(id).await;
    let mut guest = Visitor::of(&server);
    guest.log_in("guest@example.com", &password, "/").await.expect(303);
    let event_json = format!("/default/first/events/{id}/json");
    let theirs = [
        "/default/",
        "/default/first/",
        "/default/first/issues/",
        "/default/first/issues/FIRST-1/",
        &event,
        &event_json,
        "/default/first/events/0c0ffee0000000000000000000000003/",
    ];
    for path in theirs {
        let answer = guest.get(path).await.expect(404);
        assert!(answer.body.contains("There is nothing at this address"), "{path}");
        assert!(!answer.body.contains("not for guests"), "{path}");
    }
    owner.get("/other/app/issues/").await.expect(404);
    // Issues and events are found in their own project only.
    guest.get("/other/app/issues/").await.expect(200);
    guest.get("/other/app/issues/1/").await.expect(404);
    guest.get(&format!("/other/app/events/{id}/")).await.expect(404);
    guest.get(&format!("/other/app/events/{id}/json")).await.expect(404);
    // Who is not signed in learns nothing about what exists.
    let mut nobody = Visitor::of(&server);
    for path in ["/default/first/issues/", "/nowhere/at/issues/"] {
        nobody.get(path).await.expect(303);
    }
}

#[tokio::test]
async fn browsers_are_told_what_a_page_may_do() {
    let server = Server::start().await;
    let mut visitor = Visitor::logged_in(&server).await;
    let paths = ["/", "/default/first/issues/", "/default/first/issues/99/", "/no/such/place/here"];
    for path in paths {
        let answer = visitor.get(path).await;
        let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
        assert_eq!(header("content-security-policy"), POLICY, "{path}");
        assert_eq!(header("cache-control"), "no-store", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("content-type"), "text/html; charset=utf-8", "{path}");
    }
    let page = visitor.get("/").await.body;
    let style = page.split('"').find(|part| part.starts_with("/assets/app.")).unwrap().to_owned();
    let answer = visitor.get(&style).await.expect(200);
    assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable");
    visitor.get("/assets/app.000000000000.css").await.expect(404);
    // Programs are told in their own language.
    let told = serde_json::json!({"detail": "The requested resource does not exist"});
    assert_eq!(visitor.get("/api/0/nothing/").await.expect(404).json(), told);
    assert_eq!(visitor.get("/api/nothing/").await.expect(404).json(), told);
    visitor.post("/", &[]).await.expect(405);
}

/// An envelope with one message.
pub(crate) fn message(id: &str, text: &str) -> String {
    let event = serde_json::json!({"event_id": id, "message": text, "platform": "other", "level": "warning"});
    let event = event.to_string();
    format!(
        "{{\"event_id\":\"{id}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n",
        event.len()
    )
}
