//! Finds what symbolication wants among the stored files: the shell around the pure core.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::id::{CodeId, DebugId, ProjectId};
use quick_cache::sync::Cache;
use symbolicate::js::JsLookup;
use symbolicate::native::NativeLookup;
use symbolicate::sources::Sources;
use symbolicate::wanted::{Found, Wanted};

use super::derived::{self, DerivedKey, Outcome};
use crate::app::App;
use crate::db;
use crate::db::debug_file::DebugFile;
use crate::error::{Error, Result};

/// Opened look-up files that are kept; each is a memory map and a few hundred bytes.
const OPENED_MAX: usize = 512;

/// Most files of one id that are looked at.
const FILES_MAX: u32 = 20;
/// Sentry's word for a bundle of source files.
const SOURCE_BUNDLE: &str = "sourcebundle";

/// Look-up files that were opened already, by the key of the derived file.
pub(crate) struct Opened(Cache<String, Found>);

impl Opened {
    /// Makes an empty cache.
    pub(crate) fn new() -> Self {
        Self(Cache::new(OPENED_MAX))
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Opened({} files)", self.0.len())
    }
}

/// Finds everything that is wanted for events of one project.
///
/// What cannot be had now, because the blob store does not answer, has its error: only the events that want it
/// need to wait.
///
/// # Errors
/// When the database cannot be asked. A file that is not there is no error.
pub(crate) async fn find_all(
    app: &App,
    project: ProjectId,
    wanted: &[Wanted],
) -> Result<BTreeMap<Wanted, Result<Found>>> {
    let mut found = BTreeMap::new();
    for wanted in wanted {
        let one = match find(app, project, wanted).await {
            Err(error @ Error::Unavailable { .. }) => Err(error),
            one => Ok(one?),
        };
        found.insert(wanted.clone(), one);
    }
    Ok(found)
}

async fn find(app: &App, project: ProjectId, wanted: &Wanted) -> Result<Found> {
    match wanted {
        Wanted::DebugFile { debug_id, code_id } => {
            debug_file(app, project, *debug_id, code_id.clone()).await
        }
        Wanted::Sources { debug_id } => sources(app, project, *debug_id).await,
        Wanted::SourceMap { debug_id } => source_map(app, project, *debug_id).await,
    }
}

/// Finds the best file of a native image: one with debug information before one with symbols only, a newer
/// one before an older one.
async fn debug_file(
    app: &App,
    project: ProjectId,
    debug_id: Option<DebugId>,
    code_id: Option<CodeId>,
) -> Result<Found> {
    let ids = (debug_id, code_id);
    let mut files = app
        .db
        .read(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let (debug_id, code_id) = ids;
                let mut files = Vec::new();
                if let Some(debug_id) = debug_id {
                    let text = debug_id.to_string();
                    files = db::debug_file::with_debug_id(tx, project.0, &text, FILES_MAX).await?;
                }
                if let Some(code_id) = code_id.filter(|_| !files.iter().any(is_native)) {
                    files =
                        db::debug_file::with_code_id(tx, project.0, code_id.as_str(), FILES_MAX)
                            .await?;
                }
                Ok(files)
            })
        })
        .await?;
    let mut refusal = Found::Missing;
    // Files with debug information first; the sort is stable, so newer ones stay before older ones.
    files.sort_by_key(|file| !file.features.split(' ').any(|feature| feature == "debug"));
    for file in files.iter().filter(|file| is_native(file)) {
        let key = DerivedKey::Native { sha256: file.sha256 };
        match open(app, &key).await? {
            found @ Found::Native(_) => return Ok(found),
            other => refusal = other,
        }
    }
    Ok(refusal)
}

fn is_native(file: &DebugFile) -> bool {
    file.format != SOURCE_BUNDLE
}

async fn sources(app: &App, project: ProjectId, debug_id: DebugId) -> Result<Found> {
    let files = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let text = debug_id.to_string();
                db::debug_file::with_debug_id(tx, project.0, &text, FILES_MAX).await
            })
        })
        .await?;
    match files.iter().find(|file| file.format == SOURCE_BUNDLE) {
        None => Ok(Found::Missing),
        Some(file) => open(app, &DerivedKey::Sources { sha256: file.sha256 }).await,
    }
}

