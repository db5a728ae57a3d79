//! Uploads by the unmodified sentry-cli 3.8.2 and 2.58.6.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::database::on_both;
use crate::support::sentry_cli::SentryCli;
use crate::support::server::Server;

/// Compiles a program to `name`; every folder gives another build id.
fn compile(folder: &Path, name: &str, flags: &[&str]) {
    let source = format!(
        "#include <stdio.h>\nint main(void) {{ puts(\"{}\"); return 0; }}\n",
        folder.display()
    );
    std::fs::write(folder.join("main.c"), source).unwrap();
    run(folder, "gcc", &[&["-O2", "-Wl,--build-id", "-o", name], flags, &["main.c"]].concat());
}

fn run(folder: &Path, program: &str, arguments: &[&str]) {
    let ended = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
}

fn folder_with_program() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    compile(folder.path(), "program", &["-g"]);
    folder
}

fn kinds(files: &[Value]) -> Vec<(&str, &str)> {
    let mut kinds: Vec<_> = files
        .iter()
        .map(|file| (file["symbolType"].as_str().unwrap(), file["objectName"].as_str().unwrap()))
        .collect();
    kinds.sort_unstable();
    kinds
}

on_both!(a_program_and_its_sources_are_uploaded_once, |database| {
    for cli in SentryCli::all() {
        let server = Server::start_on(database).await;
        let folder = folder_with_program();
        let upload = ["debug-files", "upload", "--include-sources", "program"];
        let ran = cli.run(&server, folder.path(), &upload).await;
        let ran = ran.says("(program; x86_64 library)").says("(program; x86_64 sources)");
        ran.does_not_say("UPLOADED").does_not_say("not usable");
        let again = cli.run(&server, folder.path(), &upload).await;
        again.says("Nothing to upload, all files are on the server");
        let files = server.debug_files().await;
        assert_eq!(kinds(&files), [("elf", "program"), ("sourcebundle", "program")]);
        assert_eq!(files[0]["debugId"], files[1]["debugId"]);
        let wait = ["debug-files", "upload", "--include-sources", "--wait", "program"];
        cli.run(&server, folder.path(), &wait).await.says("Nothing to upload");
    }
});

#[tokio::test]
async fn gaps_of_a_usable_file_are_printed() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        let folder = folder_with_program();
        run(folder.path(), "strip", &["-o", "stripped", "program"]);
        run(folder.path(), "objcopy", &["--only-keep-debug", "program", "program.debug"]);
        let upload = |name| ["debug-files", "upload", name];
        let stripped = cli.run(&server, folder.path(), &upload("stripped")).await;
        stripped.says("OK").says("no debug info").says("not usable for symbolication");
        let companion = cli.run(&server, folder.path(), &upload("program.debug")).await;
        let companion = companion.says("debug companion)").says("no unwind info");
        companion.does_not_say("not usable");
    }
}

#[tokio::test]
async fn a_program_without_unwind_information_says_so() {
    let server = Server::start().await;
    let flags =
        ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-nostartfiles", "-Wl,-e,main"];
    for cli in SentryCli::all() {
        let folder = tempfile::tempdir().unwrap();
        compile(folder.path(), "program", &flags);
        run(
            folder.path(),
            "objcopy",
            &["--remove-section=.eh_frame", "--remove-section=.eh_frame_hdr", "program"],
        );
        let ran = cli.run(&server, folder.path(), &["debug-files", "upload", "program"]).await;
        ran.says("OK").says("no unwind info");
    }
}

#[tokio::test]
async fn a_file_that_is_no_debug_file_is_not_uploaded() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("notes.txt"), "hello").unwrap();
        let ran = cli.run(&server, folder.path(), &["debug-files", "upload", "notes.txt"]).await;
        ran.says("No debug information files found");
    }
    assert_eq!(server.debug_files().await, [] as [Value; 0]);
}

#[tokio::test]
async fn a_wrong_token_or_project_is_named() {
    let server = Server::start().await;
    // An organization's token would override the organization that is asked for.
    let created = ["token", "create", "--user", "admin@localhost", "--scopes", "all", "--json"];
    let user_token = server.command(&created).json()["token"].as_str().unwrap().to_owned();
    for cli in SentryCli::all() {
        let folder = folder_with_program();
        let token = ["--auth-token", &"a".repeat(64), "debug-files", "upload", "program"];
        cli.run(&server, folder.path(), &token).await.fails("401");
        let project = ["debug-files", "upload", "-p", "nowhere", "program"];
        cli.run(&server, folder.path(), &project).await.fails("roject");
        let organization =
            ["--auth-token", &user_token, "debug-files", "upload", "-o", "nowhere", "program"];
        cli.run(&server, folder.path(), &organization).await.fails("error: ");
    }
}

fn folder_with_script() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let dist = folder.path().join("dist");
    std::fs::create_dir(&dist).unwrap();
    // The text differs from test to test, and with it the debug id.
    let script =
        format!("function a(){{throw new Error({dist:?})}}a();\n//# sourceMappingURL=app.js.map\n");
    let map = serde_json::json!({
        "version": 3, "file": "app.js", "sources": ["../src/app.ts"], "names": [],
        "sourcesContent": ["function fail() {\n  throw new Error();\n}\nfail();\n"],
        "mappings": "AAAA,eACE",
    });
    std::fs::write(dist.join("app.js"), script).unwrap();
    std::fs::write(dist.join("app.js.map"), map.to_string()).unwrap();
    folder
}

on_both!(source_maps_are_uploaded_with_and_without_a_release, |database| {
    let server = Server::start_on(database).await;
    for cli in SentryCli::all() {
        let folder = folder_with_script();
        let inject = ["sourcemaps", "inject", "dist"];
        cli.run(&server, folder.path(), &inject).await.says("debug id");
        let upload = ["sourcemaps", "upload", "dist"];
        let first = cli.run(&server, folder.path(), &upload).await;
        first.says("Uploaded files to Sentry").says("File processing complete");
        let again = cli.run(&server, folder.path(), &upload).await;
        again.says("Nothing to upload").says("File processing complete");
        for release in ["web@1.0.0+5", "web@2.0.0"] {
            let upload =
                ["sourcemaps", "upload", "--release", release, "--dist", "42", "--wait", "dist"];
            cli.run(&server, folder.path(), &upload).await.says("File processing complete");
        }
        let strict = ["sourcemaps", "upload", "--strict", "dist"];
        cli.run(&server, folder.path(), &strict).await.says("File processing complete");
    }
});

#[tokio::test]
async fn source_maps_without_debug_ids_need_a_release() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        let folder = folder_with_script();
        let upload = ["sourcemaps", "upload", "dist"];
        cli.run(&server, folder.path(), &upload).await.fails("release");
        let upload = ["sourcemaps", "upload", "--release", "plain@1", "dist"];
        cli.run(&server, folder.path(), &upload).await.says("File processing complete");
    }
}

#[tokio::test]
async fn info_says_that_the_token_is_good() {
    let server = Server::start().await;
    for cli in SentryCli::all() {
        let folder = tempfile::tempdir().unwrap();
        cli.run(&server, folder.path(), &["info"]).await.says("Sentry Server");
    }
}
