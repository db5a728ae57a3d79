//! Debug files and source bundles: `files/difs/assemble`.
//!
//! Files are told apart by content: an object and its source bundle have one name and one debug id
//! (sentry-cli, `--include-sources`). `ok` means stored, identified and visible to the digest. `created`
//! is never answered: sentry-cli would stop asking and not learn of an error.

mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use protocol::id::DebugId;
use protocol::time::Timestamp;
use protocol::upload::{
    AssembleDebugFile, AssembleDebugFiles, AssembleResponse, AssembleState, DebugFileData,
    DebugFileInfo,
};
use symbolicate::identify::Identified;

use super::assemble::{Assembly, assemble as assemble_chunks};
use crate::app::App;
use crate::blobs::{Hashed, Sha1};
use crate::blocking;
use crate::db;
use crate::db::debug_file::DebugFile;
use crate::error::{Error, Result};
use crate::symbols::derived::{self, DerivedKey, Outcome};
use crate::symbols::worker::{Operation, WorkerOutcome};

/// Most files of one request.
const FILES_MAX: usize = 10_000;

/// Files of one request that are worked on at the same time; workers have a bound of their own.
const FILES_AT_ONCE: usize = 4;

/// How long the answer waits for the look-up files, so that the first crash is already warm.
const DERIVE_WAIT_MAX: Duration = Duration::from_secs(2);

/// Longest name of a file that is kept, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// Largest answer of the worker, in bytes.
const IDENTIFIED_BYTES_MAX: u64 = 1 << 20;

/// Whose files are assembled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner {
    /// Whose chunks may be used.
    pub(crate) organization: i64,
    /// Who sees the files.
    pub(crate) project: i64,
}

/// Assembles, identifies and stores files; answers about each of them under the key it was asked by.
///
/// # Errors
/// `Invalid` when the request is malformed, or the database or the blob store does not answer. What is
/// wrong with a file is said in its answer.
pub(crate) async fn assemble(
    app: &App,
    owner: Owner,
    request: AssembleDebugFiles,
) -> Result<BTreeMap<String, AssembleResponse>> {
    if request.len() > FILES_MAX {
        return Err(Error::Invalid(format!(
            "the request has {} files, at most {FILES_MAX}",
            request.len()
        )));
    }
    let mut answered: Vec<(String, Answered)> = stream::iter(request)
        .map(|(text, file)| async move {
            let checksum = text.parse()?;
            Ok::<_, Error>((text, assemble_one(app, owner, checksum, &file).await?))
        })
        .buffer_unordered(FILES_AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .into_iter()
        .collect::<Result<_>>()?;
    warm(app, &mut answered).await;
    Ok(answered.into_iter().map(|(text, answered)| (text, answered.response)).collect())
}

/// An answer, and what should be derived before it is given.
struct Answered {
    response: AssembleResponse,
    fresh: Option<DerivedKey>,
}

impl From<AssembleResponse> for Answered {
    fn from(response: AssembleResponse) -> Self {
        Self { response, fresh: None }
    }
}

async fn assemble_one(
    app: &App,
    owner: Owner,
    checksum: Sha1,
    request: &AssembleDebugFile,
) -> Result<Answered> {
    if let Some(known) = find(app, owner.project, checksum).await? {
        return Ok(ok(&known).into());
    }
    let name = base_name(&request.name);
    if request.name.contains("/proguard/") {
        return Ok(super::refused("ProGuard mappings are not supported yet").into());
    }
    let hashed = match assemble_chunks(app, owner.organization, checksum, &request.chunks).await? {
        Assembly::Stored(hashed) => hashed,
        Assembly::Answer(answer) => return Ok((*answer).into()),
    };
    let identified = match identify(app, &hashed, &name).await? {
        Ok(identified) => with_requested_age(identified, request.debug_id.as_deref()),
        Err(reason) => return Ok(super::refused(format!("{name}: {reason}")).into()),
    };
    let (file, fresh) = store::store(app, owner, hashed, name, identified).await?;
    Ok(Answered { response: ok(&file), fresh })
}

async fn find(app: &App, project: i64, checksum: Sha1) -> Result<Option<DebugFile>> {
    app.db
        .read(move |tx| {
            Box::pin(async move { db::debug_file::find_by_sha1(tx, project, checksum).await })
        })
        .await
}

/// Tells what a stored file is, or why it cannot be used.
async fn identify(
    app: &App,
    hashed: &Hashed,
    name: &str,
) -> Result<std::result::Result<Identified, String>> {
    let input = app.blobs.open_local(hashed.key).await?;
    let operation = Operation::Identify { name: name.to_owned() };
    Ok(match app.workers.run(operation, vec![input]).await? {
        WorkerOutcome::Output(output, _) => {
            let read = move || Ok(output.read(IDENTIFIED_BYTES_MAX)?);
            Ok(serde_json::from_slice(&blocking::run(read).await?)?)
        }
        WorkerOutcome::Unusable(why) | WorkerOutcome::TooLargeHere(why) => Err(why),
        WorkerOutcome::Crashed(why) => {
            tracing::error!(blob.key = %hashed.key, "a worker crashed identifying {name}: {why}");
            Err(why)
        }
    })
}

/// Takes the debug id of the request where it differs in its age only: sentry-cli sends a PDB under the
/// age that its executable asks for.
fn with_requested_age(mut identified: Identified, requested: Option<&str>) -> Identified {
    let requested = requested.and_then(|text| text.parse::<DebugId>().ok());
    if let Some(requested) = requested.filter(|id| id.uuid == identified.debug_id.uuid) {
        identified.debug_id = requested;
    }
    identified
}

/// Returns the last part of a path of any system, bounded.
fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base[..base.floor_char_boundary(NAME_BYTES_MAX)].to_owned()
}

