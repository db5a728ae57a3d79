//! What people see of issues whose events moved, of the files that events wait for, and of the command that
//! digests stored events again.

use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id};
use crate::support::server::Server;
use crate::support::visitor::Visitor;
use crate::support::wait::until;

/// Build id and debug id of the fixtures that are uploaded.
const CODE_ID: &str = "b388bb4ef38a26e39c129f9542a348ada6a1d975";
const DEBUG_ID: &str = "4ebb88b3-8af3-e326-9c12-9f9542a348ad";

fn fixture() -> Vec<u8> {
    let path = format!("{}/fixtures/elf/inlined-dwarf4", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(path).unwrap()
}

fn crash(release: &str) -> Value {
    json!({
        "platform": "native", "release": release,
        "exception": [{"type": "panic", "value": "lamp broke", "stacktrace": {"frames": [
            {"instruction_addr": "0x1107c"}, {"instruction_addr": "0x11049"}]}}],
        "debug_meta": {"images": [{"type": "elf", "code_id": CODE_ID, "debug_id": DEBUG_ID,
            "code_file": "/srv/lamp/target/release/lamp", "image_addr": "0x10000", "image_size": 65536,
            "arch": "x86_64"}]},
    })
}

async fn send(server: &Server, event: &Value) -> Value {
    let id = new_id();
    server.send_envelope(envelope(&id, event)).await.expect(200);
    server.wait_digested(&id).await
}

async fn only_issue(server: &Server) -> Value {
    let issues = server.issues().await;
    assert_eq!(issues.len(), 1, "{issues:#?}");
    issues[0].clone()
}

/// Waits until the one issue is another one than `old`.
async fn moved(server: &Server, old: &Value) -> Value {
    until("the events to move", async || {
        let issues = server.issues().await;
        (issues.len() == 1 && issues[0]["id"] != old["id"]).then(|| issues[0].clone())
    })
    .await
}

fn types(activity: &Value) -> Vec<&str> {
    activity.as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap()).collect()
}

on_both!(an_old_link_leads_to_where_the_events_are_now, |database| {
    let server = Server::start_on(database).await;
    for release in ["lamp@1", "lamp@2"] {
        send(&server, &crash(release)).await;
    }
    let old = only_issue(&server).await;
    let (old_id, old_short) = (old["id"].as_str().unwrap(), old["shortId"].as_str().unwrap());
    server
        .put(&format!("/api/0/issues/{old_id}/"), &json!({"status": "ignored"}))
        .await
        .expect(200);
    server.upload("lamp", &fixture()).await;
    let new = moved(&server, &old).await;
    assert_eq!((&new["count"], &new["status"]), (&json!("2"), &json!("ignored")));
    // By id and short id, everything about the old one is about the new one.
    for name in [old_id, old_short] {
        let found = server.get(&format!("/api/0/issues/{name}/")).await.expect(200).json();
        assert_eq!(found["id"], new["id"]);
        let events = server.get(&format!("/api/0/issues/{name}/events/")).await.expect(200).json();
        assert_eq!(events.as_array().unwrap().len(), 2);
    }
    let short = server.organization_path(&format!("shortids/{old_short}/"));
    assert_eq!(server.get(&short).await.expect(200).json()["groupId"], new["id"]);
    let found = server.of_project(&format!("issues/?query={old_short}")).await.expect(200).json();
    assert_eq!(found[0]["id"], new["id"]);
    // What happened is told, newest first, and ends with the beginning.
    let path = format!("/api/0/issues/{old_id}/activities/");
    let activity = server.get(&path).await.expect(200).json()["activity"].clone();
    let mut kinds = types(&activity);
    assert_eq!(kinds.pop(), Some("first_seen"));
    kinds.sort_unstable();
    assert_eq!(kinds, ["merge", "reprocess", "set_ignored"], "{activity:#}");
    let of =
        |kind: &str| activity.as_array().unwrap().iter().find(|it| it["type"] == kind).unwrap();
    let data = &of("reprocess")["data"];
    assert_eq!((&data["eventCount"], &data["cause"]), (&json!(2), &json!("lamp")), "{data}");
    assert_eq!(data["otherShortId"], old_short);
    assert!(of("set_ignored")["user"]["name"].as_str().unwrap().starts_with("token "));
    // A change of the old one is a change of the new one.
    let change = json!({"status": "resolved"});
    let changed = server.put(&format!("/api/0/issues/{old_short}/"), &change).await.expect(200);
    assert_eq!(
        (&changed.json()["id"], &changed.json()["status"]),
        (&new["id"], &json!("resolved"))
    );

    let mut visitor = Visitor::logged_in(&server).await;
    let page = format!("/default/first/issues/{old_short}/");
    let new_short = new["shortId"].as_str().unwrap();
    let to = visitor.get(&page).await.expect(303).location().unwrap();
    assert_eq!(to, format!("/default/first/issues/{new_short}/?from={old_short}"));
    let shown = visitor.get(&to).await.expect(200).body;
    assert!(shown.contains(&format!("{old_short} has no events left")), "{shown}");
    assert!(shown.contains("because lamp was uploaded"), "{shown}");
    let other = visitor.get(&format!("/default/first/issues/{new_short}/?from=FIRST-9")).await;
    assert!(!other.expect(200).body.contains("FIRST-9"));
});

