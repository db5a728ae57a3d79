//! `[digest]`: how accepted events are worked off.

use super::settings::Settings;

/// Most events in one transaction of the digest: beyond a few hundred the cost per event stops falling.
const BATCH_MAX: u32 = 1024;

/// How accepted events are worked off.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    /// `digest.batch`: events per transaction.
    pub(crate) batch: u32,
    /// `digest.workers`: batches at the same time; 0 leaves the digest to other processes.
    pub(crate) workers: u32,
}

impl Digest {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let batch = settings.take("digest.batch", 256);
        if !(1..=BATCH_MAX).contains(&batch) {
            settings.complain(
                "digest.batch",
                &format!("`digest.batch` is {batch}, expected 1 to {BATCH_MAX}"),
            );
        }
        Self { batch, workers: settings.take("digest.workers", 1) }
    }
}
