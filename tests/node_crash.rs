//! An error of a minified TypeScript app in node, resolved with what the unmodified sentry-cli uploaded.

use std::path::PathBuf;

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::support::client::{built, crash_node};
use crate::support::database::on_both;
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;
use crate::support::trace::{Expected, Source, assert_chain, frames, named, outline};
use crate::support::wait::until;

/// The app, built and with injected debug ids, in a folder of its own.
pub(crate) struct App {
    folder: TempDir,
}

impl App {
    /// Copies the app with `change` made to its script and map, and injects debug ids.
    pub(crate) async fn build(
        server: &Server,
        cli: &SentryCli,
        change: impl Fn(&mut String, &mut String),
    ) -> Self {
        let folder = tempdir().unwrap();
        let dist = folder.path().join("dist");
        std::fs::create_dir(&dist).unwrap();
        let read = |name| std::fs::read_to_string(built(name)).unwrap();
        let (mut script, mut map) = (read("node/app.js"), read("node/app.js.map"));
        change(&mut script, &mut map);
        std::fs::write(dist.join("app.js"), script).unwrap();
        std::fs::write(dist.join("app.js.map"), map).unwrap();
        let app = Self { folder };
        let inject = ["sourcemaps", "inject", "dist"];
        cli.run(server, app.folder.path(), &inject).await.says("debug id");
        app
    }

    pub(crate) async fn upload(&self, server: &Server, cli: &SentryCli, flags: &[&str]) {
        let upload = [&["sourcemaps", "upload"], flags, &["dist"]].concat();
        let ran = cli.run(server, self.folder.path(), &upload).await;
        ran.says("File processing complete");
    }

    pub(crate) fn script(&self) -> PathBuf {
        self.folder.path().join("dist/app.js")
    }
}

#[track_caller]
pub(crate) fn assert_resolved(event: &Value) {
    let source = |name| Source::read(&format!("node/src/{name}.ts"));
    let (main, checkout, price) = (source("main"), source("checkout"), source("price"));
    let frame = |function, source, marker| Expected { function, source, marker, inlined: false };
    let frames = frames(event);
    assert_chain(
        &frames,
        &[frame("main", &main, "main"), frame("Checkout.finish", &checkout, "finish")],
    );
    assert_chain(&frames, &[frame("priceOf", &price, "priceOf"), frame("rated", &price, "rated")]);
    // `new RangeError(…)` throws: the column of the expression, as V8 says it.
    assert_eq!(named(&frames, "rated")[0]["colNo"], 19, "{:#?}", outline(&frames));
    let arrow = checkout.line("arrow");
    let in_arrow: Vec<&Value> = frames.iter().filter(|frame| frame["lineNo"] == arrow).collect();
    assert_eq!(in_arrow.len(), 2, "the method and the arrow function: {:#?}", outline(&frames));
    assert_eq!(in_arrow[0]["function"], "Checkout.total");
    assert_eq!(in_arrow[1]["function"], "<anonymous>", "neither the callee `priceOf` nor `map`");
    let node: Vec<&Value> = frames
        .iter()
        .filter(|frame| frame["filename"].as_str().is_some_and(|name| name.starts_with("node:")))
        .collect();
    assert!(
        !node.is_empty() && node.iter().all(|frame| frame["inApp"] == false),
        "{:#?}",
        outline(&frames)
    );
    assert_eq!(event["title"], "RangeError: no rate for level bronze");
}

on_both!(minified_error_is_resolved, |database| {
    let server = Server::start_on(database).await;
    let release: [&[&str]; 2] = [&[], &["--release", "crash@1.0.0", "--dist", "7"]];
    for (cli, flags) in SentryCli::all().into_iter().zip(release) {
        let app = App::build(&server, &cli, |_, _| ()).await;
        app.upload(&server, &cli, flags).await;
        let event_id = crash_node(&server, &app.script()).await;
        assert_resolved(&server.wait_digested(&event_id).await);
    }
});

