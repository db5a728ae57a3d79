//! Whether the disk of the data folder has room for more. Asked at most once a second.

use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::config::byte_size::ByteSize;
use crate::error::{Error, Result};

/// How long an answer is believed, in milliseconds.
const BELIEVED_MS: i64 = 1_000;
/// When a client whose events find no room is asked to come back, in seconds.
const RETRY_AFTER_S: u32 = 60;

/// What is known of the disk.
#[derive(Debug)]
pub(crate) struct Disk {
    asked_at_ms: AtomicI64,
    free_bytes: AtomicU64,
}

impl Default for Disk {
    fn default() -> Self {
        Self { asked_at_ms: AtomicI64::new(i64::MIN), free_bytes: AtomicU64::new(u64::MAX) }
    }
}

impl Disk {
    /// Refuses where the disk below `folder` has less than `free_bytes_min`. A file system that does not tell
    /// has room.
    ///
    /// # Errors
    /// `Unavailable`, with when to come back.
    pub(crate) fn check(&self, folder: &Path, free_bytes_min: ByteSize, now_ms: i64) -> Result<()> {
        let age_ms = now_ms.saturating_sub(self.asked_at_ms.load(Ordering::Relaxed));
        // An answer from the future is none: the clock jumped back.
        if !(0..BELIEVED_MS).contains(&age_ms) {
            self.asked_at_ms.store(now_ms, Ordering::Relaxed);
            let free =
                rustix::fs::statvfs(folder).map_or(u64::MAX, |disk| disk.f_bavail * disk.f_frsize);
            self.free_bytes.store(free, Ordering::Relaxed);
        }
        let free = self.free_bytes.load(Ordering::Relaxed);
        if free >= free_bytes_min.0 {
            return Ok(());
        }
        Err(Error::Unavailable {
            message: format!(
                "the disk has {free} bytes left, events are accepted from {free_bytes_min} on: make room, or lower \
                 limits.disk_free_bytes_min"
            ),
            retry_after_s: RETRY_AFTER_S,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_refuses_until_there_is_room_again() {
        let (disk, folder) = (Disk::default(), std::env::temp_dir());
        disk.check(&folder, ByteSize(1), 0).unwrap();
        let error = disk.check(&folder, ByteSize(u64::MAX), 1).unwrap_err();
        assert!(matches!(&error, Error::Unavailable { retry_after_s: 60, .. }), "{error}");
        disk.check(&folder, ByteSize(1), 2).unwrap();
    }

    #[test]
    fn an_answer_is_believed_for_a_second() {
        let (disk, folder) = (Disk::default(), std::env::temp_dir());
        disk.check(&folder, ByteSize(1), 5_000).unwrap();
        disk.free_bytes.store(0, Ordering::Relaxed);
        assert!(disk.check(&folder, ByteSize(1), 5_999).is_err());
        disk.check(&folder, ByteSize(1), 4_999).unwrap();
        disk.free_bytes.store(0, Ordering::Relaxed);
        assert!(disk.check(&folder, ByteSize(1), 5_000).is_err());
        disk.check(&folder, ByteSize(1), 6_000).unwrap();
    }
}
