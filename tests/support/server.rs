//! A server of its own for a test.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;

use reqwest::{Method, Response, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::command::PROGRAM;
use super::database::{Database, own_postgres};
use super::wait::until;

/// How a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Its database.
    pub(crate) database: Database,
    /// Variables of its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags after `serve`.
    pub(crate) flags: Vec<String>,
    /// The data folder, where it is not one of the test's own.
    pub(crate) data: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { database: Database::Sqlite, environment: Vec::new(), flags: Vec::new(), data: None }
    }
}

impl Options {
    /// Returns the options of a server on `database`.
    pub(crate) fn on(database: Database) -> Self {
        Self { database, ..Self::default() }
    }

    /// Adds a variable.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// What `credentials.json` says.
#[derive(Debug, Clone, serde::Deserialize)]
pub(crate) struct Credentials {
    pub(crate) url: String,
    pub(crate) organization: String,
    pub(crate) project: String,
    pub(crate) project_id: u64,
    pub(crate) dsn: String,
    pub(crate) token: String,
    pub(crate) email: String,
    pub(crate) password: String,
}

/// A running server. It is killed at the end; what it logged is shown if the test failed.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    folder: TempDir,
    options: Options,
    /// How to reach it.
    pub(crate) credentials: Credentials,
    client: reqwest::Client,
    may_fail: bool,
}

impl Server {
    /// Starts a server on SQLite.
    pub(crate) async fn start() -> Self {
        Self::start_with(Options::default()).await
    }

    /// Starts a server on either database.
    pub(crate) async fn start_on(database: Database) -> Self {
        Self::start_with(Options::on(database)).await
    }

    /// Starts a server and waits until it is ready.
    pub(crate) async fn start_with(mut options: Options) -> Self {
        let has_url = options.environment.iter().any(|(name, _)| name == "SYMBOLIST_DATABASE_URL");
        if options.database == Database::Postgres && !has_url {
            options = options.with("SYMBOLIST_DATABASE_URL", &own_postgres().await);
        }
        let folder = tempfile::tempdir().expect("a folder for the test");
        let child = spawn(folder.path(), &options);
        let client = client();
        let mut child = child;
        let credentials = wait_ready(&mut child, folder.path(), &options, &client).await;
        Self { child, folder, options, credentials, client, may_fail: false }
    }

    /// Returns the data folder.
    pub(crate) fn data(&self) -> PathBuf {
        data_in(self.folder.path(), &self.options)
    }

    /// Returns the variables the server was started with, for commands beside it.
    pub(crate) fn environment(&self) -> Vec<(&str, &str)> {
        self.options
            .environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect()
    }

    /// Runs a command beside the server.
    pub(crate) fn command(&self, arguments: &[&str]) -> super::command::Ran {
        super::command::run_with(&self.data(), arguments, &self.environment(), "")
    }

