//! Crashes of stripped native programs, symbolicated with what the unmodified sentry-cli uploaded.

use serde_json::Value;
use tempfile::tempdir;

use crate::support::client::{built, crash_native};
use crate::support::database::on_both;
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;
use crate::support::trace::{Expected, Source, assert_chain, frames, named, outline};
use crate::support::wait::until;

/// Uploads the debug information of a program, with its sources.
pub(crate) async fn upload(server: &Server, cli: &SentryCli, program: &str) {
    let file = built("debug").join(format!("{program}.debug"));
    let folder = tempdir().unwrap();
    let upload = ["debug-files", "upload", "--include-sources", file.to_str().unwrap()];
    let ran = cli.run(server, folder.path(), &upload).await;
    ran.says("debug companion)").says("sources)").does_not_say("not usable");
}

/// Waits until no frame of the event waits for a debug file of the program.
pub(crate) async fn wait_symbolicated(server: &Server, event_id: &str, function: &str) -> Value {
    until(&format!("{function} in event {event_id}"), async || {
        let event = server.wait_digested(event_id).await;
        (!named(&frames(&event), function).is_empty()).then_some(event)
    })
    .await
}

#[track_caller]
pub(crate) fn assert_rust_crash(event: &Value) {
    let source = |name| Source::read(&format!("native/src/rust_crash/{name}.rs"));
    let (main, cart, price) = (source("main"), source("cart"), source("price"));
    let frame = |function, source, marker, inlined| Expected { function, source, marker, inlined };
    let frames = frames(event);
    assert_chain(
        &frames,
        &[
            frame("rust_crash::cart::checkout", &cart, "checkout", false),
            frame("rust_crash::cart::total", &cart, "total", false),
            frame("rust_crash::price::price", &price, "price", true),
            frame("rust_crash::price::rate", &price, "rate", true),
        ],
    );
    let main_line = main.line("main");
    let is_main = |frame: &Value| {
        frame["lineNo"] == main_line
            && frame["filename"].as_str().is_some_and(|name| name.ends_with("rust_crash/main.rs"))
            && frame["function"].as_str().is_some_and(|name| name.starts_with("rust_crash::main"))
    };
    assert!(frames.iter().any(is_main), "{:#?}", outline(&frames));
    assert_eq!(event["title"], "panic: index out of bounds: the len is 4 but the index is 7");
    assert_eq!(event["culprit"], "rust_crash::price::rate");
}

on_both!(rust_panic_is_symbolicated, |database| {
    let [cli, _] = SentryCli::all();
    let server = Server::start_on(database).await;
    upload(&server, &cli, "rust-crash").await;
    let event_id = crash_native(&server, "rust-crash", &[]).await;
    assert_rust_crash(&server.wait_digested(&event_id).await);
});

on_both!(late_debug_file_symbolicates_the_stored_panic, |database| {
    let [_, cli] = SentryCli::all();
    let server = Server::start_on(database).await;
    let event_id = crash_native(&server, "rust-crash", &[]).await;
    let before = server.wait_digested(&event_id).await;
    let missing: Vec<Value> = frames(&before)
        .into_iter()
        .filter(|frame| frame["symbolication"]["status"] == "missing_debug_file")
        .collect();
    assert!(missing.len() >= 4, "{:#?}", outline(&frames(&before)));
    let reason = &missing[0]["symbolication"];
    assert!(reason["code_file"].as_str().unwrap().ends_with("/rust-crash"), "{reason}");
    upload(&server, &cli, "rust-crash").await;
    let after = wait_symbolicated(&server, &event_id, "rust_crash::price::rate").await;
    assert_rust_crash(&after);
});

#[track_caller]
fn assert_cpp_crash(event: &Value, chain: &[(&str, &str, bool)]) {
    let order = Source::read("native/cpp/order.cpp");
    let expected: Vec<Expected<'_>> = chain
        .iter()
        .map(|(function, marker, inlined)| Expected {
            function,
            source: &order,
            marker,
            inlined: *inlined,
        })
        .collect();
    let frames = frames(event);
    assert_chain(&frames, &expected);
    let text = outline(&frames).join("\n");
    assert!(!text.contains(".cold"), "{text}");
    assert!(text.contains("cpp_crash::on_total"), "{text}");
}

#[tokio::test]
async fn hot_cpp_frames_below_a_rust_callback_are_symbolicated() {
    for cli in SentryCli::all() {
        let server = Server::start().await;
        upload(&server, &cli, "cpp-crash").await;
        let event_id = crash_native(&server, "cpp-crash", &["hot"]).await;
        let chain = [
            ("order_total", "order_total", false),
            ("shop::TaxRule<T>::apply", "apply", false),
            ("shop::announce", "announce", true),
        ];
        assert_cpp_crash(&server.wait_digested(&event_id).await, &chain);
    }
}

#[tokio::test]
async fn cold_part_of_a_cpp_function_has_the_name_of_the_function() {
    let [cli, _] = SentryCli::all();
    let server = Server::start().await;
    let event_id = crash_native(&server, "cpp-crash", &["cold"]).await;
    server.wait_digested(&event_id).await;
    upload(&server, &cli, "cpp-crash").await;
    let event = wait_symbolicated(&server, &event_id, "order_total").await;
    let chain = [("order_total", "order_total cold", false), ("shop::announce", "announce", true)];
    assert_cpp_crash(&event, &chain);
}
