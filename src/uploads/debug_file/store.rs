//! One identified debug file becomes a row, the keys events ask for, and work for later: all or nothing.

use symbolicate::identify::{FileFormat, Identified};

use super::Owner;
use crate::app::App;
use crate::blobs::Hashed;
use crate::db;
use crate::db::debug_file::DebugFile;
use crate::db::engine::Tx;
use crate::error::{Error, Result};
use crate::symbols::derived::DerivedKey;

/// Formats whose `symbolType` and content type are known.
const FORMATS: [FileFormat; 8] = [
    FileFormat::Elf,
    FileFormat::MachO,
    FileFormat::Pe,
    FileFormat::Pdb,
    FileFormat::PortablePdb,
    FileFormat::Wasm,
    FileFormat::Breakpad,
    FileFormat::SourceBundle,
];

/// Stores a file and queues what follows; returns the stored row, which is an earlier one if somebody was
/// faster, and the look-up file that should be derived at once.
pub(super) async fn store(
    app: &App,
    owner: Owner,
    hashed: Hashed,
    name: String,
    identified: Identified,
) -> Result<(DebugFile, Option<DerivedKey>)> {
    let file = row(app, owner, &hashed, name, &identified);
    let keys = keys(&identified);
    let derived = derived_key(&hashed, &identified);
    let job_ids = [app.clock.new_id(), app.clock.new_id()];
    let derive = derived.as_ref().map(ToString::to_string);
    let stored = app
        .db
        .write(move |tx| {
            let (file, keys, derive) = (file.clone(), keys.clone(), derive.clone());
            Box::pin(async move { insert(tx, file, &keys, derive.as_deref(), job_ids).await })
        })
        .await?;
    app.wake.jobs.notify_one();
    app.wake.resymbolicate.notify_one();
    let is_native = matches!(derived, Some(DerivedKey::Native { .. }));
    Ok((stored, derived.filter(|_| is_native)))
}

async fn insert(
    tx: &mut Tx<'_>,
    file: DebugFile,
    keys: &[String],
    derive: Option<&str>,
    [derive_job, resymbolicate_job]: [i64; 2],
) -> Result<DebugFile> {
    if !db::debug_file::insert(tx, &file).await? {
        let earlier = db::debug_file::find_by_sha1(tx, file.project_id, file.sha1).await?;
        return earlier.ok_or_else(|| Error::internal("a debug file is there and is not"));
    }
    let now_ms = file.created_at_ms;
    db::file_key::insert(tx, file.project_id, keys, file.id, now_ms).await?;
    if let Some(derive) = derive {
        db::job::enqueue(tx, derive_job, "derive", derive, now_ms).await?;
    }
    // Under the file's id, so that the job starts from what this file answers to.
    let arrived = file.id.to_string();
    db::job::enqueue(tx, resymbolicate_job, "resymbolicate", &arrived, now_ms).await?;
    Ok(file)
}

fn row(
    app: &App,
    owner: Owner,
    hashed: &Hashed,
    name: String,
    identified: &Identified,
) -> DebugFile {
    let notes = identified.notes.join("\n");
    DebugFile {
        id: app.clock.new_id(),
        project_id: owner.project,
        sha1: hashed.sha1,
        sha256: hashed.key,
        size: hashed.size.cast_signed(),
        name,
        debug_id: identified.debug_id.to_string(),
        code_id: identified.code_id.as_ref().map(|id| id.as_str().to_owned()),
        format: identified.format.symbol_type().to_owned(),
        object_kind: identified.object_kind.as_str().to_owned(),
        arch: identified.arch.clone(),
        features: identified.features.names().join(" "),
        detail: Some(notes).filter(|notes| !notes.is_empty()),
        created_at_ms: app.clock.now_ms(),
    }
}

/// Returns what events may ask for that this file answers.
fn keys(identified: &Identified) -> Vec<String> {
    if identified.format == FileFormat::SourceBundle {
        return vec![format!("source:{}", identified.debug_id)];
    }
    let code_id = identified.code_id.as_ref().map(|id| format!("code-id:{}", id.as_str()));
    std::iter::once(format!("debug-id:{}", identified.debug_id)).chain(code_id).collect()
}

/// Returns what should be derived of it, where there is a look-up file for its format.
fn derived_key(hashed: &Hashed, identified: &Identified) -> Option<DerivedKey> {
    let features = identified.features;
    match identified.format {
        FileFormat::Elf if features.debug || features.symtab => {
            Some(DerivedKey::Native { sha256: hashed.key })
        }
        FileFormat::SourceBundle if features.sources => {
            Some(DerivedKey::Sources { sha256: hashed.key })
        }
        _ => None,
    }
}

/// Returns the content type of a stored `symbolType`.
pub(super) fn content_type(symbol_type: &str) -> &'static str {
    FORMATS
        .into_iter()
        .find(|format| format.symbol_type() == symbol_type)
        .map_or("application/octet-stream", FileFormat::mime)
}
