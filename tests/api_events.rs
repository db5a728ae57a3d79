//! Events over the REST API: lists, everything about one, and its files.

use std::path::Path;

use serde_json::{Value, json};

use crate::api_issues::{envelope, event, send};
use crate::support::database::on_both;
use crate::support::server::Server;

const EVENTS: &str = "/api/0/projects/default/first/events/";

fn entry<'a>(event: &'a Value, kind: &str) -> &'a Value {
    let entries = event["entries"].as_array().expect("it has entries");
    &entries.iter().find(|entry| entry["type"] == kind).expect("the entry is there")["data"]
}

on_both!(an_event_is_shown_whole, |database| {
    let server = Server::start_on(database).await;
    let shown = send(&server, 7, "KeyError").await;
    assert_eq!(shown["title"], "KeyError: no such article");
    assert_eq!(shown["location"], "shop/cart.py");
    assert_eq!(shown["type"], "error");
    assert_eq!(shown["release"]["version"], "shop@1.2.0");
    assert_eq!(shown["user"]["id"], "user-7");
    assert_eq!(shown["user"]["geo"], json!({"city": "Graz"}));
    assert!(shown["dateCreated"].as_str().is_some_and(|time| time.ends_with('Z')));
    let tags = shown["tags"].as_array().expect("a list");
    assert!(tags.contains(&json!({"key": "plan", "value": "free"})));
    assert!(tags.is_sorted_by_key(|tag| tag["key"].as_str().map(str::to_owned)));

    let exception = &entry(&shown, "exception")["values"][0];
    assert_eq!(exception["mechanism"]["handled"], false);
    assert_eq!(exception["rawStacktrace"], Value::Null);
    let frames = &exception["stacktrace"]["frames"];
    let frame = &frames[1];
    assert_eq!((&frame["function"], &frame["lineNo"]), (&json!("find_KeyError"), &json!(12)));
    assert_eq!(
        frame["context"],
        json!([[11, "def find(key):"], [12, "    raise KeyError"], [13, ""]])
    );
    assert_eq!((&frame["inApp"], &frames[0]["inApp"]), (&json!(true), &json!(false)));
    assert_eq!(exception["stacktrace"]["hasSystemFrames"], true);
    assert_eq!(frame["vars"], json!({"key": "'x'"}));
    assert_eq!(frame["symbolication"]["status"], "as_sent");
    assert_eq!(frame["symbolicatorStatus"], Value::Null);
    assert_eq!(entry(&shown, "breadcrumbs")["values"][0]["message"], "clicked");
    assert_eq!(entry(&shown, "request")["query"], json!([["step", "2"]]));

    let payload = server.get(&format!("{EVENTS}{:032x}/json/", 7)).await.expect(200);
    assert_eq!(payload.headers["content-type"], "application/json");
    assert_eq!(payload.json()["exception"]["values"][0]["type"], "KeyError");
    assert_eq!(shown["size"], payload.body.len());
    let hyphenated = "00000000-0000-0000-0000-000000000007";
    let same = server.get(&format!("{EVENTS}{hyphenated}/")).await.expect(200).json();
    assert_eq!(same["eventID"], shown["eventID"]);
    let path = format!("/api/0/organizations/default/eventids/{hyphenated}/");
    let found = server.get(&path).await.expect(200).json();
    assert_eq!((&found["projectSlug"], &found["event"]["id"]), (&json!("first"), &shown["id"]));
});

