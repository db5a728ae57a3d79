//! `artifact_bundle` and its tables: uploaded source map bundles, what is in them, and for whom.

use super::engine::{Bind, Tx, from_row};
use crate::blobs::{BlobKey, Sha1};
use crate::error::Result;

/// An uploaded bundle. The same files uploaded for two releases are two bundles with one `bundle_id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArtifactBundle {
    /// Ordered by time.
    pub(crate) id: i64,
    /// Whose it is.
    pub(crate) organization_id: i64,
    /// What its maker calls it.
    pub(crate) bundle_id: String,
    /// Its bytes, as clients call them.
    pub(crate) sha1: Sha1,
    /// Its bytes in the store.
    pub(crate) sha256: BlobKey,
    /// How many there are.
    pub(crate) size: i64,
    /// Files in it.
    pub(crate) file_count: i64,
    /// When it was stored.
    pub(crate) created_at_ms: i64,
}
from_row!(ArtifactBundle {
    id,
    organization_id,
    bundle_id,
    sha1,
    sha256,
    size,
    file_count,
    created_at_ms,
});

/// A file in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArtifactFile {
    /// Name in the archive.
    pub(crate) entry: String,
    /// Name to look it up by.
    pub(crate) url: String,
    /// The manifest's word for its kind.
    pub(crate) kind: String,
    /// Which build it belongs to.
    pub(crate) debug_id: Option<String>,
}
from_row!(ArtifactFile { entry, url, kind, debug_id });

/// Stores a bundle; returns `false` if the organization has the same bytes.
pub(crate) async fn insert(tx: &mut Tx<'_>, bundle: &ArtifactBundle) -> Result<bool> {
    let inserted_count = tx
        .execute(
            "INSERT INTO artifact_bundle (id, organization_id, bundle_id, sha1, sha256, size, file_count,
               created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
             ON CONFLICT (organization_id, sha1) DO NOTHING",
            &[
                &bundle.id,
                &bundle.organization_id,
                &bundle.bundle_id,
                &bundle.sha1,
                &bundle.sha256,
                &bundle.size,
                &bundle.file_count,
                &bundle.created_at_ms,
            ],
        )
        .await?;
    Ok(inserted_count == 1)
}

/// Stores what is in a new bundle.
pub(crate) async fn insert_files(
    tx: &mut Tx<'_>,
    bundle: i64,
    files: &[ArtifactFile],
) -> Result<()> {
    let positions: Vec<i64> = (0..).take(files.len()).collect();
    let rows: Vec<[&dyn Bind; 6]> = files
        .iter()
        .zip(&positions)
        .map(|(file, position)| -> [&dyn Bind; 6] {
            [&bundle, position, &file.entry, &file.url, &file.kind, &file.debug_id]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO artifact_file (bundle_id, position, entry, url, kind, debug_id) VALUES",
        &rows,
        "",
    )
    .await?;
    Ok(())
}

/// Returns the bundle of an organization with these bytes.
pub(crate) async fn find_by_sha1(
    tx: &mut Tx<'_>,
    organization: i64,
    sha1: Sha1,
) -> Result<Option<ArtifactBundle>> {
    tx.optional(
        "SELECT id, organization_id, bundle_id, sha1, sha256, size, file_count, created_at_ms
         FROM artifact_bundle
         WHERE organization_id = $1 AND sha1 = $2",
        &[&organization, &sha1],
    )
    .await
}

/// Makes a bundle visible to a project.
pub(crate) async fn add_project(tx: &mut Tx<'_>, bundle: i64, project: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO artifact_bundle_project (bundle_id, project_id)
         VALUES ($1, $2)
         ON CONFLICT (bundle_id, project_id) DO NOTHING",
        &[&bundle, &project],
    )
    .await?;
    Ok(())
}

/// Ties a bundle to a release and a distribution; an absent one is an empty text.
pub(crate) async fn add_release(
    tx: &mut Tx<'_>,
    bundle: i64,
    release: &str,
    dist: &str,
    created_at_ms: i64,
) -> Result<()> {
    tx.execute(
        "INSERT INTO artifact_bundle_release (bundle_id, release, dist, created_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (bundle_id, release, dist) DO NOTHING",
        &[&bundle, &release, &dist, &created_at_ms],
    )
    .await?;
    Ok(())
}

/// Returns the debug ids of the scripts and maps in a bundle, each once.
pub(crate) async fn debug_ids(tx: &mut Tx<'_>, bundle: i64) -> Result<Vec<String>> {
    tx.all(
        "SELECT DISTINCT debug_id
         FROM artifact_file
         WHERE bundle_id = $1 AND debug_id IS NOT NULL AND kind IN ('minified_source', 'source_map')",
        &[&bundle],
    )
    .await
}

/// A file that a project sees, and the bundle it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// The bundle.
    pub(crate) bundle_row_id: i64,
    /// Its bytes in the store.
    pub(crate) bundle_sha256: BlobKey,
    /// The manifest's word for the file's kind.
    pub(crate) kind: String,
    /// Name to look it up by.
    pub(crate) url: String,
}
from_row!(FoundFile { bundle_row_id, bundle_sha256, kind, url });

