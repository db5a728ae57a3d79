//! Blobs in memory, for tests, with faults on request.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{BlobKey, Scratch, unavailable};
use crate::error::{Error, Result};

/// What can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    /// Storing.
    Put,
    /// Opening and reading.
    Open,
    /// Asking whether a blob, or the store, is there.
    Ask,
    /// Removing.
    Delete,
}

/// Blobs in memory. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    blobs: HashMap<BlobKey, Bytes>,
    /// How often each operation fails before it works again.
    faults: HashMap<Operation, u32>,
}

impl Memory {
    /// Makes the next `times` calls of `operation` fail.
    pub(crate) fn fail(&self, operation: Operation, times: u32) {
        self.state().faults.insert(operation, times);
    }

    /// Returns how many blobs there are.
    pub(crate) fn len(&self) -> usize {
        self.state().blobs.len()
    }

    pub(super) fn put_file(&self, file: &Scratch, key: BlobKey) -> Result<()> {
        self.fault(Operation::Put)?;
        let mut bytes = Vec::new();
        file.open_read_only()?.read_to_end(&mut bytes)?;
        self.state().blobs.insert(key, bytes.into());
        Ok(())
    }

    pub(super) fn open_local(&self, key: BlobKey, scratch: &Scratch) -> Result<File> {
        self.fault(Operation::Open)?;
        let bytes = self.state().blobs.get(&key).cloned().ok_or(Error::NotFound)?;
        scratch.file().write_all(&bytes)?;
        Ok(scratch.open_read_only()?)
    }

    pub(super) fn exists(&self, key: BlobKey) -> Result<bool> {
        self.fault(Operation::Ask)?;
        Ok(self.state().blobs.contains_key(&key))
    }

    pub(super) fn delete(&self, key: BlobKey) -> Result<()> {
        self.fault(Operation::Delete)?;
        self.state().blobs.remove(&key);
        Ok(())
    }

    pub(super) fn check(&self) -> Result<()> {
        self.fault(Operation::Ask)
    }

    fn fault(&self, operation: Operation) -> Result<()> {
        let mut state = self.state();
        match state.faults.get_mut(&operation) {
            Some(times) if *times > 0 => {
                *times -= 1;
                Err(unavailable("the blob store was told to fail"))
            }
            _ => Ok(()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
