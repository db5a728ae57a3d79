//! How long this disk takes to make a write durable: what every accepted event waits for.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Context as _, Result};

/// Writes that are measured.
pub(super) const SAMPLES: usize = 200;

/// Returns the median time of writing 4 KB and making them durable.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn fsync_median(folder: &Path) -> Result<Duration> {
    let mut file = tempfile::tempfile_in(folder).context("making a file to measure the disk")?;
    let mut times = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let started = Instant::now();
        let written = file.seek(SeekFrom::Start(0)).and_then(|_| file.write_all(&[7; 4096]));
        written.and_then(|()| file.sync_data()).context("measuring the disk")?;
        times.push(started.elapsed());
    }
    times.sort();
    Ok(times[SAMPLES / 2])
}