/// Returns the files with a debug id that a project sees, from the newest bundle first.
pub(crate) async fn files_with_debug_id(
    tx: &mut Tx<'_>,
    project: i64,
    debug_id: &str,
    limit: u32,
) -> Result<Vec<FoundFile>> {
    tx.all(
        "SELECT b.id, b.sha256, f.kind, f.url
         FROM artifact_file f
         JOIN artifact_bundle b ON b.id = f.bundle_id
         JOIN artifact_bundle_project p ON p.bundle_id = b.id AND p.project_id = $1
         WHERE f.debug_id = $2
         ORDER BY b.id DESC, f.position
         LIMIT $3",
        &[&project, &debug_id, &limit],
    )
    .await
}

/// Returns bundles that a project sees, older than a row, newest first.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    project: i64,
    before_id: i64,
    limit: i64,
) -> Result<Vec<ArtifactBundle>> {
    tx.all(
        "SELECT b.id, b.organization_id, b.bundle_id, b.sha1, b.sha256, b.size, b.file_count, b.created_at_ms
         FROM artifact_bundle_project p
         JOIN artifact_bundle b ON b.id = p.bundle_id
         WHERE p.project_id = $1 AND p.bundle_id < $2
         ORDER BY p.bundle_id DESC
         LIMIT $3",
        &[&project, &before_id, &limit],
    )
    .await
}

/// Returns bundles that a project sees, older than a row, that have `text` in their id, a debug id, a file's
/// name or a release, newest first.
///
/// `text` is lower case; `%` and `_` in it match more, which harms nobody.
pub(crate) async fn search(
    tx: &mut Tx<'_>,
    project: i64,
    text: &str,
    before_id: i64,
    limit: i64,
) -> Result<Vec<ArtifactBundle>> {
    let pattern = format!("%{text}%");
    tx.all(
        "SELECT b.id, b.organization_id, b.bundle_id, b.sha1, b.sha256, b.size, b.file_count, b.created_at_ms
         FROM artifact_bundle_project p
         JOIN artifact_bundle b ON b.id = p.bundle_id
         WHERE p.project_id = $1 AND p.bundle_id < $2
           AND (b.bundle_id LIKE $4
             OR EXISTS (SELECT 1 FROM artifact_bundle_release r
                        WHERE r.bundle_id = b.id AND LOWER(r.release) LIKE $4)
             OR EXISTS (SELECT 1 FROM artifact_file f
                        WHERE f.bundle_id = b.id AND (f.debug_id LIKE $4 OR LOWER(f.url) LIKE $4)))
         ORDER BY p.bundle_id DESC
         LIMIT $3",
        &[&project, &before_id, &limit, &pattern],
    )
    .await
}

/// Returns bundles that a project sees and that were uploaded for a release, newest first.
pub(crate) async fn of_release(
    tx: &mut Tx<'_>,
    project: i64,
    release: &str,
    limit: i64,
) -> Result<Vec<ArtifactBundle>> {
    tx.all(
        "SELECT DISTINCT b.id, b.organization_id, b.bundle_id, b.sha1, b.sha256, b.size, b.file_count,
           b.created_at_ms
         FROM artifact_bundle_release r
         JOIN artifact_bundle_project p ON p.bundle_id = r.bundle_id AND p.project_id = $1
         JOIN artifact_bundle b ON b.id = r.bundle_id
         WHERE r.release = $2
         ORDER BY b.id DESC
         LIMIT $3",
        &[&project, &release, &limit],
    )
    .await
}

/// Returns a bundle, if the project sees it.
pub(crate) async fn find(tx: &mut Tx<'_>, project: i64, id: i64) -> Result<Option<ArtifactBundle>> {
    tx.optional(
        "SELECT b.id, b.organization_id, b.bundle_id, b.sha1, b.sha256, b.size, b.file_count, b.created_at_ms
         FROM artifact_bundle_project p
         JOIN artifact_bundle b ON b.id = p.bundle_id
         WHERE p.project_id = $1 AND p.bundle_id = $2",
        &[&project, &id],
    )
    .await
}

/// Returns the first files of a bundle, in its order.
pub(crate) async fn files(tx: &mut Tx<'_>, bundle: i64, limit: i64) -> Result<Vec<ArtifactFile>> {
    tx.all(
        "SELECT entry, url, kind, debug_id
         FROM artifact_file
         WHERE bundle_id = $1
         ORDER BY position
         LIMIT $2",
        &[&bundle, &limit],
    )
    .await
}

/// Returns the debug ids of a bundle's source maps, each once.
pub(crate) async fn debug_ids_of_maps(tx: &mut Tx<'_>, bundle: i64) -> Result<Vec<String>> {
    tx.all(
        "SELECT DISTINCT debug_id
         FROM artifact_file
         WHERE bundle_id = $1 AND debug_id IS NOT NULL AND kind = 'source_map'",
        &[&bundle],
    )
    .await
}

