//! The releases of a project, and one of them.

use std::collections::BTreeSet;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use pages::address::with_query;
use pages::chrome::{Project, Section};
use pages::issue::IssueStatus;
use pages::releases::{Frames, ReleaseIssue, ReleaseList, ReleasePage, ReleaseRow};
use protocol::id::IssueId;
use protocol::level::Level;
use protocol::short_id::short_id;
use protocol::time::Timestamp;
use serde::Deserialize;

use super::artifact_bundles::{self, Released};
use super::figures::count;
use super::html::Html;
use super::listing::{Listing, ROWS_MAX, limit};
use super::visit::ProjectVisit;
use crate::accounts::permission::{ReadEvents, ReadProjects};
use crate::app::App;
use crate::db::engine::Tx;
use crate::db::issue::StoredIssue;
use crate::db::release::{Before, Release, SeenIssue};
use crate::db::{artifact_bundle, issue, release};
use crate::error::{Error, Result};
use crate::http::origin::Origin;
use crate::ingest::summary::Metadata;

/// Issues of each kind that the page of a release shows.
const ISSUES_MAX: usize = 25;
/// Bundles that the page of a release shows.
const BUNDLES_MAX: i64 = 25;

/// `GET /{organization}/{project}/releases/`.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectVisit<ReadProjects>,
    Query(listing): Query<Listing>,
) -> Result<Response> {
    let top = Before { active_at_ms: i64::MAX, version: String::new() };
    let before = listing.before(top, place)?;
    let (id, text) = (at.project.id, listing.text());
    let releases = app
        .db
        .read(move |tx| {
            let (text, before) = (text.clone(), before.clone());
            Box::pin(async move { release::page(tx, id, &text, &before, limit()).await })
        })
        .await?;
    let project = at.shown();
    let path = project.releases_url();
    let after = |last: &Release| format!("{}-{}", last.active_at_ms, last.version);
    let page = ReleaseList {
        chrome: at.chrome_in(&app, Section::Releases),
        query: listing.query().to_owned(),
        first: listing.first(&path),
        next: listing.next(&path, &releases, after),
        releases: releases.into_iter().take(ROWS_MAX).map(|found| row(&project, found)).collect(),
        project,
    };
    Ok(Html(page).into_response())
}

/// Reads a place in the list.
fn place(text: &str) -> Option<Before> {
    let (active_at_ms, version) = text.split_once('-')?;
    Some(Before { active_at_ms: active_at_ms.parse().ok()?, version: version.to_owned() })
}

fn row(project: &Project, release: Release) -> ReleaseRow {
    ReleaseRow {
        url: project.release_url(&release.version),
        version: release.version,
        first_event: release.first_event_ms.map(Timestamp),
        last_event: release.last_event_ms.map(Timestamp),
        created: Timestamp(release.created_at_ms),
        events: count(release.n),
        issues_new: count(release.issues_new),
        bundles: count(release.bundles),
        frames: Frames {
            resolved: count(release.frames_resolved),
            unresolved: count(release.frames_unresolved),
        },
    }
}

/// Which release a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct ReleasePath {
    version: String,
}

/// `GET /{organization}/{project}/releases/{version}/`.
pub(crate) async fn show(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    origin: Origin,
    Path(path): Path<ReleasePath>,
) -> Result<Response> {
    let id = at.project.id;
    let found = app
        .db
        .read(move |tx| {
            let version = path.version.clone();
            Box::pin(async move { read(tx, id, &version).await })
        })
        .await?;
    let found = found.ok_or(Error::NotFound)?;
    let project = at.shown();
    let bundle = |bundle: Released| artifact_bundles::row(&project, bundle);
    let search = format!("release:\"{}\"", found.release.version);
    let page = ReleasePage {
        chrome: at.chrome_in(&app, Section::Releases),
        issues_url: with_query(&project.issues_url(), &[("query", &search)]),
        release: row(&project, found.release),
        new: found.new.iter().map(|(issue, seen)| shown(&project, issue, seen)).collect(),
        seen: found.seen.iter().map(|(issue, seen)| shown(&project, issue, seen)).collect(),
        bundles: found.bundles.into_iter().map(bundle).collect(),
        upload: at.upload_help(&origin),
        project: project.clone(),
    };
    Ok(Html(page).into_response())
}

/// What the page of a release shows.
struct Found {
    release: Release,
    new: Vec<(StoredIssue, SeenIssue)>,
    seen: Vec<(StoredIssue, SeenIssue)>,
    bundles: Vec<Released>,
}

async fn read(tx: &mut Tx<'_>, project: i64, version: &str) -> Result<Option<Found>> {
    let Some(release) = release::find(tx, project, version).await? else { return Ok(None) };
    let max = i64::try_from(ISSUES_MAX).unwrap_or(i64::MAX);
    let new = release::issues_new(tx, project, version, max).await?;
    // Enough that some are left when the new ones are taken out.
    let seen_all = release::issues_seen(tx, project, version, 2 * max).await?;
    let new_ids: BTreeSet<i64> = new.iter().map(|issue| issue.id).collect();
    let mut seen = Vec::new();
    for found in seen_all.iter().filter(|found| !new_ids.contains(&found.issue_id)) {
        if seen.len() == ISSUES_MAX {
            break;
        }
        let issue = issue::by_id(tx, IssueId(found.issue_id)).await?;
        let is_older = |issue: &StoredIssue| issue.first_release.as_deref() != Some(version);
        seen.extend(issue.filter(is_older).map(|issue| (issue, found.clone())));
    }
    let mut counted = Vec::with_capacity(new.len());
    for issue in new {
        let here = release::seen(tx, issue.id, version).await?;
        counted.extend(here.map(|here| (issue, here)));
    }
    let bundles = artifact_bundle::of_release(tx, project, version, BUNDLES_MAX).await?;
    let bundles = artifact_bundles::with_releases(tx, bundles).await?;
    Ok(Some(Found { release, new: counted, seen, bundles }))
}

fn shown(project: &Project, issue: &StoredIssue, seen: &SeenIssue) -> ReleaseIssue {
    let metadata: Metadata = serde_json::from_str(&issue.metadata).unwrap_or_default();
    let short_id = short_id(&project.slug, issue.number);
    ReleaseIssue {
        url: project.issue_url(&short_id),
        short_id,
        title: issue.title.clone(),
        culprit: issue.culprit.clone(),
        level: Level::from_text(&issue.level).unwrap_or_default(),
        status: IssueStatus::from_text(&issue.status).unwrap_or_default(),
        unresolved_frames: metadata.unresolved_frames > 0,
        events: count(seen.n),
        last_seen: Timestamp(seen.last_seen_ms),
    }
}
