//! Look-up files made from uploaded ones: made once by a worker, kept in a folder, mapped when used.
//!
//! The folder is a cache of this replica, always reproducible. A file is written whole before it has its
//! name. What could not be derived is remembered in the database until the deriving code changes.

mod folder;
mod key;
pub(crate) mod readiness;

use std::fmt;
use std::path::PathBuf;

use quick_cache::Weighter;
use quick_cache::sync::Cache;
use symbolicate::SharedBytes;

use self::folder::Folder;
pub(crate) use self::key::DerivedKey;
use super::worker::WorkerOutcome;
use crate::app::App;
use crate::blobs::Scratch;
use crate::blocking;
use crate::db::derive_failure::{self, DeriveFailure, FailureStatus};
use crate::error::{Context as _, Error, Result};

/// Largest sum of the derived files on disk, in bytes; maps of removed files are counted apart, once more.
pub(crate) const DERIVED_BYTES_MAX: u64 = 8 << 30;

/// Number of files that are expected to be mapped at the same time.
const MAPPED_FILES: usize = 1000;

/// How long a file that was too large is not tried again, in milliseconds: memory and load differ by
/// machine and hour.
const TOO_LARGE_MS: i64 = 3_600_000;

/// What deriving came to.
#[derive(Clone)]
pub(crate) enum Outcome {
    /// The file, mapped.
    File(SharedBytes),
    /// There is none: the input cannot be used, and why.
    Unusable(String),
    /// There is none here: the input needs more than a worker may use, and of what.
    TooLargeHere(String),
}

impl fmt::Debug for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(bytes) => write!(f, "File({} bytes)", (**bytes).as_ref().len()),
            Self::Unusable(why) => write!(f, "Unusable({why})"),
            Self::TooLargeHere(why) => write!(f, "TooLargeHere({why})"),
        }
    }
}

/// The derived files of this replica.
pub(crate) struct Derived {
    folder: Folder,
    mapped: Cache<DerivedKey, SharedBytes, Bytes>,
}

/// Weighs a mapped file by its length.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<DerivedKey, SharedBytes> for Bytes {
    fn weight(&self, _key: &DerivedKey, bytes: &SharedBytes) -> u64 {
        (**bytes).as_ref().len() as u64
    }
}

impl Derived {
    /// Keeps derived files in `folder`, at most `bytes_max` of them.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(crate) fn open(folder: PathBuf, bytes_max: u64) -> Result<Self> {
        let folder =
            Folder::open(folder, bytes_max).context("making the folder of derived files")?;
        let mapped = Cache::with_weighter(MAPPED_FILES, bytes_max, Bytes);
        Ok(Self { folder, mapped })
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derived").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Opens a derived file, after deriving it if it is not there. Many callers at a time derive it once.
///
/// # Errors
/// When the database or the blob store does not answer, or no worker can be started; `NotFound` when an
/// uploaded file is gone. What is wrong with the uploaded file is an [`Outcome`].
pub(crate) async fn open(app: &App, key: &DerivedKey) -> Result<Outcome> {
    // The first caller gets the guard and works; the others wait for it. If it fails or goes away, the
    // next one takes over.
    let guard = match app.derived.mapped.get_value_or_guard_async(key).await {
        Ok(bytes) => return Ok(Outcome::File(bytes)),
        Err(guard) => guard,
    };
    let outcome = find_or_derive(app, key).await.context(format!("deriving {key}"))?;
    if let Outcome::File(bytes) = &outcome {
        // It fails only if the cache took the place away; the caller has the file anyway.
        drop(guard.insert(bytes.clone()));
    }
    Ok(outcome)
}

async fn find_or_derive(app: &App, key: &DerivedKey) -> Result<Outcome> {
    let (folder, name, magic) = (app.derived.folder.clone(), key.file_name(), key.magic());
    if let Some(bytes) = blocking::run(move || Ok(folder.find(&name, magic)?)).await? {
        return Ok(Outcome::File(bytes));
    }
    if let Some(failure) = known_failure(app, key).await? {
        return Ok(failure);
    }
    let mut inputs = Vec::new();
    for input in key.inputs() {
        inputs.push(app.blobs.open_local(input).await?);
    }
    match app.workers.run(key.operation(), inputs).await? {
        WorkerOutcome::Output(output, _report) => keep(app, key, output).await,
        WorkerOutcome::Unusable(why) => remember(app, key, FailureStatus::Unusable, why).await,
        WorkerOutcome::TooLargeHere(why) => {
            remember(app, key, FailureStatus::TooLargeHere, why).await
        }
        WorkerOutcome::Crashed(why) => {
            tracing::error!(derived.key = %key, "a worker crashed deriving {key}: {why}");
            remember(app, key, FailureStatus::Unusable, why).await
        }
    }
}

async fn keep(app: &App, key: &DerivedKey, output: Scratch) -> Result<Outcome> {
    let (folder, name, magic) = (app.derived.folder.clone(), key.file_name(), key.magic());
    let kept = blocking::run(move || Ok(folder.keep(&name, magic, output)?)).await?;
    kept.map(Outcome::File)
        .ok_or_else(|| Error::internal("a worker wrote something else than it was asked for"))
}

async fn known_failure(app: &App, key: &DerivedKey) -> Result<Option<Outcome>> {
    let (name, now_ms) = (key.file_name(), app.clock.now_ms());
    let failure = app
        .db
        .read(move |tx| {
            let name = name.clone();
            Box::pin(async move { derive_failure::find(tx, &name).await })
        })
        .await?;
    Ok(match failure {
        Some(DeriveFailure { status: FailureStatus::Unusable, reason, .. }) => {
            Some(Outcome::Unusable(reason))
        }
        Some(failure) if (0..TOO_LARGE_MS).contains(&(now_ms - failure.created_at_ms)) => {
            Some(Outcome::TooLargeHere(failure.reason))
        }
        _ => None,
    })
}

async fn remember(
    app: &App,
    key: &DerivedKey,
    status: FailureStatus,
    reason: String,
) -> Result<Outcome> {
    let (name, created_at_ms) = (key.file_name(), app.clock.now_ms());
    let failure = DeriveFailure { status, reason: reason.clone(), created_at_ms };
    app.db
        .write(move |tx| {
            let (name, failure) = (name.clone(), failure.clone());
            Box::pin(async move { derive_failure::upsert(tx, &name, &failure).await })
        })
        .await?;
    Ok(match status {
        FailureStatus::Unusable => Outcome::Unusable(reason),
        FailureStatus::TooLargeHere => Outcome::TooLargeHere(reason),
    })
}

#[cfg(test)]
mod tests;