/// Derives look-up files as long as there is time, and tells in the answers what they lack. What is not
/// done then, the queued job does.
async fn warm(app: &App, answered: &mut [(String, Answered)]) {
    let derive =
        stream::iter(answered.iter_mut()).for_each_concurrent(FILES_AT_ONCE, |item| async {
            let (_, Answered { response, fresh: Some(key) }) = item else { return };
            match derived::open(app, key).await {
                Ok(Outcome::File(_)) => {}
                Ok(Outcome::Unusable(why) | Outcome::TooLargeHere(why)) => {
                    let detail = response.detail.get_or_insert_default();
                    detail.push_str(if detail.is_empty() { "" } else { "\n" });
                    detail.push_str(&format!("not usable for symbolication: {why}"));
                }
                Err(error) => {
                    tracing::warn!("could not derive {key} right after its upload: {error}");
                }
            }
        });
    // Running out of time is fine: see above.
    drop(tokio::time::timeout(DERIVE_WAIT_MAX, derive).await);
}

fn ok(file: &DebugFile) -> AssembleResponse {
    AssembleResponse {
        state: AssembleState::Ok,
        missing_chunks: Vec::new(),
        detail: file.detail.clone(),
        dif: Some(info(file)),
    }
}

/// Returns a stored file as clients read it.
pub(crate) fn info(file: &DebugFile) -> DebugFileInfo {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let content_type = ("Content-Type".to_owned(), store::content_type(&file.format).to_owned());
    DebugFileInfo {
        id: file.id.to_string(),
        uuid: file.debug_id.chars().take(36).collect(),
        debug_id: file.debug_id.clone(),
        code_id: file.code_id.clone(),
        cpu_name: file.arch.clone(),
        object_name: file.name.clone(),
        symbol_type: file.format.clone(),
        headers: BTreeMap::from([content_type]),
        size: file.size.cast_unsigned(),
        sha1: file.sha1.to_string(),
        date_created: Timestamp(file.created_at_ms).to_string(),
        data: DebugFileData { kind: file.object_kind.clone(), features: words(&file.features) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_names_are_taken_of_any_systems_paths() {
        assert_eq!(base_name("/usr/lib/libc.so"), "libc.so");
        assert_eq!(base_name(r"C:\build\app.pdb"), "app.pdb");
        assert_eq!(base_name(&"é".repeat(200)).len(), 254);
    }
}
