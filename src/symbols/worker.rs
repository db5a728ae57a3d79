//! The child process that opens one untrusted file: started, bounded and judged here.
//!
//! Debug files, source maps and archives come from anywhere, and the parsers are many. So each is read in
//! a child of the same executable (`symbolist worker …`, in `commands/worker.rs`), within bounds of time
//! and memory: a parser that crashes, loops or eats memory costs that file, not the server. The child gets
//! its inputs as inherited read-only descriptors named on its command line, an empty environment, and a
//! file without a name for its output; it reports in one JSON line on stderr.

mod verdict;

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use protocol::id::DebugId;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt as _, copy, sink};
use tokio::process::{Child, ChildStderr, Command};
use tokio::sync::Semaphore;

use super::memory_limit::memory_bytes;
use crate::blobs::Scratch;
use crate::blocking;
use crate::config;
use crate::error::{Context as _, Error, Result};

/// Exit code of a worker that could read the file and says why it cannot be used.
pub(crate) const EXIT_UNUSABLE: u8 = 3;
/// Exit code of a worker that failed for a reason that is not the file's.
pub(crate) const EXIT_FAILED: u8 = 4;

/// Exit code of a worker whose memory was not enough, where the parser noticed it itself.
pub(crate) const EXIT_MEMORY: u8 = 5;

/// Longest report, in bytes; the rest is thrown away.
const REPORT_BYTES_MAX: u64 = 64 << 10;

/// Least memory a worker gets, in bytes: below it not even a healthy small file could be read.
const MEMORY_BYTES_MIN: u64 = 128 << 20;

/// Largest output, in bytes; offsets in derived files have 32 bits.
const OUTPUT_BYTES_MAX: u64 = 4 << 30;

/// Held while descriptors are inheritable, so that a child inherits its own inputs only.
static SPAWNING: Mutex<()> = Mutex::new(());

/// What a worker may use.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Workers at the same time.
    pub(crate) at_once: usize,
    /// Private memory of one, in bytes (`RLIMIT_DATA`: mapped inputs do not count).
    pub(crate) memory_bytes: u64,
    /// Processor time of one, in seconds.
    pub(crate) cpu_s: u64,
    /// Time of one, from start to end.
    pub(crate) wall: Duration,
    /// Output of one, in bytes.
    pub(crate) output_bytes: u64,
}

impl Limits {
    /// Returns the configured limits; memory is half of the machine's for all workers together, if not set.
    pub(crate) fn of_config(config: &config::workers::Workers) -> Self {
        let share = || (memory_bytes() / 2 / u64::from(config.count.max(1))).max(MEMORY_BYTES_MIN);
        Self {
            at_once: config.count as usize,
            memory_bytes: config.memory.map_or_else(share, |memory| memory.0),
            cpu_s: config.timeout.as_secs().max(1),
            wall: config.timeout,
            output_bytes: OUTPUT_BYTES_MAX,
        }
    }
}

/// What a worker is asked to do with its inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    /// One debug file → `symbolicate::identify::Identified` as JSON. The name is for messages.
    Identify {
        /// Name of the file, as its uploader calls it.
        name: String,
    },
    /// One artifact bundle → `symbolicate::bundle::ArtifactListing` as JSON.
    ListBundle,
    /// One native debug file → look-up file.
    DeriveNative,
    /// One source bundle → derived source file.
    DeriveSources,
    /// One or two artifact bundles → look-up file of the JavaScript file with that id.
    DeriveJs {
        /// Which file.
        debug_id: DebugId,
    },
}

impl Operation {
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Identify { name } => vec!["identify".to_owned(), format!("--name={name}")],
            Self::ListBundle => vec!["list-bundle".to_owned()],
            Self::DeriveNative => vec!["derive-native".to_owned()],
            Self::DeriveSources => vec!["derive-sources".to_owned()],
            Self::DeriveJs { debug_id } => {
                vec!["derive-js".to_owned(), format!("--debug-id={debug_id}")]
            }
        }
    }
}

