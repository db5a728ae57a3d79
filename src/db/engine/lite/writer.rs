//! The thread that writes: many callers' work in one transaction, one fsync for all (group commit).
//!
//! Each job runs in its own savepoint, so a failure undoes only itself. Answers are given after the
//! commit, so an answer means the bytes survive power loss.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::checkpoint::Checkpoints;
use super::connection::BUSY_TIMEOUT;
use super::job::Job;
use super::queue::{Arrival, Gather, Queue};
use crate::db::engine::failure;
use crate::db::engine::foreign::ForeignChanges;
use crate::error::{Context as _, Error, Result};

/// Jobs in one transaction at most, besides one slice of the digest.
const BATCH_MAX: usize = 256;
/// Part of the last commit's time that is spent gathering. Measured: 20 % is no better.
const GATHER_PART: u32 = 10;
/// Longest time spent gathering.
const GATHER_MAX: Duration = Duration::from_millis(2);
/// How often another process's changes are looked for while there is nothing to write.
const IDLE: Duration = Duration::from_millis(250);
/// How often the log is truncated: deleted data must not live on in it.
const TRUNCATE_EVERY: Duration = Duration::from_secs(60);

/// The same while the writer is never idle, when truncating makes somebody wait.
const TRUNCATE_UNDER_LOAD_EVERY: Duration = Duration::from_secs(600);

/// What the writer works with.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) queue: Arc<Queue<Box<dyn Job>>>,
    pub(super) checkpoints: Arc<Checkpoints>,
    pub(super) foreign: Arc<ForeignChanges>,
    pub(super) pace: Pace,
}

/// What the last commits say about how long to gather.
#[derive(Debug)]
pub(super) struct Pace {
    last_counts: [usize; 2],
    last_commit: Duration,
    truncated_at: Instant,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { last_counts: [1, 1], last_commit: Duration::ZERO, truncated_at: Instant::now() }
    }

    /// Without gathering, half of the callers wait out the other half's commit.
    fn gather(&self) -> Gather {
        let wanted_count = self.last_counts.iter().sum::<usize>().min(BATCH_MAX);
        let is_alone = self.last_counts.iter().all(|count| *count <= 1);
        let patience = if is_alone {
            Duration::ZERO
        } else {
            (self.last_commit / GATHER_PART).min(GATHER_MAX)
        };
        Gather { wanted_count, patience, first_max: BATCH_MAX }
    }

    fn note(&mut self, job_count: usize, commit: Duration) {
        self.last_counts = [self.last_counts[1], job_count];
        self.last_commit = commit;
    }
}

impl Writer {
    /// Works until the queue is closed and empty, then leaves everything in the database file.
    pub(super) fn run(mut self) {
        loop {
            match self.queue.batch(IDLE, self.pace.gather()) {
                Arrival::Work(jobs) => {
                    self.write(jobs);
                    self.truncate_log_after(TRUNCATE_UNDER_LOAD_EVERY);
                }
                Arrival::Idle => self.rest(),
                Arrival::Closed => break,
            }
        }
        self.truncate_log();
        if let Err((_, error)) = self.connection.close() {
            tracing::warn!("could not close the database: {error}");
        }
    }

    /// Runs a batch in one transaction and answers everybody.
    fn write(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        let outcome = self.transact(&mut jobs);
        if let Err(error) = &outcome {
            tracing::error!(
                jobs = jobs.len(),
                "a group commit failed, nothing of it was kept: {error}"
            );
            self.roll_back();
        }
        for job in jobs {
            job.answer(outcome.as_ref().err());
        }
    }

