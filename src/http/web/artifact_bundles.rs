//! The uploaded source maps of a project: bundles, and the files of one.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use pages::artifact_bundles::{ArtifactBundleList, ArtifactBundlePage, BundledFile};
use pages::chrome::{Project, Section};
use pages::releases::BundleRow;
use protocol::time::Timestamp;
use serde::Deserialize;

use super::figures::count;
use super::html::Html;
use super::listing::{Listing, ROWS_MAX, limit};
use super::visit::ProjectVisit;
use crate::accounts::permission::ReadProjects;
use crate::app::App;
use crate::db::artifact_bundle::{self, ArtifactBundle, ArtifactFile};
use crate::db::engine::Tx;
use crate::error::{Error, Result};
use crate::http::origin::Origin;

/// Files that the page of a bundle shows.
const FILES_MAX: i64 = 500;
/// Releases of a bundle that are read.
const RELEASES_MAX: i64 = 100;

/// `GET /{organization}/{project}/source-maps/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadProjects>,
    origin: Origin,
    Query(listing): Query<Listing>,
) -> Result<Response> {
    let before = listing.before(i64::MAX, |text| text.parse().ok())?;
    let (project, text) = (at.project.id, listing.text());
    let bundles = app
        .db
        .read(move |tx| {
            let text = text.clone();
            Box::pin(async move {
                let found = match text.as_str() {
                    "" => artifact_bundle::page(tx, project, before, limit()).await?,
                    text => artifact_bundle::search(tx, project, text, before, limit()).await?,
                };
                with_releases(tx, found).await
            })
        })
        .await?;
    let project = at.shown();
    let path = project.source_maps_url();
    let next = listing.next(&path, &bundles, |(bundle, _)| bundle.id.to_string());
    let shown = bundles.into_iter().take(ROWS_MAX);
    let page = ArtifactBundleList {
        chrome: at.chrome_in(&app, Section::SourceMaps),
        query: listing.query().to_owned(),
        bundles: shown.map(|bundle| row(&project, bundle)).collect(),
        first: listing.first(&path),
        next,
        upload: at.upload_help(&origin),
        project,
    };
    Ok(Html(page).into_response())
}

/// A bundle with the releases that it was uploaded for.
pub(super) type Released = (ArtifactBundle, Vec<String>);

/// Adds their releases to bundles.
pub(super) async fn with_releases(
    tx: &mut Tx<'_>,
    bundles: Vec<ArtifactBundle>,
) -> Result<Vec<Released>> {
    let mut released = Vec::with_capacity(bundles.len());
    for bundle in bundles {
        let releases = artifact_bundle::releases(tx, bundle.id, RELEASES_MAX).await?;
        released.push((bundle, releases));
    }
    Ok(released)
}

/// Returns a bundle as pages show it.
pub(super) fn row(project: &Project, (bundle, releases): Released) -> BundleRow {
    BundleRow {
        url: format!("{}{}/", project.source_maps_url(), bundle.id),
        bundle_id: bundle.bundle_id,
        releases,
        files: count(bundle.file_count),
        bytes: count(bundle.size),
        uploaded: Timestamp(bundle.created_at_ms),
    }
}

/// Which bundle a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct BundlePath {
    bundle: i64,
}

/// `GET /{organization}/{project}/source-maps/{bundle}/`.
pub(crate) async fn show(
    State(app): State<App>,
    at: ProjectVisit<ReadProjects>,
    Path(path): Path<BundlePath>,
) -> Result<Response> {
    let (project, id) = (at.project.id, path.bundle);
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let Some(bundle) = artifact_bundle::find(tx, project, id).await? else {
                    return Ok(None);
                };
                let releases = artifact_bundle::releases(tx, id, RELEASES_MAX).await?;
                let files = artifact_bundle::files(tx, id, FILES_MAX).await?;
                let maps = artifact_bundle::debug_ids_of_maps(tx, id).await?;
                Ok(Some((bundle, releases, files, maps)))
            })
        })
        .await?;
    let (bundle, releases, files, maps) = found.ok_or(Error::NotFound)?;
    let (project, maps) = (at.shown(), maps.into_iter().collect::<BTreeSet<_>>());
    let page = ArtifactBundlePage {
        chrome: at.chrome_in(&app, Section::SourceMaps),
        release_urls: releases.iter().map(|release| project.release_url(release)).collect(),
        files: files.into_iter().map(|file| bundled(file, &maps)).collect(),
        bundle: row(&project, (bundle, releases)),
        project,
    };
    Ok(Html(page).into_response())
}

fn bundled(file: ArtifactFile, maps: &BTreeSet<String>) -> BundledFile {
    let has_map = file.debug_id.as_ref().is_some_and(|id| maps.contains(id));
    BundledFile {
        lacks_map: file.kind == "minified_source" && !has_map,
        url: file.url,
        kind: file.kind,
        debug_id: file.debug_id,
    }
}
