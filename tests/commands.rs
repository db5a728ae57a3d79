//! The command line: first start, configuration, and commands beside a running server.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::support::command::{run, run_with};
use crate::support::database::on_both;
use crate::support::server::{Options, Server};
use crate::support::wait::until;

on_both!(first_start_writes_credentials_that_work, |database| {
    let server = Server::start_on(database).await;
    let file = std::fs::metadata(server.data().join("credentials.json")).unwrap();
    assert_eq!(file.permissions().mode() & 0o777, 0o600);
    let credentials = &server.credentials;
    assert_eq!(
        (credentials.organization.as_str(), credentials.email.as_str()),
        ("default", "admin@localhost")
    );
    let host = credentials.url.strip_prefix("http://").unwrap();
    assert!(
        credentials.dsn.ends_with(&format!("@{host}/{}", credentials.project_id)),
        "{}",
        credentials.dsn
    );
    let path =
        format!("/api/0/projects/{}/{}/keys/", credentials.organization, credentials.project);
    let keys = server.get(&path).await.expect(200).json();
    assert_eq!(keys[0]["dsn"]["public"], credentials.dsn);
});

on_both!(later_starts_change_only_the_address, |database| {
    let mut server = Server::start_on(database).await;
    let before = server.credentials.clone();
    server.terminate();
    assert_eq!(server.ended().await, 0);
    server.restart().await;
    let after = &server.credentials;
    assert_ne!(after.url, before.url);
    assert_eq!(
        (&after.token, &after.password, after.project_id),
        (&before.token, &before.password, before.project_id)
    );
    server.get("/api/0/organizations/").await.expect(200);
});

#[tokio::test]
async fn public_url_is_in_the_dsn_and_in_the_token() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("SYMBOLIST_PUBLIC_URL", "https://errors.example.com/")];
    run_with(folder.path(), &["migrate"], &environment, "").ok();
    run_with(folder.path(), &["organization", "create", "acme"], &environment, "").ok();
    let create = ["project", "create", "web", "--organization", "acme", "--json"];
    let project = run_with(folder.path(), &create, &environment, "").json();
    assert!(project["dsn"].as_str().unwrap().ends_with("@errors.example.com/1"), "{project}");
}

#[tokio::test]
async fn second_server_of_a_folder_is_refused() {
    let server = Server::start().await;
    let ran = run(&server.data(), &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 2, "{}", ran.errors);
    assert!(ran.errors.contains("is used by another symbolist"), "{}", ran.errors);
}

#[tokio::test]
async fn taken_port_is_told_and_leaves_nothing_behind() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let address = server.credentials.url.strip_prefix("http://").unwrap();
    let ran = run(&folder.path().join("data"), &["serve", "--listen", address]);
    assert_eq!(ran.code, 2, "{}", ran.errors);
    assert!(ran.errors.contains(&format!("cannot listen on {address}")), "{}", ran.errors);
    assert!(!folder.path().join("data").join("credentials.json").exists());
}

#[test]
fn all_problems_of_the_configuration_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("symbolist.toml"), "[limits]\nevent_byte_max = 3\n").unwrap();
    let ran = run_with(
        folder.path(),
        &["serve", "--listen", "nowhere"],
        &[("SYMBOLIST_LOG_FORMAT", "xml")],
        "",
    );
    assert_eq!(ran.code, 2);
    for part in [
        "3 problems",
        "flag --listen",
        "environment SYMBOLIST_LOG_FORMAT",
        "symbolist.toml line 2",
        "event_bytes_max",
    ] {
        assert!(ran.errors.contains(part), "{part} is not in {}", ran.errors);
    }
}

#[test]
fn configuration_is_shown_with_sources_and_without_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let environment = [("SYMBOLIST_DATABASE_URL", "postgres://me:hush@db/x")];
    let shown = run_with(folder.path(), &["config", "show"], &environment, "").ok().output;
    assert!(
        shown.contains("environment SYMBOLIST_DATABASE_URL") && shown.contains("# default"),
        "{shown}"
    );
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn commands_without_a_database_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["project", "list"]);
    assert_eq!(ran.code, 2);
    assert!(ran.errors.contains("start `symbolist serve` first"), "{}", ran.errors);
}