on_both!(events_are_listed_and_lead_to_each_other, |database| {
    let server = Server::start_on(database).await;
    for number in 1..=5 {
        send(&server, number, "KeyError").await;
    }
    send(&server, 6, "ValueError").await;
    let id = |number: u32| json!(format!("{number:032x}"));
    let ids = |list: Value| -> Vec<Value> {
        list.as_array().expect("a list").iter().map(|event| event["eventID"].clone()).collect()
    };
    let of_issue = "/api/0/organizations/default/issues/FIRST-1/events/";
    let first = server.get(&format!("{of_issue}?per_page=3&full=false&statsPeriod=7d")).await;
    assert_eq!(ids(first.expect(200).json()), [id(5), id(4), id(3)]);
    let first = server.get(&format!("{of_issue}?per_page=3")).await;
    let cursor =
        first.headers["link"].to_str().expect("text").rsplit_once("cursor=\"").expect("a cursor");
    let cursor = cursor.1.trim_end_matches('"').to_owned();
    let second = server.get(&format!("{of_issue}?per_page=3&cursor={cursor}")).await.expect(200);
    assert_eq!(ids(second.json()), [id(2), id(1)]);
    let back = second.headers["link"].to_str().expect("text").split("cursor=\"").nth(1);
    let back = back.and_then(|rest| rest.split('"').next()).expect("a cursor");
    for list in [of_issue, EVENTS] {
        let newer = server.get(&format!("{list}?per_page=2&cursor={back}")).await.expect(200);
        assert_eq!(ids(newer.json()), [id(4), id(3)], "{list}");
    }
    assert_eq!(ids(server.get(EVENTS).await.expect(200).json()).len(), 6);
    let item = &server.get(EVENTS).await.expect(200).json()[0];
    assert!(item.get("event_id").is_none() && item.get("project").is_none());

    for (name, number) in [("latest", 5), ("oldest", 1), ("recommended", 5)] {
        let event = server.get(&format!("{of_issue}{name}/")).await.expect(200).json();
        assert_eq!(event["eventID"], id(number), "{name}");
    }
    let middle = server.get(&format!("{of_issue}{:032x}/", 3)).await.expect(200).json();
    assert_eq!((&middle["previousEventID"], &middle["nextEventID"]), (&id(2), &id(4)));
    let last = server.get(&format!("{of_issue}latest/")).await.expect(200).json();
    assert_eq!(last["nextEventID"], Value::Null);
    server.get(&format!("{of_issue}{:032x}/", 6)).await.expect(404);
    server.get(&format!("{of_issue}?query=x")).await.expect(400);
});

#[tokio::test]
async fn frames_show_what_uploaded_files_say() {
    let server = Server::start().await;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let file = |name: &str| std::fs::read(demo.join(name)).expect("the fixture is there");
    let id = |envelope: &[u8]| {
        let header = envelope.split(|byte| *byte == b'\n').next().expect("it has a header");
        let header: Value = serde_json::from_slice(header).expect("the header is JSON");
        header["event_id"].as_str().expect("it is about an event").to_owned()
    };
    let files = ["contact-sheet.debug", "contact-sheet.src.zip", "gallery.artifactbundle.zip"]
        .map(|name| demo.join(name).to_str().expect("the path is text").to_owned());
    let url = &server.credentials.url;
    let upload =
        ["upload", "--url", url, "--token", &server.credentials.token, "--project", "first"];
    let arguments: Vec<&str> = upload.into_iter().chain(files.iter().map(String::as_str)).collect();
    server.command(&arguments).ok();

    let web = file("web.envelope");
    server.send_envelope(web.clone()).await.expect(200);
    let shown = server.wait_digested(&id(&web)).await;
    let exception = &entry(&shown, "exception")["values"][0];
    let frame = newest(exception, "shape");
    assert_eq!((&frame["lineNo"], &frame["inApp"]), (&json!(11), &json!(true)));
    // What the SDK sent of the same frame: the minified position.
    let index = frame["symbolication"]["original_index"].as_u64().expect("a number");
    let raw = &exception["rawStacktrace"]["frames"][usize::try_from(index).expect("it is small")];
    for (original, sent) in [
        ("origFunction", "function"),
        ("origAbsPath", "absPath"),
        ("origLineNo", "lineNo"),
        ("origColNo", "colNo"),
    ] {
        assert_eq!(frame[original], raw[sent], "{original}");
        assert!(!raw[sent].is_null() && raw[sent] != frame[sent], "{sent}");
    }
    assert_eq!((&frame["origFilename"], &raw["symbolication"]), (&json!("app.js"), &Value::Null));
    let context = frame["context"].as_array().expect("a list");
    let line = context.iter().find(|line| line[0] == 11).expect("the line is there");
    assert!(line[1].as_str().is_some_and(|text| text.contains("photo.width")), "{line}");
    assert!((6..=11).contains(&context.len()));

    let native = file("native.envelope");
    server.send_envelope(native.clone()).await.expect(200);
    let shown = server.wait_digested(&id(&native)).await;
    let exception = &entry(&shown, "exception")["values"][0];
    let frame = newest(exception, "contact_sheet::pixel::sample");
    assert_eq!(frame["symbolicatorStatus"], "symbolicated");
    assert_eq!(frame["symbolication"]["status"], "symbolicated");
    assert!(!frame["context"].as_array().expect("a list").is_empty());
    let frames = exception["stacktrace"]["frames"].as_array().expect("a list");
    assert!(frames.iter().any(|frame| frame["symbolication"]["inlined"] == true));
    let raw = exception["rawStacktrace"]["frames"].as_array().expect("a list");
    assert!(raw.len() < frames.len());
    assert_eq!(entry(&shown, "debugmeta")["images"][0]["debug_status"], "found");
}

