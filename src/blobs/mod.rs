//! Bytes by key: uploaded files, chunks and large attachments, each stored once under its SHA-256.
//!
//! Blobs never change. Whole files are never held in memory: they come and go as open files. What a blob
//! means, and who may read it, is in the database and not known here.

mod checksum;
mod client;
mod fs;
mod key;
#[cfg(test)]
mod memory;
mod s3;
mod scratch;
mod standing;

use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

pub(crate) use self::checksum::{Hashed, Hashing, Sha1};
use self::fs::Fs;
pub(crate) use self::key::BlobKey;
#[cfg(test)]
pub(crate) use self::memory::{Memory, Operation};
use self::s3::S3;
pub(crate) use self::scratch::{Scratch, ScratchWriter};
use crate::blocking;
use crate::config::{self, Config};
use crate::error::{Context as _, Error, Result};

/// Longest time the store may take to show that it is there.
const CHECK_TIME_MAX: Duration = Duration::from_secs(5);

/// Seconds after which a client may try again when the store does not answer.
const RETRY_AFTER_S: u32 = 10;

/// The store. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Store,
    /// Where nameless files are made.
    tmp: PathBuf,
}

#[derive(Debug)]
enum Store {
    Fs(Fs),
    S3(S3),
    #[cfg(test)]
    Memory(Memory),
}

impl Blobs {
    /// Opens the configured store; `tmp` is a folder for nameless files.
    ///
    /// # Errors
    /// As [`in_folder`](Self::in_folder) and [`in_bucket`](Self::in_bucket).
    pub(crate) fn open(config: &Config, tmp: PathBuf) -> Result<Self> {
        match config.blobs.kind {
            config::blobs::Kind::FileSystem => Self::in_folder(config.data.join("blobs"), tmp),
            config::blobs::Kind::S3 => Self::in_bucket(&config.blobs.s3, tmp),
        }
    }

    /// Opens a store in `folder`; `tmp` is a folder for nameless files, best on the same file system.
    ///
    /// # Errors
    /// When one of the folders cannot be made.
    pub(crate) fn in_folder(folder: PathBuf, tmp: PathBuf) -> Result<Self> {
        Self::new(Store::Fs(Fs::open(folder)?), tmp)
    }

    /// Opens a store in a bucket.
    ///
    /// # Errors
    /// When the options contradict each other; the bucket is not asked yet.
    pub(crate) fn in_bucket(options: &config::blobs::S3, tmp: PathBuf) -> Result<Self> {
        Self::new(Store::S3(S3::open(options)?), tmp)
    }

    /// Keeps blobs in `memory`.
    ///
    /// # Errors
    /// When `tmp` cannot be made.
    #[cfg(test)]
    pub(crate) fn in_memory(memory: Memory, tmp: PathBuf) -> Result<Self> {
        Self::new(Store::Memory(memory), tmp)
    }

    fn new(store: Store, tmp: PathBuf) -> Result<Self> {
        std::fs::create_dir_all(&tmp).context(format!("making {}", tmp.display()))?;
        Ok(Self(Arc::new(Inner { store, tmp })))
    }

    /// Makes an empty file without a name, to be filled and [put](Self::put_file). It blocks shortly.
    ///
    /// # Errors
    /// When the disk is full or the folder not writable.
    pub(crate) fn scratch(&self) -> Result<Scratch> {
        Scratch::create(&self.0.tmp).map_err(|error| file_failure("making a temporary file", error))
    }

    /// Stores a file under the hash of its content, durably.
    ///
    /// # Errors
    /// `Unavailable` when the store is full or does not answer.
    // Invariant: `key` was computed from the file's bytes by us.
    pub(crate) async fn put_file(&self, file: Scratch, key: BlobKey) -> Result<()> {
        match &self.0.store {
            Store::Fs(fs) => {
                let path = fs.path(key);
                blocking::run(move || fs::put(&path, file)).await
            }
            Store::S3(s3) => s3.put_file(file, key).await,
            #[cfg(test)]
            Store::Memory(memory) => memory.put_file(&file, key),
        }
    }

    /// Stores bytes, durably, and returns their key, for tests.
    ///
    /// # Errors
    /// As [`put_file`](Self::put_file).
    #[cfg(test)]
    pub(crate) async fn put_bytes(&self, bytes: Bytes) -> Result<BlobKey> {
        let (file, key) = self.write_scratch(bytes).await?;
        self.put_file(file, key).await?;
        Ok(key)
    }

