//! Bytes on their way in: small ones stay in memory, within what all requests together may hold there; the rest goes
//! through a file without a name.
//!
//! Nobody waits here. A client that sends slowly holds a file, not memory and not a turn, so it keeps nobody else
//! from sending.

use std::io::{self, Write};

use bytes::Bytes;

use crate::app::App;
use crate::blobs::{ScratchWriter, file_failure};
use crate::error::{Error, Result};
use crate::ingest::held::Held;
use crate::symbols::mapping;

/// What one request may hold in memory at most, in bytes.
pub(super) const MEMORY_BYTES_MAX: usize = 256 << 10;
/// After how many bytes into a file the disk is asked whether it has room.
const CHECK_EVERY_BYTES: usize = 1 << 20;

/// A sink of unknown size.
pub(super) struct Spill {
    app: App,
    /// Invariant: its length is what `held` counts, and 0 once there is a file.
    memory: Vec<u8>,
    held: Held,
    file: Option<ScratchWriter>,
    unchecked_bytes: usize,
    /// Why writing failed, for whoever only sees an `io::Error`.
    failure: Option<Error>,
}

impl Spill {
    /// Makes an empty one.
    pub(super) fn new(app: &App) -> Self {
        Self {
            held: app.intake.hold(),
            app: app.clone(),
            memory: Vec::new(),
            file: None,
            unchecked_bytes: 0,
            failure: None,
        }
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// `Unavailable` when the disk has no room.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<()> {
        let fits = self.memory.len() + bytes.len() <= MEMORY_BYTES_MAX;
        if self.file.is_none() && fits && self.held.grow(bytes.len()) {
            self.memory.extend_from_slice(bytes);
            return Ok(());
        }
        self.check_disk(bytes.len())?;
        let failed = |error| file_failure("writing a request's body to a temporary file", error);
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                let mut file = self.app.blobs.scratch()?.into_writer();
                file.write_all(&std::mem::take(&mut self.memory)).map_err(failed)?;
                self.held.let_go();
                file
            }
        };
        file.write_all(bytes).map_err(failed)?;
        self.file = Some(file);
        Ok(())
    }

    fn check_disk(&mut self, more: usize) -> Result<()> {
        self.unchecked_bytes += more;
        if self.file.is_some() && self.unchecked_bytes < CHECK_EVERY_BYTES {
            return Ok(());
        }
        self.unchecked_bytes = 0;
        let (config, now_ms) = (&self.app.config, self.app.clock.now_ms());
        self.app.intake.disk.check(&config.data, config.limits.disk_free_bytes_min, now_ms)
    }

    /// Returns why writing failed, if it was for a reason of ours.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Returns what was written; a file is mapped, so that it is not read into memory either.
    ///
    /// # Errors
    /// `Unavailable` when the disk has no room.
    pub(super) fn finish(self) -> Result<Bytes> {
        let Self { memory, held, file, .. } = self;
        let Some(file) = file else {
            return Ok(Bytes::from_owner(InMemory { bytes: memory, _held: held }));
        };
        let failed = |error| file_failure("writing a request's body to a temporary file", error);
        let scratch = file.finish().map_err(failed)?;
        Ok(Bytes::from_owner(Mapped(mapping::map(scratch.file()).map_err(failed)?)))
    }
}

impl Write for Spill {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.push(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failure = Some(error);
                Err(io::Error::other("no room"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Bytes that are counted for as long as somebody holds them.
struct InMemory {
    bytes: Vec<u8>,
    _held: Held,
}

impl AsRef<[u8]> for InMemory {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// A file without a name, as bytes.
struct Mapped(symbolicate::SharedBytes);

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        (*self.0).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    fn spilled(app: &App, bytes: usize) -> (Bytes, bool) {
        let mut spill = Spill::new(app);
        for part in vec![7; bytes].chunks(10_000) {
            spill.push(part).unwrap();
        }
        let is_in_file = spill.file.is_some();
        (spill.finish().unwrap(), is_in_file)
    }

    #[tokio::test]
    async fn what_is_large_and_what_finds_no_room_goes_through_a_file() {
        let app = TestApp::new().await;
        let (small, is_in_file) = spilled(&app, 200_000);
        assert_eq!((small.len(), is_in_file), (200_000, false));
        let (large, is_in_file) = spilled(&app, 3_000_000);
        assert_eq!((large.len(), is_in_file), (3_000_000, true));
        assert!(large.iter().all(|byte| *byte == 7));
        let mut others = Vec::new();
        loop {
            let (other, is_in_file) = spilled(&app, 200_000);
            assert_eq!(other.len(), 200_000);
            if is_in_file {
                break;
            }
            others.push(other);
        }
        let budget = usize::try_from(app.config.limits.accepting_bytes_max.0).unwrap();
        assert!(others.len() * 200_000 <= budget, "{} bodies are held", others.len());
        others.pop();
        let (_, is_in_file) = spilled(&app, 200_000);
        assert!(!is_in_file, "there is room again");
    }
}
