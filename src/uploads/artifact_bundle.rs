//! Source map bundles: `artifactbundle/assemble`.
//!
//! A bundle belongs to an organization, is seen by the projects it was uploaded for, and is tied to any
//! number of releases. Bundles are told apart by content: the bundle id of the same files is the same for
//! every release while the bytes differ, and nothing keeps a client from giving one id to other files.

mod store;

use std::collections::BTreeSet;

use protocol::upload::{AssembleArtifactBundle, AssembleResponse, AssembleState};
use symbolicate::bundle::ArtifactListing;

use super::assemble::{Assembly, assemble as assemble_chunks};
use super::refused;
use crate::app::App;
use crate::blobs::{Hashed, Sha1};
use crate::blocking;
use crate::db;
use crate::error::{Error, Result};
use crate::symbols::worker::{Operation, WorkerOutcome};

/// Most projects of one bundle.
const PROJECTS_MAX: usize = 200;

/// Longest release, in characters, as Sentry has it.
const RELEASE_CHARS_MAX: usize = 200;

/// Longest distribution, in characters, as Sentry and sentry-cli have it.
const DIST_CHARS_MAX: usize = 64;

/// Largest list of files that a worker may answer with, in bytes.
const LISTING_BYTES_MAX: u64 = 128 << 20;

/// Who sees a bundle, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Association {
    /// Ids, each once.
    projects: BTreeSet<i64>,
    /// Empty if there is none.
    release: String,
    /// Empty if there is none.
    dist: String,
}

/// Assembles a bundle, lists its files in a worker and stores it, or ties a known one to what is asked.
///
/// # Errors
/// `Invalid` when the request is malformed or a project does not exist, or the database or the blob store
/// does not answer. What is wrong with the bundle is said in the answer.
pub(crate) async fn assemble(
    app: &App,
    organization: i64,
    request: AssembleArtifactBundle,
) -> Result<AssembleResponse> {
    let checksum: Sha1 = request.checksum.parse()?;
    let release = checked_release(&request)?;
    let dist = request.dist.clone().unwrap_or_default();
    let projects = find_projects(app, organization, request.projects).await?;
    let association = Association { projects, release, dist };
    if store::associate_known(app, organization, checksum, &association).await? {
        return Ok(ok(None));
    }
    let hashed = match assemble_chunks(app, organization, checksum, &request.chunks).await? {
        Assembly::Stored(hashed) => hashed,
        Assembly::Answer(answer) => return Ok(*answer),
    };
    let listing = match list(app, &hashed).await? {
        Ok(listing) => listing,
        Err(reason) => return Ok(refused(format!("the bundle is invalid: {reason}"))),
    };
    if listing.files.is_empty() {
        // sentry-cli sends such bundles when no input was text; there is nothing to keep.
        return Ok(ok(Some("the bundle contains no files")));
    }
    let association = association.or_of(&listing);
    if association.release.is_empty() && listing.files.iter().all(|file| file.debug_id.is_none()) {
        let reason = "uploading a bundle without debug ids or release is prohibited: run \
                      `sentry-cli sourcemaps inject` first, or give a release";
        return Ok(refused(reason));
    }
    let notes = listing.problems.join("\n");
    store::store(app, organization, hashed, listing, association).await?;
    Ok(ok(Some(notes.as_str()).filter(|notes| !notes.is_empty())))
}

impl Association {
    /// Takes release and distribution of the manifest where the request has none.
    fn or_of(mut self, listing: &ArtifactListing) -> Self {
        if self.release.is_empty() {
            let is_valid = |release: &&String| check_release(release).is_ok();
            self.release = listing.release.iter().find(is_valid).cloned().unwrap_or_default();
            let dist = listing.dist.clone().filter(|dist| dist.chars().count() <= DIST_CHARS_MAX);
            self.dist = dist.filter(|_| !self.release.is_empty()).unwrap_or_default();
        }
        self
    }
}

/// Returns the release, empty if there is none.
fn checked_release(request: &AssembleArtifactBundle) -> Result<String> {
    let release = request.version.clone().unwrap_or_default();
    let dist = request.dist.as_deref().unwrap_or_default();
    if release.is_empty() && !dist.is_empty() {
        return Err(invalid("You need to specify a release together with a dist"));
    }
    if dist.chars().count() > DIST_CHARS_MAX {
        return Err(invalid(&format!("the dist is longer than {DIST_CHARS_MAX} characters")));
    }
    check_release(&release)?;
    Ok(release)
}