on_both!(late_source_map_resolves_the_stored_error, |database| {
    let release: [&[&str]; 2] = [&["--release", "crash@1.0.0"], &[]];
    for (cli, flags) in SentryCli::all().into_iter().zip(release) {
        let server = Server::start_on(database).await;
        let app = App::build(&server, &cli, |_, _| ()).await;
        let event_id = crash_node(&server, &app.script()).await;
        let before = frames(&server.wait_digested(&event_id).await);
        let is_missing = |frame: &&Value| frame["symbolication"]["status"] == "missing_source_map";
        assert!(before.iter().filter(is_missing).count() >= 8, "{:#?}", outline(&before));
        app.upload(&server, &cli, flags).await;
        let event = until("the error to be resolved", async || {
            let event = server.wait_digested(&event_id).await;
            (!named(&frames(&event), "rated").is_empty()).then_some(event)
        })
        .await;
        assert_resolved(&event);
    }
});

/// Runs the app and returns its frames that are not node's own.
async fn frames_of_app(server: &Server, app: &App) -> Vec<Value> {
    let event_id = crash_node(server, &app.script()).await;
    let mut frames = frames(&server.wait_digested(&event_id).await);
    frames.retain(|frame| frame["symbolication"]["status"] != "as_sent");
    assert!(frames.len() >= 8, "{:#?}", outline(&frames));
    frames
}

#[track_caller]
fn assert_unresolved(frames: &[Value], statuses: &[&str]) {
    let all = outline(frames);
    for frame in frames {
        let status = frame["symbolication"]["status"].as_str().unwrap();
        assert!(statuses.contains(&status), "{all:#?}");
        assert!(frame["absPath"].as_str().unwrap().ends_with("/app.js"), "{all:#?}");
    }
}

#[tokio::test]
async fn build_that_was_not_uploaded_is_not_resolved_with_another_one() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        let uploaded = App::build(&server, &cli, |_, _| ()).await;
        uploaded.upload(&server, &cli, &["--release", "crash@1.0.0"]).await;
        let other = |script: &mut String, map: &mut String| {
            script.insert_str(0, "var q=1;");
            // The same eight columns further right; sentry-cli makes the debug id of the map.
            *map = map.replacen("\"2cAE", "\"mdAE", 1);
        };
        let deployed = App::build(&server, &cli, other).await;
        assert_unresolved(&frames_of_app(&server, &deployed).await, &["missing_source_map"]);
    }
}

#[tokio::test]
async fn positions_past_the_end_of_the_map_are_not_resolved() {
    let server = Server::start().await;
    let [cli, _] = SentryCli::all();
    let app = App::build(&server, &cli, |_, _| ()).await;
    app.upload(&server, &cli, &[]).await;
    let uploaded = std::fs::read_to_string(app.script()).unwrap();
    std::fs::write(app.script(), uploaded.replace("\nvar u=", "\n\n\nvar u=")).unwrap();
    assert_unresolved(&frames_of_app(&server, &app).await, &["position_out_of_range"]);
}

/// sentry-cli makes the debug id of the map alone, so a script that was changed afterwards has the same one. What
/// betrays it is a frame past the end of the uploaded text; the others lie inside, on wrong lines.
#[tokio::test]
async fn script_that_was_changed_after_its_upload_is_not_resolved() {
    let server = Server::start().await;
    let [cli, _] = SentryCli::all();
    let app = App::build(&server, &cli, |_, _| ()).await;
    app.upload(&server, &cli, &[]).await;
    let changed = |script: &mut String, _: &mut String| script.insert_str(0, "var q=1;");
    let deployed = App::build(&server, &cli, changed).await;
    let statuses = ["position_out_of_range", "unusable_source_map"];
    assert_unresolved(&frames_of_app(&server, &deployed).await, &statuses);
}

#[tokio::test]
async fn map_of_another_build_resolves_nothing() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        // The script was changed after its map was made, and both were uploaded together.
        let changed = |script: &mut String, _: &mut String| {
            script.insert_str(0, "function other(){return 42}var q=other();");
        };
        let app = App::build(&server, &cli, changed).await;
        app.upload(&server, &cli, &[]).await;
        assert_unresolved(&frames_of_app(&server, &app).await, &["unusable_source_map"]);
    }
}
