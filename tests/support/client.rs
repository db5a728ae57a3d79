//! The programs of `tests/clients`, which report to a test's server through the real SDKs.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tokio::process::Command;

use super::server::Server;

/// Returns a variable that `tests/run` exports.
pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run the tests with tests/run"))
}

/// Returns a file that `tests/clients/build` made.
pub(crate) fn built(name: &str) -> PathBuf {
    Path::new(&variable("SYMBOLIST_TEST_CLIENTS")).join(name)
}

/// Runs a stripped native program, and returns the id of the event it sent.
pub(crate) async fn crash_native(server: &Server, program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(built(program));
    command.args(arguments);
    report(server, command).await
}

/// Runs a script in node, and returns the id of the event it sent.
pub(crate) async fn crash_node(server: &Server, script: &Path) -> String {
    let mut command = Command::new(variable("SYMBOLIST_TEST_NODE"));
    // `require` looks there after the folders beside the script.
    command.arg(script).env("NODE_PATH", variable("SYMBOLIST_TEST_NODE_MODULES"));
    report(server, command).await
}

/// Runs the Python program, and returns the id of the event it sent.
pub(crate) async fn crash_python(server: &Server) -> String {
    let mut command = Command::new(variable("SYMBOLIST_TEST_PYTHON"));
    command.arg(built("python/crash.py"));
    report(server, command).await
}

async fn report(server: &Server, mut command: Command) -> String {
    command.env("SENTRY_DSN", &server.credentials.dsn).kill_on_drop(true);
    let ended = command.output().await.expect("the program starts");
    let output = String::from_utf8_lossy(&ended.stdout);
    let last: Option<Value> =
        output.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let id = last.as_ref().and_then(|report| report["event_id"].as_str());
    let errors = String::from_utf8_lossy(&ended.stderr);
    id.unwrap_or_else(|| panic!("no event id of {command:?}: {output}\n{errors}")).to_owned()
}