/// Finds the newest bundle with the map and, where it is another one, that with the minified file.
async fn source_map(app: &App, project: ProjectId, debug_id: DebugId) -> Result<Found> {
    let files = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let text = debug_id.to_string();
                db::artifact_bundle::files_with_debug_id(tx, project.0, &text, FILES_MAX).await
            })
        })
        .await?;
    let map = files.iter().find(|file| file.kind == "source_map");
    let minified = files.iter().find(|file| file.kind == "minified_source");
    let Some(map) = map else {
        return Ok(if minified.is_some() { Found::WithoutMap } else { Found::Missing });
    };
    // The bundle that has both, where there is one: the two then belong to one build for certain.
    let both = files.iter().filter(|file| file.kind == "source_map").find(|map| {
        files
            .iter()
            .any(|file| file.kind == "minified_source" && file.bundle_sha256 == map.bundle_sha256)
    });
    let mut bundles = vec![both.unwrap_or(map).bundle_sha256];
    if both.is_none()
        && let Some(minified) = minified
    {
        bundles.push(minified.bundle_sha256);
    }
    open(app, &DerivedKey::Js { bundles, debug_id }).await
}

/// Opens a derived file, or remembers that it is open.
async fn open(app: &App, key: &DerivedKey) -> Result<Found> {
    let text = key.to_string();
    if let Some(found) = app.opened.0.get(&text) {
        return Ok(found);
    }
    let bytes = match derived::open(app, key).await {
        Ok(Outcome::File(bytes)) => bytes,
        Ok(Outcome::Unusable(reason)) => return Ok(Found::Unusable(reason)),
        Ok(Outcome::TooLargeHere(reason)) => return Ok(Found::TooLargeHere(reason)),
        // One lost file must not hold up the digest of everything else.
        Err(Error::NotFound) => {
            tracing::error!(derived.key = %key, "an uploaded file of {key} is gone from the blob store");
            return Ok(Found::Unusable(
                "it is gone from the server's storage: upload it again".to_owned(),
            ));
        }
        Err(error) => return Err(error),
    };
    let damaged = |error: &dyn std::fmt::Display| {
        Found::Unusable(format!("its look-up file is damaged: {error}"))
    };
    let found = match key {
        DerivedKey::Native { .. } => match NativeLookup::open(bytes) {
            Ok(lookup) => Found::Native(Arc::new(lookup)),
            Err(error) => return Ok(damaged(&error)),
        },
        DerivedKey::Sources { .. } => match Sources::open(bytes) {
            Ok(sources) => Found::Sources { sources: Arc::new(sources), derived: text.clone() },
            Err(error) => return Ok(damaged(&error)),
        },
        DerivedKey::Js { .. } => match JsLookup::open(bytes) {
            Ok(lookup) => Found::SourceMap { lookup: Arc::new(lookup), derived: text.clone() },
            Err(error) => return Ok(damaged(&error)),
        },
    };
    app.opened.0.insert(text, found.clone());
    Ok(found)
}

/// Returns source lines that a kept frame refers to; `None` where the file is gone or no longer readable.
///
/// # Errors
/// When the database or the blob store cannot be asked.
pub(crate) async fn lines(
    app: &App,
    source: &protocol::stacktrace::SourceRef,
    around: u32,
) -> Result<Option<symbolicate::sources::Context>> {
    let Ok(key) = source.derived.parse::<DerivedKey>() else { return Ok(None) };
    let Some(hash) = decoded(&source.hash) else { return Ok(None) };
    let read = |sources: &Sources| {
        let index = sources.find_by_hash(&hash)?;
        sources.lines(index, source.line, around, around)
    };
    Ok(match open(app, &key).await? {
        Found::Sources { sources, .. } => read(&sources),
        Found::SourceMap { lookup, .. } => read(lookup.sources()),
        _ => None,
    })
}

fn decoded(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}
