//! How many bytes of request bodies are in memory, counted as they come in.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What all requests hold in memory while they come in.
#[derive(Debug)]
pub(super) struct Receiving {
    bytes: AtomicUsize,
    bytes_max: usize,
}

/// What one request holds in memory while it comes in.
// Invariant: `bytes` is its part of `receiving.bytes`.
#[derive(Debug)]
pub(crate) struct Held {
    receiving: Arc<Receiving>,
    bytes: usize,
}

impl Receiving {
    /// Lets all requests together hold so many bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), bytes_max }
    }
}

impl Held {
    /// Begins to count what one request holds.
    pub(super) fn new(receiving: &Arc<Receiving>) -> Self {
        Self { receiving: Arc::clone(receiving), bytes: 0 }
    }

    /// Counts more, or says that there is no room for it.
    pub(crate) fn grow(&mut self, by: usize) -> bool {
        let Receiving { bytes, bytes_max } = &*self.receiving;
        let grown = |held: usize| held.checked_add(by).filter(|held| held <= bytes_max);
        let is_granted = bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok();
        self.bytes += if is_granted { by } else { 0 };
        is_granted
    }

    /// Holds nothing any more.
    pub(crate) fn let_go(&mut self) {
        self.receiving.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
        self.bytes = 0;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.let_go();
    }
}
