//! One listed bundle becomes rows, the keys events ask for, and work for later: all or nothing.

use symbolicate::bundle::{ArtifactListing, BundleFile, FileKind};
use uuid::Uuid;

use super::Association;
use crate::app::App;
use crate::blobs::{Hashed, Sha1};
use crate::db;
use crate::db::artifact_bundle::{ArtifactBundle, ArtifactFile};
use crate::db::engine::Tx;
use crate::db::release::ReleaseKey;
use crate::error::{Error, Result};

/// Ties a bundle with these bytes to `association`, if the organization has one; says whether it has.
pub(super) async fn associate_known(
    app: &App,
    organization: i64,
    checksum: Sha1,
    association: &Association,
) -> Result<bool> {
    let known = app
        .db
        .read(move |tx| {
            Box::pin(
                async move { db::artifact_bundle::find_by_sha1(tx, organization, checksum).await },
            )
        })
        .await?;
    let Some(known) = known else { return Ok(false) };
    write(app, known, Vec::new(), association.clone()).await?;
    Ok(true)
}

/// Stores a bundle and what is in it.
pub(super) async fn store(
    app: &App,
    organization: i64,
    hashed: Hashed,
    listing: ArtifactListing,
    association: Association,
) -> Result<()> {
    // npm `sentry` writes no bundle id: the same bytes get the same one.
    let derived_id = || Uuid::new_v5(&Uuid::NAMESPACE_OID, &hashed.sha1.0).to_string();
    let bundle = ArtifactBundle {
        id: app.clock.new_id(),
        organization_id: organization,
        bundle_id: listing.bundle_id.map_or_else(derived_id, |id| id.to_string()),
        sha1: hashed.sha1,
        sha256: hashed.key,
        size: hashed.size.cast_signed(),
        file_count: i64::try_from(listing.files.len()).unwrap_or(i64::MAX),
        created_at_ms: app.clock.now_ms(),
    };
    let files = listing.files.into_iter().map(row).collect();
    write(app, bundle, files, association).await
}

async fn write(
    app: &App,
    bundle: ArtifactBundle,
    files: Vec<ArtifactFile>,
    association: Association,
) -> Result<()> {
    let (job_id, now_ms) = (app.clock.new_id(), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let (bundle, files, association) = (bundle.clone(), files.clone(), association.clone());
            Box::pin(async move {
                let id = insert(tx, &bundle, &files).await?;
                associate(tx, id, &association, now_ms).await?;
                // Under the bundle's id, so that the job starts from what this bundle answers to.
                let arrived = id.to_string();
                db::job::enqueue(tx, job_id, "resymbolicate", &arrived, now_ms).await
            })
        })
        .await?;
    app.wake.resymbolicate.notify_one();
    Ok(())
}

/// Inserts a bundle and its files, unless it is there; returns its id.
async fn insert(tx: &mut Tx<'_>, bundle: &ArtifactBundle, files: &[ArtifactFile]) -> Result<i64> {
    if !files.is_empty() && db::artifact_bundle::insert(tx, bundle).await? {
        db::artifact_bundle::insert_files(tx, bundle.id, files).await?;
        return Ok(bundle.id);
    }
    let earlier =
        db::artifact_bundle::find_by_sha1(tx, bundle.organization_id, bundle.sha1).await?;
    earlier.map(|earlier| earlier.id).ok_or_else(|| Error::internal("a bundle is there and is not"))
}

async fn associate(
    tx: &mut Tx<'_>,
    bundle: i64,
    association: &Association,
    now_ms: i64,
) -> Result<()> {
    let Association { projects, release, dist } = association;
    db::artifact_bundle::add_release(tx, bundle, release, dist, now_ms).await?;
    let ids = db::artifact_bundle::debug_ids(tx, bundle).await?;
    let keys: Vec<String> = ids.into_iter().map(|id| format!("sourcemap:{id}")).collect();
    for project in projects {
        db::artifact_bundle::add_project(tx, bundle, *project).await?;
        db::file_key::insert(tx, *project, &keys, bundle, now_ms).await?;
        if !release.is_empty() {
            let key = ReleaseKey { project_id: *project, version: release.clone() };
            db::release::uploaded(tx, &key, now_ms).await?;
        }
    }
    Ok(())
}

fn row(file: BundleFile) -> ArtifactFile {
    ArtifactFile {
        entry: file.entry,
        url: file.url,
        kind: kind(file.kind).to_owned(),
        debug_id: file.debug_id.map(|id| id.to_string()),
    }
}

/// Returns the manifest's word.
fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Source => "source",
        FileKind::MinifiedSource => "minified_source",
        FileKind::SourceMap => "source_map",
        FileKind::IndexedRamBundle => "indexed_ram_bundle",
        FileKind::Other => "other",
    }
}
