//! Runs the program's commands.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Path of the program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_symbolist");

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

/// Runs the program with a data folder.
pub(crate) fn run(data: &Path, arguments: &[&str]) -> Ran {
    run_with(data, arguments, &[], "")
}

/// As [`run`], with variables and something on the standard input.
pub(crate) fn run_with(
    data: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
    input: &str,
) -> Ran {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("SYMBOLIST_DATA", data).envs(environment.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    Ran::of(child.wait_with_output().expect("the program ends"))
}

impl Ran {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            output: String::from_utf8(output.stdout).expect("commands print text"),
            errors: String::from_utf8(output.stderr).expect("commands print text"),
        }
    }

    /// Asserts that it went well.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}", self.errors);
        self
    }

    /// Returns the JSON it printed.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let ran = self.ok();
        serde_json::from_str(&ran.output).expect("the command prints JSON")
    }
}
