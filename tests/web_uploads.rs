//! The pages about releases and uploads, and the one that waits for the first event.

use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::server::Server;
use crate::support::visitor::Visitor;
use crate::support::wait::until;

fn fixture(path: &str) -> Vec<u8> {
    std::fs::read(format!("fixtures/{path}")).unwrap()
}

/// Sends an event and returns its id.
async fn send(server: &Server, event: &Value) -> String {
    let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
    let sent = server.send_envelope(envelope).await.expect(200).json();
    sent["id"].as_str().unwrap().to_owned()
}

/// Opens a page that must be there.
async fn page(visitor: &mut Visitor, path: &str) -> String {
    let answer = visitor.get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer.body
}

#[track_caller]
fn assert_says(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "`{text}` is not in {page}");
    }
}

on_both!(the_waiting_page_learns_of_the_first_event, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let waiting = page(&mut visitor, "/default/first/issues/").await;
    let dsn = &server.credentials.dsn;
    assert_says(
        &waiting,
        &["data-waiting=\"/default/first/first-event\"", dsn, "sentry-cli send-event"],
    );
    assert_says(
        &waiting,
        &["io.sentry:sentry", "sentry-go", "sentry_options_set_dsn", "debug-files upload"],
    );
    let asked = visitor.get("/default/first/first-event").await;
    assert_eq!((asked.status.as_u16(), asked.body.as_str()), (204, ""));
    send(&server, &json!({"message": "the first"})).await;
    let answer = until("the first event", async || {
        let asked = visitor.get("/default/first/first-event").await;
        (asked.status == 200).then_some(asked)
    })
    .await;
    assert_eq!(answer.json(), json!({"url": "/default/first/issues/"}));
    assert!(!page(&mut visitor, "/default/first/issues/").await.contains("data-waiting"));
});

on_both!(releases_show_their_issues_frames_and_bundles, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let empty = page(&mut visitor, "/default/first/releases/").await;
    assert_says(&empty, &["No release yet", "SENTRY_RELEASE=first@"]);
    let answer = server
        .upload_bundle(&fixture("js/app.artifactbundle.zip"), json!({"version": "shop@2"}))
        .await;
    assert_eq!(answer["state"], "ok", "{answer}");
    for (release, line) in [("shop@1", 3), ("shop@2", 3), ("shop@2", 4_000)] {
        let frame = json!({"filename": "https://a/app.js", "function": "t", "lineno": line, "colno": 671, "in_app": true});
        let image = json!({"type": "sourcemap", "code_file": "https://a/app.js", "debug_id": "739fa633-25cc-5ff3-90bb-6205b524fff1"});
        let event = json!({
            "platform": "javascript", "release": release,
            "exception": {"values": [{"type": format!("Error{line}"), "value": "x", "stacktrace": {"frames": [frame]}}]},
            "debug_meta": {"images": [image]},
        });
        let id = send(&server, &event).await;
        visitor.wait_digested(&id).await;
    }
    let list = page(&mut visitor, "/default/first/releases/").await;
    assert_says(&list, &["shop@1", "shop@2", "50 %", "100 %", "1 bundle of source maps"]);
    let found = page(&mut visitor, "/default/first/releases/?query=SHOP%401").await;
    assert!(found.contains("shop@1") && !found.contains("shop@2"));
    let release = page(&mut visitor, "/default/first/releases/shop%402/").await;
    assert_says(
        &release,
        &["New in this release", "Error4000", "Also seen in this release", "Error3: x"],
    );
    assert_says(&release, &["1 of 2 frames resolved", "/default/first/source-maps/"]);
    assert_eq!(visitor.get("/default/first/releases/shop%403/").await.status, 404);
});

on_both!(bundles_are_listed_found_and_shown, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let empty = page(&mut visitor, "/default/first/source-maps/").await;
    let command = "sourcemaps upload --org default --project first";
    assert_says(&empty, &["No source map yet", command, &server.credentials.url]);
    server.upload_bundle(&fixture("js/app.artifactbundle.zip"), json!({})).await;
    server
        .upload_bundle(&fixture("demo/gallery.artifactbundle.zip"), json!({"version": "gallery@1"}))
        .await;
    let list = page(&mut visitor, "/default/first/source-maps/").await;
    assert_says(&list, &["gallery@1", "for no release: found by debug ids"]);
    let found = page(&mut visitor, "/default/first/source-maps/?query=739FA633").await;
    assert!(found.contains("for no release") && !found.contains("gallery@1"));
    let start = found.split("/default/first/source-maps/").skip(1);
    let id = start.filter_map(|rest| rest.split('/').next()).find(|id| id.parse::<i64>().is_ok());
    let path = format!("/default/first/source-maps/{}/", id.unwrap());
    assert_says(
        &page(&mut visitor, &path).await,
        &["~/app.js.map", "739fa633-25cc-5ff3-90bb-6205b524fff1", "minified source"],
    );
    server.command(&["project", "create", "other", "--organization", "default"]).ok();
    assert_eq!(visitor.get(&path.replace("first", "other")).await.status, 404);
});

on_both!(debug_files_say_whether_they_can_be_used, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let empty = page(&mut visitor, "/default/first/debug-files/").await;
    assert_says(&empty, &["No debug file yet", "debug-files upload --org default --project first"]);
    server.upload("contact-sheet.debug", &fixture("demo/contact-sheet.debug")).await;
    server.upload("inlined", &fixture("elf/inlined-dwarf5")).await;
    let list = page(&mut visitor, "/default/first/debug-files/").await;
    assert_says(
        &list,
        &[
            "contact-sheet.debug",
            "b958342b5a928c20aca775e81cd3ce102dd6f0d4",
            "ELF debug companion",
            "x86_64",
            ">ready<",
        ],
    );
    let found = page(&mut visitor, "/default/first/debug-files/?query=2B3458b9").await;
    assert!(found.contains("contact-sheet.debug") && !found.contains(">inlined<"));
    let none = page(&mut visitor, "/default/first/debug-files/?query=beef0000").await;
    assert_says(&none, &["No file has this id or name", "beef0000"]);
});