    /// Returns an address on the server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.credentials.url)
    }

    /// Asks with the first token.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// Sends JSON with the first token.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sends JSON with the first token.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request =
            self.client.request(method, self.url(path)).bearer_auth(&self.credentials.token);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Answer::of(request.send().await.expect("the server answers")).await
    }

    /// Asks with a token, or none.
    pub(crate) async fn get_as(&self, token: Option<&str>, path: &str) -> Answer {
        let request = self.client.get(self.url(path));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        Answer::of(request.send().await.expect("the server answers")).await
    }

    /// Returns a client for requests of another shape.
    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Returns the public key of the first project.
    pub(crate) fn public_key(&self) -> &str {
        self.credentials.dsn.split(['/', '@']).nth(2).expect("the DSN has a key")
    }

    /// Returns where browsers send the first project's envelopes, with the key.
    pub(crate) fn envelope_path(&self) -> String {
        let (project, key) = (self.credentials.project_id, self.public_key());
        format!("/api/{project}/envelope/?sentry_key={key}&sentry_version=7")
    }

    /// Sends an envelope to the first project and returns the answer.
    pub(crate) async fn send_envelope(&self, envelope: impl Into<reqwest::Body>) -> Answer {
        let request = self.client.post(self.url(&self.envelope_path())).body(envelope);
        Answer::of(request.send().await.expect("the server answers")).await
    }

    /// Waits until an event is digested and returns what the API says of it.
    pub(crate) async fn wait_digested(&self, event_id: &str) -> Value {
        let Credentials { organization, project, .. } = &self.credentials;
        let path = format!("/api/0/projects/{organization}/{project}/events/{event_id}/");
        until(&format!("event {event_id}"), async || {
            let answer = self.get(&path).await;
            (answer.status == StatusCode::OK).then(|| answer.json())
        })
        .await
    }

    /// Returns the private memory of the server's process, in bytes.
    pub(crate) fn memory(&self) -> u64 {
        let id = self.child.id().expect("the server runs");
        let status =
            std::fs::read_to_string(format!("/proc/{id}/status")).expect("it can be watched");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("Linux tells the memory of a process") << 10
    }

    /// Returns the value of a metric, without labels or with them as they are printed.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().expect("metrics are numbers"))
    }

    /// Ends the server as a power loss would.
    pub(crate) async fn kill9(&mut self) {
        self.child.kill().await.expect("the server can be killed");
    }

    /// As [`Self::kill9`], without waiting for its end.
    pub(crate) fn kill_now(&self) {
        self.signal(Signal::KILL);
    }

    /// Asks the server to end.
    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn signal(&self, signal: Signal) {
        let pid = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(pid.expect("the server runs"), signal).expect("the server can be signalled");
    }

    /// Waits until the server has ended and returns its exit code.
    pub(crate) async fn ended(&mut self) -> i32 {
        self.child.wait().await.expect("the server ends").code().unwrap_or(-1)
    }

    /// Starts the server again, with the same data, on another port.
    pub(crate) async fn restart(&mut self) {
        let _ = self.child.kill().await;
        self.child = spawn(self.folder.path(), &self.options);
        let folder = self.folder.path();
        self.credentials = wait_ready(&mut self.child, folder, &self.options, &self.client).await;
    }

    /// Returns everything the server logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(log_in(self.folder.path())).unwrap_or_default()
    }

    /// Allows errors in the log; without this they fail the test.
    pub(crate) fn may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let log = self.log();
        if std::thread::panicking() {
            eprintln!("--- the server's log:\n{log}---");
        } else if !self.may_fail {
            let error =
                log.lines().find(|line| line.contains(" ERROR ") || line.contains("panicked"));
            assert_eq!(error, None, "the server logged an error");
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, body: response.text().await.expect("the answer ends") }
    }

    /// Returns the JSON of the body.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{} {} is not JSON", self.status, self.body))
    }

    /// Asserts the status and returns the answer.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

fn data_in(folder: &Path, options: &Options) -> PathBuf {
    options.data.clone().unwrap_or_else(|| folder.join("data"))
}

fn log_in(folder: &Path) -> PathBuf {
    folder.join("log")
}

fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    reqwest::Client::new()
}

fn spawn(folder: &Path, options: &Options) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(log_in(folder))
        .expect("the log can be written");
    let mut command = Command::new(PROGRAM);
    command.args(["serve", "--listen", "127.0.0.1:0"]).args(&options.flags);
    command
        .env("SYMBOLIST_DATA", data_in(folder, options))
        .envs(options.environment.iter().cloned());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
    command.spawn().expect("the program starts")
}

/// Waits until the credentials name an address that answers as ready.
async fn wait_ready(
    child: &mut Child,
    folder: &Path,
    options: &Options,
    client: &reqwest::Client,
) -> Credentials {
    until("the server to be ready", async || {
        if let Some(status) = child.try_wait().expect("the server can be asked") {
            let log = std::fs::read_to_string(log_in(folder)).unwrap_or_default();
            panic!("the server ended at once ({status}):\n{log}");
        }
        let text = std::fs::read(data_in(folder, options).join("credentials.json")).ok()?;
        let credentials: Credentials = serde_json::from_slice(&text).ok()?;
        let answer = client.get(format!("{}/readyz", credentials.url)).send().await.ok()?;
        answer.status().is_success().then_some(credentials)
    })
    .await
}