    /// Writes bytes to a file without a name, to be [put](Self::put_file) under the key that is returned.
    ///
    /// # Errors
    /// When the disk is full or the folder not writable.
    pub(crate) async fn write_scratch(&self, bytes: Bytes) -> Result<(Scratch, BlobKey)> {
        let blobs = self.clone();
        blocking::run(move || {
            use std::io::Write as _;
            let key = BlobKey::of(&bytes);
            let file = blobs.scratch()?;
            let written = file.file().write_all(&bytes);
            written.map_err(|error| file_failure("writing a temporary file", error))?;
            Ok((file, key))
        })
        .await
    }

    /// Opens a blob as a local file that can only be read, at its beginning.
    ///
    /// # Errors
    /// `NotFound` when there is no such blob; `Unavailable` when the store does not answer.
    pub(crate) async fn open_local(&self, key: BlobKey) -> Result<File> {
        match &self.0.store {
            Store::Fs(fs) => {
                let (folder, path) = (fs.folder().to_owned(), fs.path(key));
                blocking::run(move || fs::open(&folder, &path)).await
            }
            Store::S3(s3) => s3.open_local(key, self.scratch()?).await,
            #[cfg(test)]
            Store::Memory(memory) => memory.open_local(key, &self.scratch()?),
        }
    }

    /// Reads a whole blob, for tests, of at most `bytes_max` bytes.
    ///
    /// # Errors
    /// As [`open_local`](Self::open_local); `TooLarge`.
    #[cfg(test)]
    pub(crate) async fn read(&self, key: BlobKey, bytes_max: u64) -> Result<Bytes> {
        let file = self.open_local(key).await?;
        blocking::run(move || {
            use std::io::Read as _;
            let size = file.metadata()?.len();
            if size > bytes_max {
                return Err(Error::TooLarge(format!(
                    "the file has {size} bytes, at most {bytes_max} can be read"
                )));
            }
            let mut bytes = Vec::new();
            file.take(bytes_max).read_to_end(&mut bytes)?;
            Ok(bytes.into())
        })
        .await
    }

    /// Returns whether a blob is there.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(crate) async fn exists(&self, key: BlobKey) -> Result<bool> {
        match &self.0.store {
            Store::Fs(fs) => {
                let path = fs.path(key);
                blocking::run(move || {
                    path.try_exists().map_err(|error| file_failure("looking for a blob", error))
                })
                .await
            }
            Store::S3(s3) => s3.exists(key).await,
            #[cfg(test)]
            Store::Memory(memory) => memory.exists(key),
        }
    }

    /// Removes a blob; one that is not there is fine. Open files stay readable.
    ///
    /// # Errors
    /// `Unavailable` when the store does not answer.
    pub(crate) async fn delete(&self, key: BlobKey) -> Result<()> {
        match &self.0.store {
            Store::Fs(fs) => {
                let path = fs.path(key);
                blocking::run(move || fs::delete(&path)).await
            }
            Store::S3(s3) => s3.delete(key).await,
            #[cfg(test)]
            Store::Memory(memory) => memory.delete(key),
        }
    }

    /// Asks the store whether it works, for at most 5 s.
    ///
    /// # Errors
    /// `Unavailable` when it does not.
    pub(crate) async fn check(&self) -> Result<()> {
        let check = async {
            match &self.0.store {
                Store::Fs(fs) => {
                    let folder = fs.folder().to_owned();
                    blocking::run(move || fs::check(&folder)).await
                }
                Store::S3(s3) => s3.check().await,
                #[cfg(test)]
                Store::Memory(memory) => memory.check(),
            }
        };
        tokio::time::timeout(CHECK_TIME_MAX, check)
            .await
            .unwrap_or_else(|_| Err(unavailable("the blob store does not answer within 5 s")))
    }
}

/// Returns what a client is told when a file of ours cannot be used; what may pass may be tried again.
pub(crate) fn file_failure(doing: &str, error: std::io::Error) -> Error {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            tracing::error!("the blob store is full: {doing}: {error}");
            unavailable("there is no room left for files")
        }
        // The folder is gone, mounted read-only, or somebody else's: it is the whole store, and passes.
        ErrorKind::NotFound
        | ErrorKind::NotADirectory
        | ErrorKind::PermissionDenied
        | ErrorKind::ReadOnlyFilesystem
        | ErrorKind::StaleNetworkFileHandle => {
            tracing::error!("the folder of blobs cannot be used: {doing}: {error}");
            unavailable("the blob store cannot be used now")
        }
        _ => Error::from(error).with_context(doing),
    }
}

fn unavailable(message: &str) -> Error {
    Error::Unavailable { message: message.to_owned(), retry_after_s: RETRY_AFTER_S }
}

#[cfg(test)]
mod tests;
