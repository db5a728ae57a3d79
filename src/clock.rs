//! Time and ids: the only place that asks the system for either.
//!
//! Ids are made by the app, not by the database, so that many rows can be inserted without asking
//! back, and they are ordered by time, so that retention is a range: 42 bits of milliseconds, 10 bits
//! of process number, 11 bits of counter. 42 bits last until 2109.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use protocol::time::Timestamp;

const PROCESS_BITS: u32 = 10;
const COUNTER_BITS: u32 = 11;
/// How many processes can make ids at the same time.
pub(crate) const PROCESSES_MAX: u16 = 1 << PROCESS_BITS;

/// Smallest step of the wall clock against the steady one that counts as a jump, in milliseconds.
const JUMP_MS_MIN: i64 = 5_000;
/// A jump ahead from which on nothing is deleted because of its age, in milliseconds.
const DOUBTFUL_MS_MIN: i64 = 1_800_000;
/// How long nothing is deleted then: time for somebody, or for NTP, to set the clock right.
const DOUBTFUL: Duration = Duration::from_secs(3600);

/// Tells the time and makes ids. Cheap to clone; clones share the counter.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: Source,
    process: u16,
    /// Milliseconds and counter of the last id, as one number, so that one compare-and-set moves both.
    // Invariant: it only grows, whatever the system's clock does.
    last: AtomicU64,
    watch: Mutex<Watch>,
}

/// What was last seen of both clocks.
#[derive(Debug)]
struct Watch {
    wall_ms: i64,
    steady: Instant,
    doubtful_until: Option<Instant>,
}

/// A step of the wall clock, in milliseconds; negative: back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump(i64);

impl fmt::Display for Jump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (way, seconds) = (if self.0 < 0 { "back" } else { "ahead" }, self.0.abs() / 1000);
        write!(f, "jumped {way} by {seconds} s")
    }
}

#[derive(Debug)]
enum Source {
    System,
    Manual(AtomicI64),
}

impl Clock {
    /// Returns the system's clock. `process` distinguishes the ids of processes that share a database;
    /// it is below [`PROCESSES_MAX`], what is above is cut off.
    pub(crate) fn system(process: u16) -> Self {
        Self::new(Source::System, process)
    }

    /// Returns the system's clock with a process number drawn by lot, for commands that write little.
    pub(crate) fn system_with_random_process() -> Self {
        Self::system(rand::random_range(0..PROCESSES_MAX))
    }

    /// Returns a clock that stands at `now_ms` until it is [set](Self::set): for `symbolist seed`, whose
    /// events happened in the past, and for tests.
    pub(crate) fn manual(now_ms: i64) -> Self {
        Self::new(Source::Manual(AtomicI64::new(now_ms)), 0)
    }

    fn new(source: Source, process: u16) -> Self {
        let process = process % PROCESSES_MAX;
        let watch = Watch { wall_ms: 0, steady: Instant::now(), doubtful_until: None };
        let last = AtomicU64::new(0);
        let clock = Self(Arc::new(Inner { source, process, last, watch: Mutex::new(watch) }));
        clock.watch().wall_ms = clock.now_ms();
        clock
    }

    /// Returns how the wall clock jumped since this was last asked, if it did.
    pub(crate) fn jump(&self) -> Option<Jump> {
        let (wall_ms, steady) = (self.now_ms(), Instant::now());
        let mut watch = self.watch();
        let passed = steady.duration_since(watch.steady).as_millis();
        let expected_ms = watch.wall_ms + i64::try_from(passed).unwrap_or(i64::MAX);
        let by_ms = wall_ms.saturating_sub(expected_ms);
        (watch.wall_ms, watch.steady) = (wall_ms, steady);
        if by_ms >= DOUBTFUL_MS_MIN {
            watch.doubtful_until = Some(steady + DOUBTFUL);
        }
        (by_ms.abs() >= JUMP_MS_MIN).then_some(Jump(by_ms))
    }

    /// Says whether the clock jumped far ahead a short while ago: then age is no reason to delete anything.
    pub(crate) fn is_doubtful(&self) -> bool {
        self.watch().doubtful_until.is_some_and(|until| Instant::now() < until)
    }

    fn watch(&self) -> std::sync::MutexGuard<'_, Watch> {
        self.0.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the time.
    pub(crate) fn now(&self) -> Timestamp {
        Timestamp(self.now_ms())
    }

