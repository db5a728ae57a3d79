//! The threads that read, each with a connection of its own and a snapshot per job.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::job::Job;
use super::queue::{Arrival, Queue};
use crate::db::engine::failure;
use crate::error::{Context as _, Result};

/// How long one job may read. A long snapshot keeps the log from being reset.
const READ_MAX: Duration = Duration::from_secs(5);
/// Instructions of SQLite's machine between two looks at the clock (some 0.1 ms).
const INSTRUCTIONS_PER_LOOK: i32 = 10_000;

/// One thread that reads.
pub(super) struct Reader {
    connection: Connection,
    queue: Arc<Queue<Box<dyn Job>>>,
    start: Instant,
    /// When the current job must be done, in milliseconds since `start`.
    deadline_ms: Arc<AtomicU64>,
    read_max: Duration,
}

impl Reader {
    /// Takes a connection and limits what it does to `read_max` per job.
    pub(super) fn new(connection: Connection, queue: Arc<Queue<Box<dyn Job>>>) -> Result<Self> {
        let start = Instant::now();
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let deadline = Arc::clone(&deadline_ms);
        let mut connection = connection;
        connection
            .progress_handler(
                INSTRUCTIONS_PER_LOOK,
                Some(move || elapsed_ms(start) > deadline.load(Ordering::Relaxed)),
            )
            .map_err(failure::lite)?;
        Ok(Self { connection, queue, start, deadline_ms, read_max: READ_MAX })
    }

    /// Works until the queue is closed and empty.
    pub(super) fn run(mut self) {
        while let Arrival::Work(mut job) = self.queue.next() {
            let outcome = self.read(job.as_mut());
            job.answer(outcome.err().as_ref());
        }
    }

    /// Runs a job on one snapshot; an error of its own is not ours to tell.
    fn read(&mut self, job: &mut dyn Job) -> Result<()> {
        let deadline = elapsed_ms(self.start) + self.read_max.as_millis() as u64;
        self.deadline_ms.store(deadline, Ordering::Relaxed);
        let begun = self.batch("BEGIN").context("beginning to read");
        if begun.is_ok() {
            // Its error, if any, is in its answer.
            let _ = job.run(&mut self.connection);
        }
        self.deadline_ms.store(u64::MAX, Ordering::Relaxed);
        if !self.connection.is_autocommit() {
            self.batch("ROLLBACK").context("ending a read")?;
        }
        begun
    }

    fn batch(&self, sql: &str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failure::lite)?;
        statement.execute([]).map(drop).map_err(failure::lite)
    }
}

fn elapsed_ms(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}
