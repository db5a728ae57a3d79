//! Who may call what: tokens, scopes, and what belongs to others.

use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::server::{Answer, Server};

/// Makes a token for an organization and returns its text.
fn token(server: &Server, organization: &str, scopes: &str) -> String {
    let arguments =
        ["token", "create", "--organization", organization, "--scopes", scopes, "--json"];
    server.command(&arguments).json()["token"].as_str().unwrap().to_owned()
}

#[track_caller]
fn refused(answer: Answer, status: u16, detail: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.json(), json!({"detail": detail}));
}

const MISSING: &str = "Authentication credentials were not provided.";
const FORBIDDEN: &str = "You do not have permission to perform this action.";
const NOT_FOUND: &str = "The requested resource does not exist";

#[tokio::test]
async fn callers_without_a_good_token_are_refused() {
    let server = Server::start().await;
    let path = "/api/0/organizations/";
    refused(server.get_as(None, path).await, 401, MISSING);
    refused(server.get_as(Some("sntrys_e30=_x"), path).await, 401, "Invalid org token");
    refused(server.get_as(Some(&"a".repeat(64)), path).await, 401, "Invalid token");
    refused(server.get_as(Some(&"a".repeat(10_000)), path).await, 401, "Invalid token");
    refused(server.get_as(Some("sntrys_e30=_x"), "/api/0/").await, 401, "Invalid org token");
    refused(
        server.get_as(Some("nonsense"), "/api/0/users/me/regions/").await,
        401,
        "Invalid token",
    );
}

#[tokio::test]
async fn root_says_who_is_calling() {
    let server = Server::start().await;
    let root = server.get("/api/0/").await.expect(200).json();
    assert_eq!(root["user"], Value::Null);
    assert!(root["auth"]["scopes"].as_array().unwrap().contains(&json!("org:ci")));
    let nobody = server.get_as(None, "/api/0/").await.expect(200).json();
    assert_eq!(nobody["auth"], Value::Null);

    let arguments = ["token", "create", "--user", "admin@localhost", "--scopes", "all", "--json"];
    let token = server.command(&arguments).json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("sntryu_"), "{token}");
    let user = server.get_as(Some(&token), "/api/0/").await.expect(200).json()["user"].clone();
    assert_eq!((&user["id"], &user["email"]), (&json!("1"), &json!("admin@localhost")));
    assert_eq!(server.get_as(Some(&token), "/api/0/auth/").await.expect(200).json()["id"], "1");
}

on_both!(scopes_are_enforced, |database| {
    let server = Server::start_on(database).await;
    let build = token(&server, "default", "org:ci");
    let reader = token(&server, "default", "project:read");
    for (path, build_may, reader_may) in [
        ("/api/0/organizations/", false, false),
        ("/api/0/organizations/default/", false, false),
        ("/api/0/organizations/default/projects/", false, true),
        ("/api/0/projects/default/first/", false, true),
        ("/api/0/projects/default/first/keys/", false, true),
        ("/api/0/users/me/regions/", true, true),
    ] {
        for (token, may) in [(&build, build_may), (&reader, reader_may)] {
            let answer = server.get_as(Some(token), path).await;
            if may {
                answer.expect(200);
            } else {
                refused(answer, 403, FORBIDDEN);
            }
        }
    }
});

on_both!(what_belongs_to_others_does_not_exist, |database| {
    let server = Server::start_on(database).await;
    server.command(&["organization", "create", "acme"]).ok();
    server.command(&["project", "create", "web", "--organization", "acme"]).ok();
    let stranger = token(&server, "default", "all");
    for path in [
        "/api/0/organizations/acme/",
        "/api/0/organizations/2/",
        "/api/0/organizations/acme/projects/",
        "/api/0/projects/acme/web/",
        "/api/0/projects/acme/web/keys/",
        "/api/0/projects/default/web/",
        "/api/0/projects/default/2/",
        "/api/0/projects/default/nope/",
    ] {
        refused(server.get_as(Some(&stranger), path).await, 404, NOT_FOUND);
    }
    let seen = server.get_as(Some(&stranger), "/api/0/projects/").await.expect(200).json();
    assert_eq!(seen.as_array().unwrap().len(), 1);
});

#[tokio::test]
async fn paths_take_ids_and_slugs_with_and_without_slash() {
    let server = Server::start().await;
    for path in [
        "/api/0/projects/default/first/",
        "/api/0/projects/1/first",
        "/api/0/projects/default/1",
        "//api/0//projects/1/1/",
    ] {
        let answer = server.get(path).await.expect(200);
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.json()["slug"], "first");
    }
    refused(server.get("/api/0/nope").await, 404, NOT_FOUND);
    refused(server.post("/api/0/projects/", &json!({})).await, 405, "Method \"POST\" not allowed.");
}

#[tokio::test]
async fn project_list_finds_the_project_of_a_key() {
    let server = Server::start().await;
    let second = server.command(&["project", "create", "second", "--json"]).json();
    let key = second["dsn"].as_str().unwrap().split(['/', '@']).nth(2).unwrap();
    let found = server.get(&format!("/api/0/projects/?query=dsn:{key}")).await.expect(200).json();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(found[0]["slug"], "second");
    let none = server.get("/api/0/projects/?query=dsn:00").await.expect(200).json();
    assert_eq!(none, json!([]));
}

#[tokio::test]
async fn region_has_the_origin_that_the_client_used() {
    let server = Server::start().await;
    let ask = |host: &'static str, forwarded: bool| {
        let mut request = server.client().get(server.url("/api/0/users/me/regions/"));
        request = request.bearer_auth(&server.credentials.token).header("host", host);
        if forwarded {
            request = request
                .header("x-forwarded-host", "evil.example.com")
                .header("x-forwarded-proto", "https");
        }
        async move {
            request.send().await.unwrap().json::<Value>().await.unwrap()["regions"][0]["url"]
                .clone()
        }
    };
    assert_eq!(ask("errors.example.com:8000", false).await, "http://errors.example.com:8000");
    assert_eq!(ask("errors.example.com", true).await, "http://errors.example.com");
}