/// Returns the releases that a bundle was uploaded for, the latest upload first.
pub(crate) async fn releases(tx: &mut Tx<'_>, bundle: i64, limit: i64) -> Result<Vec<String>> {
    tx.all(
        "SELECT release
         FROM artifact_bundle_release
         WHERE bundle_id = $1 AND release <> ''
         GROUP BY release
         ORDER BY MAX(created_at_ms) DESC, release DESC
         LIMIT $2",
        &[&bundle, &limit],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    fn bundle(id: i64) -> ArtifactBundle {
        ArtifactBundle {
            id,
            organization_id: 1,
            bundle_id: "same".to_owned(),
            sha1: Sha1([id as u8; 20]),
            sha256: BlobKey([id as u8; 32]),
            size: 9,
            file_count: 2,
            created_at_ms: 7,
        }
    }

    fn files() -> [ArtifactFile; 3] {
        let file = |url: &str, kind: &str, debug_id: Option<&str>| ArtifactFile {
            entry: format!("_/_/{url}"),
            url: format!("~/{url}"),
            kind: kind.to_owned(),
            debug_id: debug_id.map(str::to_owned),
        };
        [
            file("app.js", "minified_source", Some("aa")),
            file("app.js.map", "source_map", Some("aa")),
            file("app.ts", "source", Some("bb")),
        ]
    }

    on_both!(projects_see_the_files_of_their_bundles_newest_first, |db| {
        db.write(|tx| {
            Box::pin(async move {
                for id in [10, 20] {
                    assert!(insert(tx, &bundle(id)).await?);
                    insert_files(tx, id, &files()).await?;
                    add_project(tx, id, 1).await?;
                    add_project(tx, id, 1).await?;
                }
                let found = files_with_debug_id(tx, 1, "aa", 3).await?;
                let found: Vec<_> =
                    found.iter().map(|f| (f.bundle_row_id, f.kind.as_str())).collect();
                assert_eq!(
                    found,
                    [(20, "minified_source"), (20, "source_map"), (10, "minified_source")]
                );
                assert_eq!(files_with_debug_id(tx, 2, "aa", 9).await?, []);
                assert_eq!(debug_ids(tx, 10).await?, ["aa"]);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(the_same_bytes_are_one_bundle_with_any_releases, |db| {
        db.write(|tx| {
            Box::pin(async move {
                assert!(insert(tx, &bundle(10)).await?);
                let again = ArtifactBundle { id: 11, ..bundle(10) };
                assert!(!insert(tx, &again).await?);
                let found = find_by_sha1(tx, 1, bundle(10).sha1).await?;
                assert_eq!(found, Some(bundle(10)));
                assert_eq!(find_by_sha1(tx, 2, bundle(10).sha1).await?, None);
                for release in ["", "web@1", "web@2", "web@1"] {
                    add_release(tx, 10, release, "", 7).await?;
                }
                let count: i64 =
                    tx.one("SELECT COUNT(*) FROM artifact_bundle_release", &[]).await?;
                assert_eq!(count, 3);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(bundles_are_listed_for_their_projects_and_releases, |db| {
        db.write(|tx| {
            Box::pin(async move {
                for id in [10, 20] {
                    assert!(insert(tx, &bundle(id)).await?);
                    insert_files(tx, id, &files()).await?;
                    add_project(tx, id, 1).await?;
                }
                for (id, release, dist, at) in [
                    (10, "App@1", "a", 5),
                    (10, "App@1", "b", 6),
                    (10, "App@2", "", 9),
                    (20, "", "", 9),
                ] {
                    add_release(tx, id, release, dist, at).await?;
                }
                let ids = |found: Vec<ArtifactBundle>| {
                    found.into_iter().map(|found| found.id).collect::<Vec<_>>()
                };
                assert_eq!(ids(page(tx, 1, i64::MAX, 9).await?), [20, 10]);
                assert_eq!(ids(page(tx, 1, 20, 9).await?), [10]);
                assert!(page(tx, 2, i64::MAX, 9).await?.is_empty());
                assert_eq!(ids(search(tx, 1, "app@", i64::MAX, 9).await?), [10]);
                assert_eq!(ids(search(tx, 1, "app.js", i64::MAX, 1).await?), [20]);
                assert!(search(tx, 1, "cc", i64::MAX, 9).await?.is_empty());
                assert_eq!(ids(of_release(tx, 1, "App@1", 9).await?), [10]);
                assert_eq!(releases(tx, 10, 9).await?, ["App@2", "App@1"]);
                assert_eq!(releases(tx, 20, 9).await?, Vec::<String>::new());
                assert_eq!(find(tx, 1, 10).await?.map(|found| found.id), Some(10));
                assert_eq!(find(tx, 2, 10).await?, None);
                assert_eq!(crate::db::artifact_bundle::files(tx, 10, 2).await?, files()[..2]);
                assert_eq!(debug_ids_of_maps(tx, 10).await?, ["aa"]);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