on_both!(missing_files_are_ranked_and_leave_the_list_when_they_come, |database| {
    let server = Server::start_on(database).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let page = "/default/first/missing/";
    assert!(visitor.get(page).await.expect(200).body.contains("Nothing is missing"));
    let mut rare = crash("lamp@1");
    rare["debug_meta"]["images"][0]["debug_id"] = json!("00000000-0000-4000-8000-000000000001");
    rare["debug_meta"]["images"][0]["code_id"] = json!("0000000000004000");
    send(&server, &rare).await;
    for _ in 0..3 {
        send(&server, &crash("lamp@1")).await;
    }
    let event = send(&server, &crash("lamp@1")).await;
    let list = server.of_project("files/missing/").await.expect(200).json();
    let files = list.as_array().unwrap();
    assert_eq!(files.len(), 2, "{list:#}");
    let first = &files[0];
    assert_eq!((&first["events"], &files[1]["events"]), (&json!(4), &json!(1)));
    assert_eq!((&first["debugId"], &first["codeId"]), (&json!(DEBUG_ID), &json!(CODE_ID)));
    assert_eq!(first["name"], "/srv/lamp/target/release/lamp");
    assert_eq!((&first["kind"], &first["arch"]), (&json!("debug_file"), &json!("x86_64")));
    assert_eq!(first["latestEventID"], event["eventID"]);
    let command = first["reason"]["command"].as_str().unwrap();
    let expected = format!(
        "sentry-cli --url {} debug-files upload --org default --project first --include-sources --id {DEBUG_ID} \
         ./target/release",
        server.credentials.url
    );
    assert_eq!(command, expected);
    let shown = visitor.get(page).await.expect(200).body;
    assert!(shown.contains(&format!("--id {DEBUG_ID}")), "{shown}");
    // The same reason, in the same words, at the frame.
    let why = &event["entries"][0]["data"]["values"][0]["stacktrace"]["frames"][0]["symbolication"]
        ["why"];
    assert_eq!(
        (&why["command"], &why["code"]),
        (&first["reason"]["command"], &json!("missing_debug_file"))
    );
    assert!(why["text"].as_str().unwrap().contains("4 events wait for it"), "{why}");

    server.upload("lamp", &fixture()).await;
    until("the file to leave the list", async || {
        let list = server.of_project("files/missing/").await.expect(200).json();
        (list.as_array().unwrap().len() == 1).then_some(())
    })
    .await;
    let shown = visitor.get(page).await.expect(200).body;
    assert!(!shown.contains(DEBUG_ID) && shown.contains("00000000-0000-4000-8000-000000000001"));
});

/// Makes events look as if an older version had grouped them.
async fn forget_grouping(server: &mut Server) {
    server.terminate();
    server.ended().await;
    let old = match server.environment().is_empty() {
        true => "CAST('old' || issue_id AS BLOB)",
        false => "CAST('old' || issue_id AS BYTEA)",
    };
    server.execute(&format!("UPDATE group_hash SET version = 0, hash = {old}")).await;
}

on_both!(stored_events_are_digested_again_beside_a_server_and_without_one, |database| {
    let mut server = Server::start_on(database).await;
    for _ in 0..5 {
        send(&server, &crash("lamp@1")).await;
    }
    let old = only_issue(&server).await;
    // Without a server…
    forget_grouping(&mut server).await;
    let ran = server.command(&["redigest", "--json"]).ok();
    let counts = json!({"done": 5, "changed": 5, "moved": 5, "failed": 0});
    assert_eq!(ran.json(), counts);
    server.restart().await;
    let new = moved(&server, &old).await;
    let path = format!("/api/0/issues/{}/", old["id"].as_str().unwrap());
    let found = server.get(&path).await.expect(200).json();
    assert_eq!((&found["id"], &found["count"]), (&new["id"], &json!("5")));
    assert!(found["activity"].to_string().contains("symbolist redigest"), "{}", found["activity"]);
    // …and beside one, for one issue.
    forget_grouping(&mut server).await;
    server.restart().await;
    let short_id = new["shortId"].as_str().unwrap();
    let ran = server.command(&["redigest", "--issue", short_id, "--json"]).ok();
    assert_eq!(ran.json(), counts);
    moved(&server, &new).await;
    assert_eq!(server.command(&["check", "--json"]).ok().json()["problems"], 0);
    let ran = server.command(&["redigest", "--project", "nowhere"]);
    assert_eq!((ran.code, ran.errors.contains("no project `nowhere`")), (2, true), "{ran:?}");
});
