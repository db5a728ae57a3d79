//! Uploads of the made-up programs: the same use cases as for files from outside.

use std::collections::BTreeMap;

use protocol::upload::{
    AssembleArtifactBundle, AssembleDebugFile, AssembleResponse, AssembleState,
};
use sha1::{Digest as _, Sha1 as Hasher};

use super::catalogue::Program;
use super::fault;
use crate::app::App;
use crate::blobs::Sha1;
use crate::commands::demo_files::{DEBUG_FILE, SOURCE_BUNDLE};
use crate::error::{Error, Result};
use crate::uploads::chunk::{self, Encoding, Incoming};
use crate::uploads::debug_file::Owner;
use crate::uploads::{artifact_bundle, debug_file};

/// Files of the native program.
static NATIVE: &[(&str, &[u8])] =
    &[("contact-sheet.debug", DEBUG_FILE), ("contact-sheet.src.zip", SOURCE_BUNDLE)];

/// Uploads what a program's frames need.
///
/// # Errors
/// When a file is refused, or the stores do not answer.
pub(super) async fn upload(app: &App, owner: Owner, program: &Program) -> Result<()> {
    if program.is_native() {
        for (name, bytes) in NATIVE {
            debug_file(app, owner, name, bytes).await?;
        }
    }
    if program.script.is_some() {
        // Every release brings the same build.
        for version in &program.versions {
            let release = program.release_of(version);
            bundle(app, owner, &program.slug, release, fault::bundle(program)).await?;
        }
    }
    Ok(())
}

async fn debug_file(app: &App, owner: Owner, name: &str, bytes: &[u8]) -> Result<()> {
    let sha1 = chunk(app, owner.organization, bytes).await?;
    let file =
        AssembleDebugFile { name: name.to_owned(), debug_id: None, chunks: vec![sha1.clone()] };
    let answers = debug_file::assemble(app, owner, BTreeMap::from([(sha1, file)])).await?;
    answers.into_values().try_for_each(|answer| check(name, answer))
}

async fn bundle(
    app: &App,
    owner: Owner,
    project: &str,
    release: String,
    bytes: &[u8],
) -> Result<()> {
    let sha1 = chunk(app, owner.organization, bytes).await?;
    let request = AssembleArtifactBundle {
        checksum: sha1.clone(),
        chunks: vec![sha1],
        projects: vec![project.to_owned()],
        version: Some(release),
        dist: None,
    };
    let answer = artifact_bundle::assemble(app, owner.organization, request).await?;
    check("the artifact bundle", answer)
}

/// Stores a file as one chunk and returns its SHA-1 as text.
async fn chunk(app: &App, organization: i64, bytes: &[u8]) -> Result<String> {
    let sha1 = hex::encode(Hasher::digest(bytes));
    let claimed: Sha1 = sha1.parse()?;
    let mut incoming = Incoming::begin(app, claimed, Encoding::Plain)?;
    incoming.write(bytes)?;
    let hashed = incoming.finish(app).await?;
    chunk::register(app, organization, vec![hashed]).await?;
    Ok(sha1)
}

fn check(name: &str, answer: AssembleResponse) -> Result<()> {
    if answer.state == AssembleState::Ok {
        return Ok(());
    }
    let detail = answer.detail.unwrap_or_default();
    Err(Error::internal(format!("{name} was not stored ({:?}): {detail}", answer.state)))
}
