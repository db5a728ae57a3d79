//! The pages in a real browser: the demo's crashes, uploaded, sent, symbolicated and read as a person would.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;
use tokio::process::Command;

use crate::support::server::Server;
use crate::support::visitor::Visitor;

/// The demo's files, by kind.
const FILES: [&str; 3] =
    ["contact-sheet.debug", "contact-sheet.src.zip", "gallery.artifactbundle.zip"];

fn demo(name: &str) -> Bytes {
    let path = Path::new("fixtures/demo").join(name);
    Bytes::from(std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// Uploads the demo's files through the public API.
async fn upload(server: &Server) {
    let credentials = &server.credentials;
    let client = cli::client::Client::new(&credentials.url, &credentials.token).unwrap();
    let target = cli::upload::Target {
        organization: credentials.organization.clone(),
        project: credentials.project.clone(),
        release: None,
        dist: None,
    };
    let files = FILES.map(|name| cli::upload::File { name: name.to_owned(), bytes: demo(name) });
    for uploaded in cli::upload::upload(&client, &target, &files).await.unwrap() {
        assert!(uploaded.is_usable, "{}: {:?}", uploaded.name, uploaded.detail);
    }
}

/// Sends an event of the demo and returns the path of its page.
async fn send(server: &Server, visitor: &mut Visitor, name: &str) -> String {
    let sent = server.send_envelope(demo(name)).await.expect(200).json();
    visitor.wait_digested(sent["id"].as_str().unwrap()).await
}

/// Opens a page in Chromium and returns what a reader finds there; leaves screenshots in `folder`.
async fn read(server: &Server, path: &str, folder: &Path) -> Value {
    let node = std::env::var("SYMBOLIST_TEST_NODE").expect(
        "SYMBOLIST_TEST_NODE is set: run the tests with tests/run, which installs a browser",
    );
    let credentials = &server.credentials;
    let script = Path::new("tests/pages/issue.mjs");
    let mut command = Command::new(node);
    command.arg(script).args([&credentials.url, &credentials.email, &credentials.password, path]);
    let output = command.arg(folder).kill_on_drop(true).output().await.expect("node starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{path}: {errors}");
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

/// A frame as a reader sees it.
fn frame(function: &str, place: &str, inlined: bool) -> Value {
    serde_json::json!({"function": function, "inlined": inlined, "place": place})
}

/// Asserts that `expected` stand in this order, possibly with others between them.
#[track_caller]
fn in_order(found: &Value, expected: &[Value]) {
    let mut frames = found.as_array().unwrap().iter();
    for wanted in expected {
        assert!(frames.any(|frame| frame == wanted), "{wanted} is not in its place in {found:#}");
    }
}

/// Asserts that nothing went wrong in any look, and that the screenshots are there.
#[track_caller]
fn looks_good(page: &Value, folder: &Path) {
    assert_eq!(page["problems"], serde_json::json!([]));
    let looks = page["looks"].as_array().unwrap();
    assert_eq!(looks.len(), 4);
    for look in looks {
        let name = look["name"].as_str().unwrap();
        assert_eq!(look["problems"], serde_json::json!([]), "{name}");
        assert_eq!(look["accessibility"], serde_json::json!([]), "{name}");
        assert_eq!(look["too_wide"], false, "{name}");
        let picture = folder.join(format!("{name}.png"));
        assert!(std::fs::metadata(&picture).is_ok_and(|file| file.len() > 10_000), "{name}");
    }
}

/// The line of source that is marked in the open frame.
#[track_caller]
fn hit(page: &Value) -> (u64, String) {
    let lines = page["source"][0].as_array().expect("a frame is open");
    let hit = lines.iter().find(|line| line["hit"] == true).expect("a line is marked");
    (hit["number"].as_u64().unwrap(), hit["text"].as_str().unwrap().trim().to_owned())
}

fn pictures() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder for screenshots");
    let path = folder.path().to_owned();
    (folder, path)
}

#[tokio::test]
async fn a_native_crash_is_read_resolved() {
    let server = Server::start().await;
    upload(&server).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let path = send(&server, &mut visitor, "native.envelope").await;
    let (_folder, pictures) = pictures();
    let page = read(&server, &path, &pictures).await;
    assert_eq!(page["title"], "panic: index out of bounds: the len is 48 but the index is 64");
    let expected = [
        frame("contact_sheet::pixel::sample", "src/pixel.rs:16", true),
        frame("contact_sheet::pixel::average", "src/pixel.rs:8", true),
        frame("contact_sheet::sheet::thumbnail", "src/sheet.rs:31", false),
        frame("contact_sheet::sheet::print", "src/sheet.rs:19", false),
    ];
    in_order(&page["frames"], &expected);
    in_order(&page["frames_without_script"], &expected);
    assert_eq!(hit(&page), (16, "photo.pixels[row * photo.width + column]".to_owned()));
    looks_good(&page, &pictures);
}

#[tokio::test]
async fn a_minified_error_is_read_resolved() {
    let server = Server::start().await;
    upload(&server).await;
    let mut visitor = Visitor::logged_in(&server).await;
    let path = send(&server, &mut visitor, "web.envelope").await;
    let (_folder, pictures) = pictures();
    let page = read(&server, &path, &pictures).await;
    assert_eq!(page["title"], "TypeError: Cannot read properties of undefined (reading 'width')");
    let expected = [
        frame("shape", "../src/photo.ts:11:22", false),
        frame("captionOf", "../src/photo.ts:14:15", false),
        frame("Gallery.caption", "../src/gallery.ts:18:24", false),
        frame("Gallery.open", "../src/gallery.ts:13:30", false),
    ];
    in_order(&page["frames"], &expected);
    in_order(&page["frames_without_script"], &expected);
    let line = r#"return photo.width > photo.height ? "landscape" : "portrait";"#;
    assert_eq!(hit(&page), (11, line.to_owned()));
    looks_good(&page, &pictures);
}
