//! The SQLite database as a whole: its threads, and the ways in.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use tokio::sync::{Mutex, oneshot};

use super::checkpoint::Checkpoints;
use super::job::{Job, job};
use super::queue::{Lane, Queue};
use super::reader::Reader;
use super::writer::{Pace, Writer};
use super::{connection, migrate};
use crate::db::engine::body::Body;
use crate::db::engine::foreign::ForeignChanges;
use crate::db::engine::migrations::Migration;
use crate::error::{Context as _, Error, Result};

/// Threads that read, at least and at most; between them, as many as there are processors.
const READERS: std::ops::RangeInclusive<usize> = 2..=4;

/// An open SQLite database.
pub(in crate::db::engine) struct Store {
    writes: Arc<Queue<Box<dyn Job>>>,
    reads: Arc<Queue<Box<dyn Job>>>,
    checkpoints: Arc<Checkpoints>,
    foreign: Arc<ForeignChanges>,
    threads: Mutex<Threads>,
}

/// How to learn that the threads have ended: each drops its sender.
#[derive(Default)]
struct Threads {
    writer: Option<oneshot::Receiver<()>>,
    others: Vec<oneshot::Receiver<()>>,
}

impl Store {
    /// Opens the file, migrates it, and starts the threads.
    pub(in crate::db::engine) fn open(
        path: &Path,
        migrations: &'static [Migration],
        now_ms: i64,
    ) -> Result<Self> {
        let mut connection = connection::open_writer(path)?;
        migrate::migrate(&mut connection, migrations, now_ms)?;
        let mut threads = Threads::default();
        let checkpoints = Arc::new(Checkpoints::default());
        let foreign = Arc::new(ForeignChanges::default());
        let writes = Arc::new(Queue::new());
        let reads = Arc::new(Queue::new());

        let reader_count = thread::available_parallelism()
            .map_or(*READERS.start(), |count| count.get().clamp(*READERS.start(), *READERS.end()));
        for _ in 0..reader_count {
            let reader = Reader::new(connection::open_reader(path)?, Arc::clone(&reads))?;
            threads.others.push(start("db-read", &reads, move || reader.run())?);
        }
        let checkpointer = connection::open_checkpointer(path)?;
        let shared = Arc::clone(&checkpoints);
        threads.others.push(start("db-checkpoint", &writes, move || shared.run(&checkpointer))?);
        let writer = Writer {
            connection,
            queue: Arc::clone(&writes),
            checkpoints: Arc::clone(&checkpoints),
            foreign: Arc::clone(&foreign),
            pace: Pace::new(),
        };
        // What changes from now on is noticed.
        writer.look_for_foreign_changes()?;
        threads.writer = Some(start("db-write", &writes, move || writer.run())?);
        Ok(Self { writes, reads, checkpoints, foreign, threads: Mutex::new(threads) })
    }

    /// Runs `body` in the writer's next transaction and returns after the commit.
    pub(in crate::db::engine) async fn write<T: Send + 'static>(
        &self,
        body: impl Body<T>,
    ) -> Result<T> {
        run(&self.writes, Lane::First, body).await
    }

    /// The same after everybody else, one per transaction.
    pub(in crate::db::engine) async fn write_later<T: Send + 'static>(
        &self,
        body: impl Body<T>,
    ) -> Result<T> {
        run(&self.writes, Lane::Second, body).await
    }

    /// Runs `body` on a reader's snapshot.
    pub(in crate::db::engine) async fn read<T: Send + 'static>(
        &self,
        body: impl Body<T>,
    ) -> Result<T> {
        run(&self.reads, Lane::First, body).await
    }

    /// Returns what knows of other processes' changes.
    pub(in crate::db::engine) fn foreign(&self) -> &ForeignChanges {
        &self.foreign
    }

    /// Finishes what was asked for, then leaves everything in the file and nothing in the log.
    pub(in crate::db::engine) async fn close(&self) {
        let mut threads = self.threads.lock().await;
        self.reads.close();
        self.checkpoints.close();
        for other in threads.others.drain(..) {
            // An error is the news: the thread dropped its sender.
            let _ = other.await;
        }
        // Last, because its final checkpoint wants to be alone.
        self.writes.close();
        if let Some(writer) = threads.writer.take() {
            let _ = writer.await;
        }
    }
}

impl Drop for Store {
    /// Lets the threads end by themselves, without waiting for them.
    fn drop(&mut self) {
        self.reads.close();
        self.checkpoints.close();
        self.writes.close();
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("foreign", &self.foreign).finish_non_exhaustive()
    }
}

async fn run<T: Send + 'static>(
    queue: &Queue<Box<dyn Job>>,
    lane: Lane,
    body: impl Body<T>,
) -> Result<T> {
    let (job, result) = job(body);
    queue.push(lane, job).await?;
    result.await.unwrap_or_else(|_| Err(Error::internal("the thread of the database ended")))
}

/// Starts a thread. If it panics, nobody waits for `queue` any more: everything fails, and visibly.
fn start(
    name: &str,
    queue: &Arc<Queue<Box<dyn Job>>>,
    work: impl FnOnce() + Send + 'static,
) -> Result<oneshot::Receiver<()>> {
    let (ended, receiver) = oneshot::channel();
    let guard = Guard { queue: Arc::clone(queue), _ended: ended };
    let work = move || {
        let _guard = guard;
        work();
    };
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .context(format!("starting the thread {name}"))?;
    Ok(receiver)
}

/// Dropped when a thread ends.
struct Guard {
    queue: Arc<Queue<Box<dyn Job>>>,
    _ended: oneshot::Sender<()>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.queue.abandon();
        }
    }
}
