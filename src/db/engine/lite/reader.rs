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
    /// Takes a connection and limits what it does to 5 s per job.
    pub(super) fn new(mut connection: Connection, queue: Arc<Queue<Box<dyn Job>>>) -> Result<Self> {
        let start = Instant::now();
        let deadline_ms = Arc::new(AtomicU64::new(u64::MAX));
        let deadline = Arc::clone(&deadline_ms);
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

#[cfg(test)]
mod tests {
    use super::super::connection;
    use super::super::job::job;
    use super::*;
    use crate::db::engine::body::Body;

    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    fn ask(sql: &'static str) -> impl Body<i64> {
        as_body(move |tx| Box::pin(async move { tx.one(sql, &[]).await }))
    }

    fn as_body<T, B: Body<T>>(body: B) -> B {
        body
    }

    #[test]
    fn a_read_that_takes_too_long_is_ended_and_the_next_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("symbolist.db");
        drop(connection::open_writer(&path).unwrap());
        let mut reader =
            Reader::new(connection::open_reader(&path).unwrap(), Arc::new(Queue::new())).unwrap();
        assert_eq!(reader.read_max, Duration::from_secs(5));
        reader.read_max = Duration::from_millis(20);
        for (sql, expected) in [(ENDLESS, None), ("SELECT 1", Some(1))] {
            let (mut job, mut answer) = job(ask(sql));
            let outcome = reader.read(job.as_mut());
            job.answer(outcome.err().as_ref());
            match (answer.try_recv().unwrap(), expected) {
                (Err(error), None) => {
                    assert!(error.to_string().contains("took longer than allowed"), "{error}");
                }
                (answer, expected) => assert_eq!(answer.ok(), expected),
            }
        }
    }
}
