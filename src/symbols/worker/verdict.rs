//! What the end of a worker says about its file.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use super::{EXIT_FAILED, EXIT_MEMORY, EXIT_UNUSABLE, Limits, Report, WorkerOutcome};
use crate::blobs::Scratch;
use crate::error::{Error, Result};

/// Exit code of a Rust program that panicked.
const EXIT_PANIC: i32 = 101;

/// Longest text that is kept of what a crashed worker said, in characters.
const SAID_CHARS_MAX: usize = 500;

// Signals, as numbered on every Linux we run on (signal(7): x86-64 and arm64).
const SIGABRT: i32 = 6;
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;

/// Judges a worker by its exit status and by what it wrote to stderr.
pub(super) fn judge(
    status: ExitStatus,
    said: &[u8],
    limits: &Limits,
    output: Scratch,
) -> Result<WorkerOutcome> {
    if let Some(signal) = status.signal() {
        return Ok(judge_signal(signal, said, limits));
    }
    Ok(match status.code().unwrap_or_default() {
        0 => WorkerOutcome::Output(output, report(said)),
        code if code == i32::from(EXIT_UNUSABLE) => {
            WorkerOutcome::Unusable(report(said).reason.unwrap_or_else(|| text(said)))
        }
        code if code == i32::from(EXIT_MEMORY) => too_much_memory(limits),
        code if code == i32::from(EXIT_FAILED) => {
            return Err(Error::internal(report(said).reason.unwrap_or_else(|| text(said)))
                .with_context("a worker failed"));
        }
        EXIT_PANIC => WorkerOutcome::Crashed(format!("the parser panicked: {}", text(said))),
        code => {
            WorkerOutcome::Crashed(format!("the parser ended with code {code}: {}", text(said)))
        }
    })
}

fn judge_signal(signal: i32, said: &[u8], limits: &Limits) -> WorkerOutcome {
    match signal {
        // `std::alloc::handle_alloc_error` says "memory allocation of N bytes failed" and aborts; the
        // other abort is an overflowing stack.
        SIGABRT if contains(said, b"memory allocation") => too_much_memory(limits),
        SIGABRT => WorkerOutcome::Crashed(format!("the parser aborted: {}", text(said))),
        SIGKILL | SIGXCPU => WorkerOutcome::TooLargeHere(format!(
            "reading it takes more than the {} seconds of processor time that one file may have",
            limits.cpu_s
        )),
        SIGXFSZ => WorkerOutcome::TooLargeHere(format!(
            "what is made of it is larger than {} MB",
            limits.output_bytes >> 20
        )),
        signal => WorkerOutcome::Crashed(format!("the parser was ended by signal {signal}")),
    }
}

fn too_much_memory(limits: &Limits) -> WorkerOutcome {
    WorkerOutcome::TooLargeHere(format!(
        "reading it takes more than the {} MB of memory that one file may have on this machine",
        limits.memory_bytes >> 20
    ))
}

/// Returns the last line that is a report; other lines come from panics that were caught.
fn report(said: &[u8]) -> Report {
    said.rsplit(|byte| *byte == b'\n')
        .find_map(|line| serde_json::from_slice(line).ok())
        .unwrap_or_default()
}

fn contains(said: &[u8], words: &[u8]) -> bool {
    said.windows(words.len()).any(|window| window == words)
}

fn text(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    let text: String = text.trim().chars().take(SAID_CHARS_MAX).collect();
    if text.is_empty() { "it said nothing".to_owned() } else { text }
}