/// Returns the newest frame that has a function.
fn newest(exception: &Value, function: &str) -> Value {
    let frames = exception["stacktrace"]["frames"].as_array().expect("it has frames");
    let frame = frames.iter().rev().find(|frame| frame["function"] == function);
    frame.unwrap_or_else(|| panic!("no {function} in {frames:#?}")).clone()
}

on_both!(attachments_come_back_as_they_were_sent, |database| {
    let server = Server::start_on(database).await;
    let large = "x".repeat(300_000);
    let event = event(1, "KeyError");
    let small = json!({"type": "attachment", "length": 5, "filename": "a \"b\".html", "content_type": "text/html"});
    let large_header =
        json!({"type": "attachment", "length": large.len(), "filename": "large.bin"});
    let body = format!("{}{small}\n<b>!\n\n{large_header}\n{large}\n", envelope(&event));
    server.send_envelope(body).await.expect(200);
    server.wait_digested(&format!("{:032x}", 1)).await;

    let path = format!("{EVENTS}{:032x}/attachments/", 1);
    let list = server.get(&path).await.expect(200).json();
    let list = list.as_array().expect("a list");
    let named = |name: &str| list.iter().find(|file| file["name"] == name).expect("it is listed");
    let html = named("a \"b\".html");
    assert_eq!((&html["size"], &html["mimetype"]), (&json!(5), &json!("text/html")));
    assert_eq!(html["type"], "event.attachment");
    assert_eq!(html["sha1"].as_str().map(str::len), Some(40));

    let file = format!("{path}{}/", html["id"].as_str().expect("text"));
    assert_eq!(server.get(&file).await.expect(200).json()["name"], html["name"]);
    let answer = server.get(&format!("{file}?download=1")).await.expect(200);
    assert_eq!(answer.body, "<b>!\n");
    assert_eq!(answer.headers["content-type"], "application/octet-stream");
    assert_eq!(answer.headers["x-content-type-options"], "nosniff");
    let disposition = answer.headers["content-disposition"].to_str().expect("text");
    assert!(disposition.starts_with("attachment; filename=\"a__b_.html\""), "{disposition}");

    let id = named("large.bin")["id"].as_str().expect("text");
    let answer = server.get(&format!("{path}{id}/?download=1")).await.expect(200);
    assert_eq!(answer.headers["content-length"], "300000");
    assert!(answer.body == large);
    let other = format!("{EVENTS}{:032x}/attachments/{id}/?download=1", 2);
    server.get(&other).await.expect(404);
});