fn check_release(release: &str) -> Result<()> {
    if release.chars().count() > RELEASE_CHARS_MAX {
        return Err(invalid(&format!("the release is longer than {RELEASE_CHARS_MAX} characters")));
    }
    if release.contains(['/', '\\', '\n', '\r', '\t', '\x0c']) || matches!(release, "." | "..") {
        return Err(invalid("the release contains a slash or a line break, or is `.` or `..`"));
    }
    Ok(())
}

/// Returns the ids of projects, given as slugs or as ids.
async fn find_projects(app: &App, organization: i64, names: Vec<String>) -> Result<BTreeSet<i64>> {
    if names.is_empty() {
        return Err(invalid("You need to specify at least one project"));
    }
    if names.len() > PROJECTS_MAX {
        return Err(invalid(&format!("{} projects, at most {PROJECTS_MAX}", names.len())));
    }
    let found = app
        .db
        .read(move |tx| {
            let names = names.clone();
            Box::pin(async move {
                let mut ids = BTreeSet::new();
                for name in names {
                    let project = match name.parse() {
                        Ok(id) => db::project::find(tx, organization, id).await?,
                        Err(_) => db::project::find_by_slug(tx, organization, &name).await?,
                    };
                    let Some(project) = project else { return Ok(None) };
                    ids.insert(project.id);
                }
                Ok(Some(ids))
            })
        })
        .await?;
    found.ok_or_else(|| invalid("One or more projects are invalid"))
}

async fn list(app: &App, hashed: &Hashed) -> Result<std::result::Result<ArtifactListing, String>> {
    let input = app.blobs.open_local(hashed.key).await?;
    match app.workers.run(Operation::ListBundle, vec![input]).await? {
        WorkerOutcome::Output(output, _) => {
            let read = move || Ok(output.read(LISTING_BYTES_MAX)?);
            Ok(Ok(serde_json::from_slice(&blocking::run(read).await?)?))
        }
        WorkerOutcome::Unusable(why) | WorkerOutcome::TooLargeHere(why) => Ok(Err(why)),
        WorkerOutcome::Crashed(why) => {
            tracing::error!(blob.key = %hashed.key, "a worker crashed listing a bundle: {why}");
            Ok(Err(why))
        }
    }
}

fn ok(detail: Option<&str>) -> AssembleResponse {
    AssembleResponse {
        state: AssembleState::Ok,
        missing_chunks: Vec::new(),
        detail: detail.map(str::to_owned),
        dif: None,
    }
}

fn invalid(message: &str) -> Error {
    Error::Invalid(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(version: &str, dist: &str) -> AssembleArtifactBundle {
        AssembleArtifactBundle {
            checksum: String::new(),
            chunks: Vec::new(),
            projects: Vec::new(),
            version: Some(version.to_owned()),
            dist: Some(dist.to_owned()),
        }
    }

    #[test]
    fn releases_are_checked_as_sentry_does() {
        assert_eq!(checked_release(&request("app@1.0+5", "42")).unwrap(), "app@1.0+5");
        for (version, dist) in [("", "42"), ("a/b", ""), ("..", ""), (&"x".repeat(201), "")] {
            assert!(checked_release(&request(version, dist)).is_err(), "{version} {dist}");
        }
        assert!(checked_release(&request("1", &"d".repeat(65))).is_err());
    }

    #[test]
    fn the_requests_release_wins_over_the_manifests() {
        let listing = ArtifactListing {
            release: Some("manifest".to_owned()),
            dist: Some("7".to_owned()),
            ..ArtifactListing::default()
        };
        let association = |release: &str| Association {
            projects: BTreeSet::new(),
            release: release.to_owned(),
            dist: String::new(),
        };
        assert_eq!(association("request").or_of(&listing), association("request"));
        let taken = association("").or_of(&listing);
        assert_eq!((taken.release.as_str(), taken.dist.as_str()), ("manifest", "7"));
    }
}
