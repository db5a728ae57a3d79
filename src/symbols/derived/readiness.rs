//! Whether uploaded debug files can be looked up in, for people.

use super::{DerivedKey, TOO_LARGE_MS};
use crate::app::App;
use crate::blocking;
use crate::db::debug_file::DebugFile;
use crate::db::derive_failure::{self, DeriveFailure, FailureStatus};
use crate::error::Result;

/// Whether a file can be looked up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Readiness {
    /// Its look-up file is here.
    Ready,
    /// Its look-up file is made when it is first needed.
    OnFirstUse,
    /// It cannot be used, and why.
    Unusable(String),
    /// It needs more than a worker may use here, and of what.
    TooLargeHere(String),
    /// Nothing is looked up in it.
    Nothing,
}

/// Returns the readiness of each file, in their order.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn of_each(app: &App, files: &[DebugFile]) -> Result<Vec<Readiness>> {
    let names: Vec<Option<String>> =
        files.iter().map(|file| Some(key(file)?.file_name())).collect();
    let asked = names.clone();
    let failures = app
        .db
        .read(move |tx| {
            let asked = asked.clone();
            Box::pin(async move { derive_failure::find_each(tx, &asked).await })
        })
        .await?;
    let (folder, now_ms) = (app.derived.folder.clone(), app.clock.now_ms());
    blocking::run(move || {
        let readiness = |(name, failure): (Option<String>, Option<DeriveFailure>)| match name {
            None => Readiness::Nothing,
            Some(name) if folder.has(&name) => Readiness::Ready,
            Some(_) => failure.map_or(Readiness::OnFirstUse, |failure| failed(failure, now_ms)),
        };
        Ok(names.into_iter().zip(failures).map(readiness).collect())
    })
    .await
}

fn failed(failure: DeriveFailure, now_ms: i64) -> Readiness {
    match failure.status {
        FailureStatus::Unusable => Readiness::Unusable(failure.reason),
        FailureStatus::TooLargeHere if failure.created_at_ms + TOO_LARGE_MS > now_ms => {
            Readiness::TooLargeHere(failure.reason)
        }
        // It is tried again.
        FailureStatus::TooLargeHere => Readiness::OnFirstUse,
    }
}

/// Returns what is derived of a stored file, where there is a look-up file for its format.
fn key(file: &DebugFile) -> Option<DerivedKey> {
    let has = |feature: &str| file.features.split(' ').any(|known| known == feature);
    match file.format.as_str() {
        "elf" if has("debug") || has("symtab") => Some(DerivedKey::Native { sha256: file.sha256 }),
        "sourcebundle" if has("sources") => Some(DerivedKey::Sources { sha256: file.sha256 }),
        _ => None,
    }
}
