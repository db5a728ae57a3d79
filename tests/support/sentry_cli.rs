//! The unmodified sentry-cli, in both versions, against a test's server.

use std::path::Path;

use tokio::process::Command;

use super::server::Server;

/// Where `tests/run` puts versions 3 and 2.
const VARIABLES: [&str; 2] = ["SYMBOLIST_TEST_SENTRY_CLI_3", "SYMBOLIST_TEST_SENTRY_CLI_2"];

/// One version of sentry-cli.
#[derive(Debug, Clone)]
pub(crate) struct SentryCli {
    program: String,
}

/// What sentry-cli printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code.
    pub(crate) code: i32,
    /// Both of its outputs.
    pub(crate) output: String,
}

impl SentryCli {
    /// Returns both versions.
    pub(crate) fn all() -> [Self; 2] {
        VARIABLES.map(|variable| match std::env::var(variable) {
            Ok(program) => Self { program },
            Err(_) => panic!("{variable} is not set: run the tests with tests/run"),
        })
    }

    /// Runs a command in `folder` with the token, organization and project of `server`.
    pub(crate) async fn run(&self, server: &Server, folder: &Path, arguments: &[&str]) -> Ran {
        let credentials = &server.credentials;
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SENTRY_URL", &credentials.url)
            .env("SENTRY_AUTH_TOKEN", &credentials.token)
            .env("SENTRY_ORG", &credentials.organization)
            .env("SENTRY_PROJECT", &credentials.project)
            .env("SENTRY_DSN", &credentials.dsn)
            .env("SENTRY_DISABLE_UPDATE_CHECK", "1");
        let ended = command.output().await.expect("sentry-cli starts");
        let output = [ended.stdout, ended.stderr].concat();
        let output = String::from_utf8(output).expect("sentry-cli prints text");
        Ran { code: ended.status.code().unwrap_or(-1), output }
    }
}

impl Ran {
    /// Asserts that it went well and printed `words`.
    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.code == 0 && self.output.contains(words), "not {words:?}: {self:#?}");
        self
    }

    /// Asserts that it failed and printed `words`.
    #[track_caller]
    pub(crate) fn fails(self, words: &str) -> Self {
        assert!(self.code != 0 && self.output.contains(words), "not {words:?}: {self:#?}");
        self
    }

    /// Asserts that it did not print `words`.
    #[track_caller]
    pub(crate) fn does_not_say(self, words: &str) -> Self {
        assert!(!self.output.contains(words), "{words:?}: {self:#?}");
        self
    }
}