on_both!(commands_work_while_the_server_runs, |database| {
    let server = Server::start_on(database).await;
    server.command(&["organization", "create", "acme", "--name", "Acme"]).ok();
    let project =
        server.command(&["project", "create", "web", "--organization", "acme", "--json"]).json();
    assert_eq!(project["slug"], "web");
    let key = [
        "key",
        "create",
        "--project",
        "web",
        "--organization",
        "acme",
        "--rate-limit",
        "5",
        "--json",
    ];
    let key = server.command(&key).json();
    assert_eq!(key["rate_limit"], "5 per 60 s");
    let list = ["key", "list", "--project", "web", "--organization", "acme", "--json"];
    assert_eq!(server.command(&list).json().as_array().unwrap().len(), 2);

    let token = [
        "token",
        "create",
        "--organization",
        "acme",
        "--scopes",
        "org:read,project:read",
        "--json",
    ];
    let token = server.command(&token).json();
    let text = token["token"].as_str().unwrap();
    let seen =
        server.get_as(Some(text), "/api/0/organizations/acme/projects/").await.expect(200).json();
    assert_eq!(seen[0]["slug"], "web");

    let id = token["id"].as_str().unwrap();
    server.command(&["token", "revoke", id, "--organization", "acme"]).ok();
    until("the token to be refused", async || {
        let status = server.get_as(Some(text), "/api/0/organizations/").await.status;
        (status == 401).then_some(())
    })
    .await;
    let listed = server.command(&["token", "list", "--organization", "acme", "--json"]).json();
    assert!(listed[0]["revoked_at"].is_string() && listed[0].get("token").is_none(), "{listed}");
});

on_both!(users_are_made_listed_and_revoked, |database| {
    let server = Server::start_on(database).await;
    let made = server.command(&["user", "create", "Me@Example.com", "--json"]).json();
    assert_eq!(made["email"], "me@example.com");
    assert_eq!(made["password"].as_str().unwrap().len(), 20);
    let again = server.command(&["user", "create", "me@example.com"]);
    assert_eq!(again.code, 2);
    assert!(again.errors.contains("there is a user `me@example.com` already"), "{}", again.errors);
    let environment = server.environment();
    let create = ["user", "create", "you@example.com", "--password-stdin", "--json"];
    let typed = run_with(&server.data(), &create, &environment, "correct horse\n").json();
    assert_eq!(typed["password"], json!(null));
    let short = run_with(
        &server.data(),
        &["user", "create", "a@b", "--password-stdin"],
        &environment,
        "short\n",
    );
    assert!(short.errors.contains("shorter than 8"), "{}", short.errors);
    server.command(&["user", "revoke", "me@example.com"]).ok();
    let listed = server.command(&["user", "list", "--json"]).json();
    let revoked: Vec<bool> =
        listed.as_array().unwrap().iter().map(|user| user["revoked_at"].is_string()).collect();
    assert_eq!(revoked, [false, true, false]);
});

#[tokio::test]
async fn wrong_names_are_told_with_what_to_do() {
    let server = Server::start().await;
    for (arguments, expected) in [
        (&["project", "create", "42"][..], "is only digits"),
        (&["project", "create", "first"], "there is a project `first` already"),
        (&["project", "create", "x", "--organization", "nope"], "there is no organization `nope`"),
        (&["key", "revoke", "abc", "--project", "first"], "there is no key `abc`"),
        (&["token", "create", "--scopes", "org:everything"], "there is no scope `org:everything`"),
        (&["user", "create", "nobody"], "`nobody` is no e-mail address"),
    ] {
        let ran = server.command(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.errors.contains(expected), "{arguments:?}: {}", ran.errors);
    }
}

#[tokio::test]
async fn logs_can_be_json() {
    let mut server =
        Server::start_with(Options::default().with("SYMBOLIST_LOG_FORMAT", "json")).await;
    server.terminate();
    assert_eq!(server.ended().await, 0);
    let log = server.log();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"] == "stopped"), "{log}");
}
