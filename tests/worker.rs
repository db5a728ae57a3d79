//! The real worker: a hostile file costs that file, not the server. Crashes and loops are tested with
//! small programs in the worker's place, beside `symbols/worker.rs`.

use std::fs::File;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::json;

use crate::support::command::PROGRAM;
use crate::support::server::{Options, Server};
use crate::support::upload::bundle;

/// Enough for every healthy file of these tests.
const MEMORY_BYTES: u64 = 40 << 20;

const SCRIPTS: &[u8] = include_bytes!("../fixtures/js/app.artifactbundle.zip");
const SOURCES: &[u8] = include_bytes!("../fixtures/demo/contact-sheet.src.zip");
const ELF: &[u8] = include_bytes!("../fixtures/elf/inlined-dwarf5");

/// A bundle of 200 KB whose manifest, one long map reference, inflates to 50 MB.
fn memory_eater() -> Vec<u8> {
    let map = format!("data:application/json;base64,{}", "A".repeat(50 << 20));
    let manifest = json!({"files": {"app.js": {
        "url": "~/app.js", "type": "minified_source", "headers": {"sourcemap": map},
    }}});
    bundle(&[("manifest.json", manifest.to_string().as_bytes()), ("app.js", b"a();")])
}

/// Runs a worker over `bytes` within `memory_bytes`.
fn worker(operation: &[&str], bytes: &[u8], memory_bytes: u64, output_bytes: u64) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("input");
    std::fs::write(&input, bytes).unwrap();
    let open = |path: &Path| File::open(path).unwrap();
    Command::new(PROGRAM)
        .arg("worker")
        .args(operation)
        .args(["--input=0", "--cpu-seconds=20"])
        .arg(format!("--memory-bytes={memory_bytes}"))
        .arg(format!("--output-bytes={output_bytes}"))
        .stdin(open(&input))
        .stdout(tempfile::tempfile().unwrap())
        .env_clear()
        .output()
        .unwrap()
}

#[test]
fn a_file_that_eats_memory_ends_the_worker_at_its_limit() {
    let ended = worker(&["list-bundle"], &memory_eater(), MEMORY_BYTES, 1 << 30);
    // 5: the archive reader noticed; parsers that do not are aborted.
    assert!(ended.status.code() == Some(5) || ended.status.signal() == Some(6), "{ended:?}");
}

#[test]
fn output_beyond_its_limit_ends_the_worker() {
    let ended = worker(&["derive-native"], ELF, 256 << 20, 100);
    assert_eq!(ended.status.signal(), Some(25), "{ended:?}");
}

#[test]
fn healthy_files_need_little_memory() {
    let script = ["derive-js", "--debug-id=739fa633-25cc-5ff3-90bb-6205b524fff1"];
    for (operation, bytes) in [
        (&["identify"][..], ELF),
        (&["derive-native"], ELF),
        (&["list-bundle"], SCRIPTS),
        (&script, SCRIPTS),
        (&["derive-sources"], SOURCES),
    ] {
        let ended = worker(operation, bytes, MEMORY_BYTES, 1 << 30);
        assert!(ended.status.success(), "{operation:?}: {ended:?}");
        // No notes: nothing was left out for want of memory.
        assert_eq!(String::from_utf8_lossy(&ended.stderr), "{}", "{operation:?}");
    }
}

#[test]
fn a_file_that_is_something_else_is_unusable() {
    for operation in ["identify", "list-bundle", "derive-native", "derive-sources"] {
        let ended = worker(&[operation], b"hello", MEMORY_BYTES, 1 << 30);
        assert_eq!(ended.status.code(), Some(3), "{operation}: {ended:?}");
        let report: serde_json::Value = serde_json::from_slice(&ended.stderr).unwrap();
        assert!(!report["reason"].as_str().unwrap().is_empty(), "{operation}");
    }
    let other = ["derive-js", "--debug-id=00000000-0000-0000-0000-000000000001"];
    let ended = worker(&other, SCRIPTS, MEMORY_BYTES, 1 << 30);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("no source map with the debug id"), "{said}");
}

#[tokio::test]
async fn a_file_that_eats_memory_is_refused_and_the_server_goes_on() {
    let options = Options::default().with("SYMBOLIST_WORKERS_MEMORY", "40MiB");
    let server = Server::start_with(options).await;
    let eater = memory_eater();
    let ((), answer) = tokio::join!(
        async {
            let answer = server.upload("inlined", ELF).await;
            assert_eq!(answer["state"], "ok", "{answer}");
        },
        server.upload_bundle(&eater, json!({}))
    );
    assert_eq!(answer["state"], "error");
    let detail = answer["detail"].as_str().unwrap();
    assert!(detail.contains("40 MB of memory"), "{detail}");
    assert_eq!(server.get("/readyz").await.status, 200);
}