    /// Returns the time in milliseconds since 1970, UTC.
    pub(crate) fn now_ms(&self) -> i64 {
        match &self.0.source {
            Source::System => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)),
            Source::Manual(now_ms) => now_ms.load(Ordering::Relaxed),
        }
    }

    /// Sets a manual clock; a system clock goes by itself.
    pub(crate) fn set(&self, to_ms: i64) {
        if let Source::Manual(now_ms) = &self.0.source {
            now_ms.store(to_ms, Ordering::Relaxed);
        }
    }

    /// Moves a manual clock by `by_ms`, backwards if negative; a system clock moves by itself.
    #[cfg(test)]
    pub(crate) fn advance(&self, by_ms: i64) {
        if let Source::Manual(now_ms) = &self.0.source {
            now_ms.fetch_add(by_ms, Ordering::Relaxed);
        }
    }

    /// Returns an id that is larger than every id this clock made before, and positive.
    ///
    /// When more than 2,048 are asked for within a millisecond, or the clock jumps back, the time in
    /// the id runs ahead of the clock.
    pub(crate) fn new_id(&self) -> i64 {
        let now = u64::try_from(self.now_ms()).unwrap_or(0) << COUNTER_BITS;
        let next = |last: u64| now.max(last + 1);
        let last = self
            .0
            .last
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(next(last)))
            .unwrap_or_else(|last| last);
        assemble(next(last), self.0.process)
    }

    /// Returns the smallest id that can be made at `time_ms`: the boundary for ranges by time.
    pub(crate) fn first_id_at(time_ms: i64) -> i64 {
        assemble(u64::try_from(time_ms).unwrap_or(0) << COUNTER_BITS, 0)
    }
}

/// Puts the process number between the milliseconds and the counter.
fn assemble(ms_and_counter: u64, process: u16) -> i64 {
    let ms = ms_and_counter >> COUNTER_BITS;
    let counter = ms_and_counter & ((1 << COUNTER_BITS) - 1);
    let id = (ms << (PROCESS_BITS + COUNTER_BITS)) | (u64::from(process) << COUNTER_BITS) | counter;
    // The top bit is cut off, so that it fits: it is 0 until 2109.
    i64::try_from(id & (u64::MAX >> 1)).expect("63 bits fit")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    const NOW_MS: i64 = 1_900_000_000_000;

    #[test]
    fn ids_grow_within_a_millisecond() {
        let clock = Clock::manual(NOW_MS);
        let ids: Vec<i64> = (0..5_000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert!(ids[0] >= Clock::first_id_at(NOW_MS));
        assert!(ids[0] < Clock::first_id_at(NOW_MS + 1));
    }

    #[test]
    fn ids_grow_when_the_clock_jumps_back() {
        let clock = Clock::manual(NOW_MS);
        let before = clock.new_id();
        clock.advance(-3_600_000);
        assert!(clock.new_id() > before);
        assert_eq!(clock.now(), Timestamp(NOW_MS - 3_600_000));
    }

    #[test]
    fn jumps_are_noticed_once() {
        let clock = Clock::manual(NOW_MS);
        assert_eq!(clock.jump(), None);
        clock.advance(-3_600_000);
        assert_eq!(clock.jump().unwrap().to_string(), "jumped back by 3600 s");
        assert_eq!((clock.jump(), clock.is_doubtful()), (None, false));
        clock.advance(7_200_500);
        assert_eq!(clock.jump().unwrap().to_string(), "jumped ahead by 7200 s");
        assert!(clock.is_doubtful());
    }

    #[test]
    fn threads_never_share_an_id() {
        let clock = Clock::system(7);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let clock = clock.clone();
                std::thread::spawn(move || (0..20_000).map(|_| clock.new_id()).collect::<Vec<_>>())
            })
            .collect();
        let all: Vec<i64> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 80_000);
        assert!(all.iter().all(|id| *id > 0));
    }

    #[test]
    fn processes_never_share_an_id() {
        let ids: HashSet<i64> = (0..PROCESSES_MAX)
            .map(|process| Clock::new(Source::Manual(AtomicI64::new(NOW_MS)), process).new_id())
            .collect();
        assert_eq!(ids.len(), usize::from(PROCESSES_MAX));
    }

    #[test]
    fn random_process_clock_tells_todays_time() {
        assert!(Clock::system_with_random_process().now_ms() > 1_700_000_000_000);
    }
}
