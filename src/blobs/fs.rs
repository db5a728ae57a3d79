//! Blobs in a folder: `ab/cdef…`, written whole and synced before they get their name.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{BlobKey, Scratch, file_failure};
use crate::error::{Context as _, Error, Result};

/// A folder of blobs.
#[derive(Debug)]
pub(super) struct Fs {
    folder: PathBuf,
}

impl Fs {
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&folder).context(format!("making {}", folder.display()))?;
        Ok(Self { folder })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where a blob is, or would be.
    pub(super) fn path(&self, key: BlobKey) -> PathBuf {
        let name = key.to_string();
        let (shelf, rest) = name.split_at(2);
        self.folder.join(shelf).join(rest)
    }
}

/// Stores `file` at `path`, durably: the bytes, the name, and the name of the folder.
pub(super) fn put(path: &Path, file: Scratch) -> Result<()> {
    let failed = |error| file_failure("storing a blob", error);
    let shelf = path.parent().unwrap_or(path);
    if !path.try_exists().map_err(failed)? {
        match std::fs::create_dir(shelf) {
            Ok(()) => sync(shelf.parent().unwrap_or(shelf)).map_err(failed)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(error)),
        }
        file.keep_as(path).map_err(failed)?;
    }
    // Also when the blob was there: who linked it may not have come to this line yet.
    sync(shelf).map_err(failed)
}

/// Opens the blob at `path`. If the whole folder is gone, nothing is known about the blob.
pub(super) fn open(folder: &Path, path: &Path) -> Result<File> {
    match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => {
            Err(Error::NotFound)
        }
        opened => opened.map_err(|error| file_failure("opening a blob", error)),
    }
}

/// Removes the blob at `path`.
pub(super) fn delete(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(file_failure("removing a blob", error))
        }
        _ => Ok(()),
    }
}

/// Writes a byte into a nameless file.
pub(super) fn check(folder: &Path) -> Result<()> {
    use std::io::Write as _;
    let written = Scratch::create(folder).and_then(|file| file.file().write_all(b"."));
    written.map_err(|error| file_failure("asking the blob store", error))
}

fn sync(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