    fn transact(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<()> {
        self.batch("BEGIN IMMEDIATE").context("beginning a transaction")?;
        self.look_for_foreign_changes()?;
        for job in &mut *jobs {
            self.batch("SAVEPOINT job").context("setting a savepoint")?;
            let done = job.run(&mut self.connection);
            self.check_standing(&done)?;
            if done.is_err() {
                self.batch("ROLLBACK TO job").context("undoing a job")?;
            }
            self.batch("RELEASE job").context("releasing a savepoint")?;
        }
        let start = Instant::now();
        self.batch("COMMIT").context("committing")?;
        self.pace.note(jobs.len(), start.elapsed());
        self.checkpoints.note_commit();
        Ok(())
    }

    /// A full disk, an I/O error or lack of memory may undo the whole transaction, neighbours included.
    fn check_standing(&self, done: &Result<()>) -> Result<()> {
        if !self.connection.is_autocommit() {
            return Ok(());
        }
        Err(match done {
            Err(error) => error.clone().with_context("the whole transaction was undone"),
            Ok(()) => Error::internal("the whole transaction was undone by a statement inside it"),
        })
    }

    fn roll_back(&self) {
        // After an error SQLite may have rolled back already.
        if !self.connection.is_autocommit()
            && let Err(error) = self.batch("ROLLBACK")
        {
            tracing::error!("could not roll back: {error}");
        }
    }

    /// What is done while nobody writes.
    fn rest(&mut self) {
        if let Err(error) = self.look_for_foreign_changes() {
            tracing::warn!("could not look for changes by other processes: {error}");
        }
        self.truncate_log_after(TRUNCATE_EVERY);
    }

    fn truncate_log_after(&mut self, pause: Duration) {
        if self.pace.truncated_at.elapsed() >= pause && self.checkpoints.take_untruncated() {
            self.truncate_log();
        }
    }

    /// On this connection, so that our own commits do not move it (on a reader's they would).
    pub(super) fn look_for_foreign_changes(&self) -> Result<()> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(failure::lite)
            .context("asking for changes by other processes")?;
        self.foreign.observe(version);
        Ok(())
    }

    /// From this connection, because from another one it would look like a foreign change.
    /// Does not wait for readers: while one has an old snapshot, the log stays for another turn.
    fn truncate_log(&mut self) {
        self.pace.truncated_at = Instant::now();
        let truncate = || -> rusqlite::Result<bool> {
            self.connection.busy_timeout(Duration::ZERO)?;
            let is_busy =
                self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            self.connection.busy_timeout(BUSY_TIMEOUT)?;
            is_busy
        };
        match truncate() {
            Ok(false) => {}
            Ok(true) => self.checkpoints.note_untruncated(),
            Err(error) => tracing::warn!("could not truncate the write-ahead log: {error}"),
        }
    }

    fn batch(&self, sql: &str) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failure::lite)?;
        // A pragma answers with a row, which does not matter here.
        statement.query([]).and_then(|mut rows| rows.next().map(drop)).map_err(failure::lite)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection;
    use super::*;

    fn pace(last_counts: [usize; 2], commit_ms: u64) -> Gather {
        let last_commit = Duration::from_millis(commit_ms);
        Pace { last_counts, last_commit, truncated_at: Instant::now() }.gather()
    }

    fn idle_writer(path: &std::path::Path) -> Writer {
        Writer {
            connection: connection::open_writer(path).unwrap(),
            queue: Arc::new(Queue::new()),
            checkpoints: Arc::new(Checkpoints::default()),
            foreign: Arc::new(ForeignChanges::default()),
            pace: Pace::new(),
        }
    }

    #[test]
    fn a_single_caller_does_not_wait() {
        assert_eq!(Pace::new().gather().patience, Duration::ZERO);
        assert_eq!(pace([1, 1], 5).patience, Duration::ZERO);
    }

    #[test]
    fn many_callers_wait_a_tenth_of_a_commit_for_as_many_as_before() {
        let gather = pace([8, 9], 5);
        assert_eq!((gather.wanted_count, gather.patience), (17, Duration::from_micros(500)));
    }

    #[test]
    fn waiting_is_bounded() {
        let gather = pace([200, 200], 500);
        assert_eq!((gather.wanted_count, gather.patience), (256, Duration::from_millis(2)));
    }

    #[test]
    fn a_truncated_log_is_empty_and_no_foreign_change() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symbolist.db");
        let mut writer = idle_writer(&path);
        let log_bytes = || std::fs::metadata(path.with_extension("db-wal")).unwrap().len();
        for _ in 0..2 {
            writer
                .connection
                .execute_batch("CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1)")
                .unwrap();
            writer.look_for_foreign_changes().unwrap();
            assert!(log_bytes() > 0);
            writer.truncate_log();
            assert_eq!(log_bytes(), 0);
        }
        writer.look_for_foreign_changes().unwrap();
        assert_eq!(writer.foreign.count(), 0);
        assert!(!writer.checkpoints.take_untruncated());
    }

    #[test]
    fn a_log_that_is_read_is_truncated_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symbolist.db");
        let mut writer = idle_writer(&path);
        writer.connection.execute_batch("CREATE TABLE t (a)").unwrap();
        let reader = connection::open_reader(&path).unwrap();
        reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        writer.connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
        let start = Instant::now();
        writer.truncate_log();
        assert!(start.elapsed() < BUSY_TIMEOUT, "it does not wait for the reader");
        assert!(writer.checkpoints.take_untruncated());
    }
}
