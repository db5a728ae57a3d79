//! What the database said a moment ago: bounded, forgotten by time and when another process changed it.

use std::hash::Hash;

use quick_cache::sync::Cache;

use crate::clock::Clock;

/// How long an answer is believed, in milliseconds. On SQLite a change by another process is noticed
/// earlier; on PostgreSQL this is how long a revoked key or token still works on other replicas.
const BELIEVED_MS: i64 = 10_000;

/// Answers by question; "there is none" is an answer too.
#[derive(Debug)]
pub(crate) struct Remembered<K, V> {
    cache: Cache<K, (i64, V)>,
}

impl<K: Eq + Hash + Clone, V: Clone> Remembered<K, V> {
    /// Makes an empty cache for at most `count_max` answers.
    pub(crate) fn new(count_max: usize) -> Self {
        Self { cache: Cache::new(count_max) }
    }

    /// Returns the answer to `key`, unless it is too old.
    pub(crate) fn find(&self, clock: &Clock, key: &K) -> Option<V> {
        let (at_ms, value) = self.cache.get(key)?;
        // Also not if it is from the future: the clock jumped back.
        (0..BELIEVED_MS).contains(&(clock.now_ms() - at_ms)).then_some(value)
    }

    /// Remembers an answer, which was asked for at `asked_at_ms`.
    pub(crate) fn keep(&self, asked_at_ms: i64, key: K, value: V) {
        self.cache.insert(key, (asked_at_ms, value));
    }

    /// Forgets everything.
    pub(crate) fn forget_all(&self) {
        self.cache.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_forgotten_by_time_and_on_demand() {
        let clock = Clock::manual(1_000);
        let remembered = Remembered::new(10);
        remembered.keep(clock.now_ms(), 1, "one");
        assert_eq!(remembered.find(&clock, &1), Some("one"));
        clock.advance(BELIEVED_MS);
        assert_eq!(remembered.find(&clock, &1), None);
        remembered.keep(clock.now_ms(), 1, "one");
        clock.advance(-1);
        assert_eq!(remembered.find(&clock, &1), None, "a clock that jumped back proves nothing");
        clock.advance(1);
        remembered.forget_all();
        assert_eq!(remembered.find(&clock, &1), None);
    }
}