/// What a worker says at its end, besides its output.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Why there is no output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Gaps in a usable file that a person should know about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
}

/// How a worker ended.
#[derive(Debug)]
pub(crate) enum WorkerOutcome {
    /// It did what it should.
    Output(Scratch, Report),
    /// The file cannot be used, and why.
    Unusable(String),
    /// The file needs more than a worker may use on this machine, and of what.
    TooLargeHere(String),
    /// The parser failed on this file; the file may be fine, our parser is not.
    Crashed(String),
}

/// Starts workers, a bounded number at a time. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Workers(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    executable: PathBuf,
    tmp: PathBuf,
    limits: Limits,
    permits: Semaphore,
}

impl Workers {
    /// Returns workers that are children of `executable` and write into nameless files in `tmp`.
    pub(crate) fn new(executable: PathBuf, tmp: PathBuf, limits: Limits) -> Self {
        let permits = Semaphore::new(limits.at_once.max(1));
        Self(Arc::new(Inner { executable, tmp, limits, permits }))
    }

    /// Runs one worker over `inputs`, after waiting for its turn. The worker is killed when the caller goes away.
    ///
    /// # Errors
    /// Only for what is not the file's fault: no worker can be started, or it says so itself.
    pub(crate) async fn run(
        &self,
        operation: Operation,
        inputs: Vec<File>,
    ) -> Result<WorkerOutcome> {
        let _permit = self.0.permits.acquire().await.map_err(Error::caused_by)?;
        let inner = Arc::clone(&self.0);
        let arguments = operation.arguments();
        let (child, output) = blocking::run(move || inner.spawn(arguments, &inputs)).await?;
        let wall = self.0.limits.wall;
        match tokio::time::timeout(wall, finish(child)).await {
            // The child is killed by being dropped.
            Err(_) => Ok(WorkerOutcome::TooLargeHere(format!(
                "it was not read within {} seconds",
                wall.as_secs()
            ))),
            Ok(ended) => {
                let (status, said) = ended.context("waiting for a worker")?;
                verdict::judge(status, &said, &self.0.limits, output)
            }
        }
    }
}

impl Inner {
    fn spawn(&self, arguments: Vec<String>, inputs: &[File]) -> Result<(Child, Scratch)> {
        let output = Scratch::create(&self.tmp).context("making a file for a worker's output")?;
        let mut command = Command::new(&self.executable);
        command
            .arg("worker")
            .args(arguments)
            .arg(format!("--memory-bytes={}", self.limits.memory_bytes))
            .arg(format!("--cpu-seconds={}", self.limits.cpu_s))
            .arg(format!("--output-bytes={}", self.limits.output_bytes))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(output.file().try_clone()?)
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let _spawning = SPAWNING.lock().unwrap_or_else(PoisonError::into_inner);
        // Copies without close-on-exec, for as long as it takes to start the child.
        let inherited: Vec<OwnedFd> = inputs
            .iter()
            .map(rustix::io::dup)
            .collect::<Result<_, _>>()
            .map_err(Error::caused_by)?;
        command.args(inherited.iter().map(|input| format!("--input={}", input.as_raw_fd())));
        let child = command.spawn();
        let child = child.context(format!("starting a worker ({})", self.executable.display()))?;
        Ok((child, output))
    }
}

/// Waits for the end of `child` and returns what it said, cut off at the limit.
async fn finish(mut child: Child) -> std::io::Result<(ExitStatus, Vec<u8>)> {
    let stderr = child.stderr.take();
    let (said, status) = tokio::join!(listen(stderr), child.wait());
    Ok((status?, said?))
}

async fn listen(stderr: Option<ChildStderr>) -> std::io::Result<Vec<u8>> {
    let mut said = Vec::new();
    if let Some(mut stderr) = stderr {
        (&mut stderr).take(REPORT_BYTES_MAX).read_to_end(&mut said).await?;
        // Read to the end, so that a worker that says too much is not stopped by it.
        copy(&mut stderr, &mut sink()).await?;
    }
    Ok(said)
}

#[cfg(test)]
mod tests;
