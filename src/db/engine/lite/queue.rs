//! Hands work from async callers to threads: bounded, and the callers wait without blocking.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{Error, Result};

/// Entries that wait at most; further callers wait for a place.
const ENTRIES_MAX: usize = 4096;

/// A queue with two lanes. Entries of the first always come before those of the second.
pub(super) struct Queue<E> {
    state: Mutex<State<E>>,
    arrived: Condvar,
    places: Arc<Semaphore>,
}

struct State<E> {
    first: VecDeque<Placed<E>>,
    second: VecDeque<Placed<E>>,
    /// How many entries the waiting thread wants to see before it is woken.
    wanted_count: usize,
    is_closed: bool,
}

/// An entry and the place it takes until a thread has it.
struct Placed<E> {
    entry: E,
    _place: OwnedSemaphorePermit,
}

/// Which lane of a [`Queue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    First,
    Second,
}

/// What a thread got from waiting.
pub(super) enum Arrival<T> {
    Work(T),
    /// Nothing came in time.
    Idle,
    /// Nothing is left and nothing will come.
    Closed,
}

/// How a batch is gathered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gather {
    /// Entries to wait for, once there is one.
    pub(super) wanted_count: usize,
    /// How long to wait for them.
    pub(super) patience: Duration,
    /// Entries of the first lane taken at most; of the second it is one.
    pub(super) first_max: usize,
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        let state = State {
            first: VecDeque::new(),
            second: VecDeque::new(),
            wanted_count: 1,
            is_closed: false,
        };
        Self {
            state: Mutex::new(state),
            arrived: Condvar::new(),
            places: Arc::new(Semaphore::new(ENTRIES_MAX)),
        }
    }

    /// Adds an entry, and waits for a place while there are 4,096.
    ///
    /// # Errors
    /// When the queue is closed.
    pub(super) async fn push(&self, lane: Lane, entry: E) -> Result<()> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let mut state = self.lock();
        if state.is_closed {
            return Err(closed());
        }
        let placed = Placed { entry, _place: place };
        match lane {
            Lane::First => state.first.push_back(placed),
            Lane::Second => state.second.push_back(placed),
        }
        if state.len() >= state.wanted_count {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Waits for one entry.
    pub(super) fn next(&self) -> Arrival<E> {
        let mut state = self.lock();
        loop {
            if let Some(placed) = state.first.pop_front().or_else(|| state.second.pop_front()) {
                return Arrival::Work(placed.entry);
            }
            if state.is_closed {
                return Arrival::Closed;
            }
            state = self.arrived.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits up to `idle` for an entry, then as `gather` says for more, and takes them.
    pub(super) fn batch(&self, idle: Duration, gather: Gather) -> Arrival<Vec<E>> {
        let mut state = self.wait_for(self.lock(), 1, idle);
        if state.len() == 0 {
            return if state.is_closed { Arrival::Closed } else { Arrival::Idle };
        }
        if !gather.patience.is_zero() {
            state = self.wait_for(state, gather.wanted_count, gather.patience);
        }
        let first_count = state.first.len().min(gather.first_max);
        let mut batch: Vec<E> =
            state.first.drain(..first_count).map(|placed| placed.entry).collect();
        batch.extend(state.second.pop_front().map(|placed| placed.entry));
        Arrival::Work(batch)
    }

    /// Refuses further entries. Those that wait are still handed out.
    pub(super) fn close(&self) {
        self.places.close();
        self.lock().is_closed = true;
        self.arrived.notify_all();
    }

    /// Refuses further entries and drops those that wait, so that nobody waits for a thread that is gone.
    pub(super) fn abandon(&self) {
        self.close();
        let mut state = self.lock();
        state.first.clear();
        state.second.clear();
    }

    fn wait_for<'s>(
        &'s self,
        mut state: MutexGuard<'s, State<E>>,
        wanted_count: usize,
        patience: Duration,
    ) -> MutexGuard<'s, State<E>> {
        let deadline = Instant::now() + patience;
        state.wanted_count = wanted_count;
        while state.len() < wanted_count && !state.is_closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            state =
                self.arrived.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.wanted_count = 1;
        state
    }

    fn lock(&self) -> MutexGuard<'_, State<E>> {
        // Nothing panics while it is held, so the state is whole even if the lock says otherwise.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> State<E> {
    /// How many entries the next batch could take: of the second lane it is one.
    fn len(&self) -> usize {
        self.first.len() + self.second.len().min(1)
    }
}

fn closed() -> Error {
    Error::Unavailable { message: "the server is stopping".to_owned(), retry_after_s: 5 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const NOW: Gather = Gather { wanted_count: 1, patience: Duration::ZERO, first_max: 3 };
    const LONG: Duration = Duration::from_secs(20);

    fn push(queue: &Queue<u32>, lane: Lane, entries: impl IntoIterator<Item = u32>) {
        for entry in entries {
            queue.push(lane, entry).now_or_never().expect("there is a place").unwrap();
        }
    }

    fn batch(queue: &Queue<u32>, gather: Gather) -> Vec<u32> {
        match queue.batch(Duration::ZERO, gather) {
            Arrival::Work(batch) => batch,
            Arrival::Idle => panic!("it is idle"),
            Arrival::Closed => panic!("it is closed"),
        }
    }

    #[test]
    fn a_batch_takes_one_of_the_second_lane_last() {
        let queue = Queue::new();
        push(&queue, Lane::Second, [10, 11]);
        push(&queue, Lane::First, [1, 2, 3, 4]);
        assert_eq!(batch(&queue, NOW), [1, 2, 3, 10]);
        assert_eq!(batch(&queue, NOW), [4, 11]);
        assert!(matches!(queue.batch(Duration::ZERO, NOW), Arrival::Idle));
    }

    #[test]
    fn a_batch_waits_for_as_many_as_wanted() {
        let queue = Arc::new(Queue::new());
        push(&queue, Lane::First, [1]);
        let later = Arc::clone(&queue);
        let other = std::thread::spawn(move || push(&later, Lane::First, [2, 3]));
        let gather = Gather { wanted_count: 3, patience: LONG, ..NOW };
        assert_eq!(batch(&queue, gather), [1, 2, 3]);
        other.join().unwrap();
    }

    #[test]
    fn a_batch_does_not_wait_longer_than_it_may() {
        let queue = Queue::new();
        push(&queue, Lane::First, [1]);
        let gather = Gather { wanted_count: 3, patience: Duration::from_millis(1), ..NOW };
        assert_eq!(batch(&queue, gather), [1]);
    }

    #[test]
    fn a_full_queue_lets_callers_wait() {
        let queue = Queue::new();
        push(&queue, Lane::First, 0..4096);
        let mut waiting = Box::pin(queue.push(Lane::Second, 5000));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(matches!(queue.next(), Arrival::Work(0)));
        waiting.now_or_never().expect("there is a place again").unwrap();
    }

    #[test]
    fn a_closed_queue_hands_out_the_rest() {
        let queue = Queue::new();
        push(&queue, Lane::First, [1]);
        queue.close();
        let refused = queue.push(Lane::First, 2).now_or_never().expect("it does not wait");
        assert!(matches!(refused, Err(Error::Unavailable { .. })));
        assert_eq!(batch(&queue, NOW), [1]);
        assert!(matches!(queue.batch(LONG, NOW), Arrival::Closed));
        assert!(matches!(queue.next(), Arrival::Closed));
    }

    #[test]
    fn an_abandoned_queue_drops_the_rest() {
        let queue = Queue::new();
        push(&queue, Lane::First, [1]);
        queue.abandon();
        assert!(matches!(queue.next(), Arrival::Closed));
    }
}
