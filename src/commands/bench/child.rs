//! The measured server: a process of its own, watched through `/proc`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use cli::client::Client;
use tokio::process::{Child, Command};

use super::timeline::Timeline;
use crate::commands::credentials::Credentials;
use crate::commands::opened;
use crate::db::engine::{DatabaseUrl, Db, Options};
use crate::db::storage;
use crate::error::{Context as _, Error, Result};

/// How long the server may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(60);
/// Ticks per second in `/proc/*/stat`; Linux shows 100 on every architecture we run on.
const TICKS_PER_S: u64 = 100;

/// A running server.
pub(super) struct Server {
    child: Child,
    data: PathBuf,
    credentials: Credentials,
    http: reqwest::Client,
    /// Private memory as it was seen.
    pub(super) timeline: Timeline,
}

/// What a stopped server left.
pub(super) struct Left {
    /// Bytes of its SQLite file and log.
    pub(super) bytes: u64,
    /// Bytes by table and index, the largest first.
    pub(super) tables: Vec<(String, i64)>,
}

/// Where the load goes.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) project_id: i64,
    pub(super) public_key: String,
}

impl Server {
    /// Starts a server on an empty folder and waits until it is ready.
    pub(super) async fn start(data: &Path, database: Option<&str>) -> Result<Self> {
        let mut command = Command::new(opened::executable()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data);
        command.env("SYMBOLIST_LOG_FILTER", "warn").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(database) = database {
            command.env("SYMBOLIST_DATABASE_URL", database);
        }
        let mut child = command.spawn().context("starting the measured server")?;
        let started = Instant::now();
        let credentials = loop {
            if data.join("credentials.json").exists()
                && let Some(credentials) = Credentials::read(data)
            {
                break credentials;
            }
            let ended = child.try_wait().context("watching the measured server")?;
            if ended.is_some() || started.elapsed() > PATIENCE {
                return Err(Error::internal(
                    "the measured server did not start, see its log above",
                ));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        // The client is made for its certificates; the token is not used.
        Client::new(&credentials.url, &credentials.token).map_err(Error::caused_by)?;
        let tls = cli::tls::config().map_err(Error::caused_by)?;
        let http = reqwest::Client::builder().tls_backend_preconfigured(tls).build();
        let http = http.map_err(Error::caused_by)?;
        Ok(Self { child, data: data.to_owned(), credentials, http, timeline: Timeline::new() })
    }

    /// Returns how the server is spoken to.
    pub(super) fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns its data folder.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// Returns where the load goes.
    pub(super) fn target(&self) -> Result<Target> {
        let address = self.credentials.url.trim_start_matches("http://");
        let key = self.credentials.dsn.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
        Ok(Target {
            address: address.parse().map_err(Error::caused_by)?,
            project_id: self.credentials.project_id,
            public_key: key.map(|(key, _)| key.to_owned()).unwrap_or_default(),
        })
    }

    /// Returns how many events were digested since the start.
    pub(super) async fn digested(&self) -> Result<u64> {
        let url = format!("{}/metrics", self.credentials.url);
        let text = self.http.get(url).send().await.map_err(Error::caused_by)?;
        let text = text.text().await.map_err(Error::caused_by)?;
        let line =
            text.lines().find_map(|line| line.strip_prefix("symbolist_events_digested_total "));
        line.and_then(|count| count.parse().ok())
            .ok_or_else(|| Error::internal("the metric is missing"))
    }

    /// Returns the processor time of the server, without its children.
    pub(super) fn cpu(&self) -> Result<Duration> {
        cpu_of(&self.proc("stat")?)
    }

    /// Returns the private resident memory of the server, in bytes.
    pub(super) fn memory(&mut self) -> Result<u64> {
        let bytes = memory_of(&self.proc("status")?)?;
        self.timeline.note(bytes);
        Ok(bytes)
    }

    fn proc(&self, file: &str) -> Result<String> {
        let id = self.child.id().ok_or_else(|| Error::internal("the measured server has ended"))?;
        std::fs::read_to_string(format!("/proc/{id}/{file}"))
            .context("watching the measured server")
    }

    /// Stops the server, which leaves nothing in the log, and returns where the bytes of its database are.
    pub(super) async fn stop(mut self, database: Option<&str>) -> Result<Left> {
        if let Some(id) = self.child.id().and_then(|id| i32::try_from(id).ok())
            && let Some(pid) = rustix::process::Pid::from_raw(id)
        {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)
                .map_err(|error| Error::caused_by(std::io::Error::from(error)))?;
        }
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended
            .map_err(|_| Error::internal("the measured server did not stop"))?
            .context("stopping it")?;
        let size =
            |name: &str| std::fs::metadata(self.data.join(name)).map_or(0, |file| file.len());
        let bytes = size("symbolist.db") + size("symbolist.db-wal");
        let url = match database {
            Some(url) => DatabaseUrl::Postgres { url: url.to_owned() },
            None => DatabaseUrl::Sqlite { path: self.data.join("symbolist.db") },
        };
        let db = Db::open(&Options::new(url)).await?;
        let tables = db.read(|tx| Box::pin(storage::by_table(tx))).await?;
        db.close().await;
        Ok(Left { bytes, tables })
    }
}

/// Returns the processor time of this process.
pub(super) fn own_cpu() -> Result<Duration> {
    cpu_of(&std::fs::read_to_string("/proc/self/stat").context("reading own processor time")?)
}

/// Adds user and system time: fields 14 and 15 of `stat`, counted behind the name in parentheses.
fn cpu_of(stat: &str) -> Result<Duration> {
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).filter_map(|f| f.parse::<u64>().ok()).sum();
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_S))
}

fn memory_of(status: &str) -> Result<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line
        .and_then(|line| line.trim().strip_suffix(" kB"))
        .and_then(|kib| kib.trim().parse::<u64>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| Error::internal("`status` has no RssAnon"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        let stat = "1 (a b) c) S 1 1 1 0 -1 4 0 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
        assert_eq!(cpu_of(stat).unwrap(), Duration::from_secs(3));
        assert_eq!(memory_of("VmRSS:\t 9 kB\nRssAnon:\t    2048 kB\n").unwrap(), 2 << 20);
    }
}
