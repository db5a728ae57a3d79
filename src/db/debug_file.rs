//! `debug_file`: uploaded debug files and source bundles, by project.

use super::engine::{Tx, from_row};
use crate::blobs::{BlobKey, Sha1};
use crate::error::Result;

/// An uploaded debug file or source bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DebugFile {
    /// Ordered by time.
    pub(crate) id: i64,
    /// Whose it is.
    pub(crate) project_id: i64,
    /// Its bytes, as clients call them.
    pub(crate) sha1: Sha1,
    /// Its bytes in the store.
    pub(crate) sha256: BlobKey,
    /// How many there are.
    pub(crate) size: i64,
    /// Base name it was uploaded under.
    pub(crate) name: String,
    /// Which build it belongs to.
    pub(crate) debug_id: String,
    /// The same in the words of its format.
    pub(crate) code_id: Option<String>,
    /// Sentry's `symbolType`.
    pub(crate) format: String,
    /// One of sentry-cli's eight words.
    pub(crate) object_kind: String,
    /// Architecture, as Sentry's `cpuName`.
    pub(crate) arch: String,
    /// What it is good for: words separated by spaces.
    pub(crate) features: String,
    /// Gaps, one per line, that its uploader is told.
    pub(crate) detail: Option<String>,
    /// When it was stored.
    pub(crate) created_at_ms: i64,
}
from_row!(DebugFile {
    id,
    project_id,
    sha1,
    sha256,
    size,
    name,
    debug_id,
    code_id,
    format,
    object_kind,
    arch,
    features,
    detail,
    created_at_ms,
});

/// Stores a row; returns `false` if the project has the same bytes under the same debug id.
pub(crate) async fn insert(tx: &mut Tx<'_>, file: &DebugFile) -> Result<bool> {
    let inserted_count = tx
        .execute(
            "INSERT INTO debug_file (id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
               object_kind, arch, features, detail, created_at_ms)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
             ON CONFLICT (project_id, sha1, debug_id) DO NOTHING",
            &[
                &file.id,
                &file.project_id,
                &file.sha1,
                &file.sha256,
                &file.size,
                &file.name,
                &file.debug_id,
                &file.code_id,
                &file.format,
                &file.object_kind,
                &file.arch,
                &file.features,
                &file.detail,
                &file.created_at_ms,
            ],
        )
        .await?;
    Ok(inserted_count == 1)
}

/// Returns the file of a project with these bytes.
pub(crate) async fn find_by_sha1(
    tx: &mut Tx<'_>,
    project: i64,
    sha1: Sha1,
) -> Result<Option<DebugFile>> {
    tx.optional(
        "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
           object_kind, arch, features, detail, created_at_ms
         FROM debug_file
         WHERE project_id = $1 AND sha1 = $2
         ORDER BY id
         LIMIT 1",
        &[&project, &sha1],
    )
    .await
}

/// Returns the files of a project with a debug id, newest first.
pub(crate) async fn with_debug_id(
    tx: &mut Tx<'_>,
    project: i64,
    debug_id: &str,
    limit: u32,
) -> Result<Vec<DebugFile>> {
    tx.all(
        "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
           object_kind, arch, features, detail, created_at_ms
         FROM debug_file
         WHERE project_id = $1 AND debug_id = $2
         ORDER BY id DESC
         LIMIT $3",
        &[&project, &debug_id, &limit],
    )
    .await
}

/// Returns the files of a project with a code id, newest first.
pub(crate) async fn with_code_id(
    tx: &mut Tx<'_>,
    project: i64,
    code_id: &str,
    limit: u32,
) -> Result<Vec<DebugFile>> {
    tx.all(
        "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
           object_kind, arch, features, detail, created_at_ms
         FROM debug_file
         WHERE project_id = $1 AND code_id = $2
         ORDER BY id DESC
         LIMIT $3",
        &[&project, &code_id, &limit],
    )
    .await
}

/// Returns the files of a project in whose debug id, code id or name `text` occurs, newest first.
///
/// `text` is lower case; `%` and `_` in it match more, which harms nobody.
pub(crate) async fn search(
    tx: &mut Tx<'_>,
    project: i64,
    text: &str,
    limit: u32,
) -> Result<Vec<DebugFile>> {
    let pattern = format!("%{text}%");
    tx.all(
        "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
           object_kind, arch, features, detail, created_at_ms
         FROM debug_file
         WHERE project_id = $1 AND (debug_id LIKE $2 OR code_id LIKE $2 OR LOWER(name) LIKE $2)
         ORDER BY id DESC
         LIMIT $3",
        &[&project, &pattern, &limit],
    )
    .await
}

/// Returns files of a project older than a row in whose debug id, code id or name `text` occurs, newest first.
///
/// `text` is lower case; `%` and `_` in it match more, which harms nobody.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    project: i64,
    text: &str,
    before_id: i64,
    limit: i64,
) -> Result<Vec<DebugFile>> {
    if text.is_empty() {
        return tx
            .all(
                "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
                   object_kind, arch, features, detail, created_at_ms
                 FROM debug_file
                 WHERE project_id = $1 AND id < $2
                 ORDER BY id DESC
                 LIMIT $3",
                &[&project, &before_id, &limit],
            )
            .await;
    }
    let pattern = format!("%{text}%");
    tx.all(
        "SELECT id, project_id, sha1, sha256, size, name, debug_id, code_id, format,
           object_kind, arch, features, detail, created_at_ms
         FROM debug_file
         WHERE project_id = $1 AND id < $2
           AND (debug_id LIKE $4 OR code_id LIKE $4 OR LOWER(name) LIKE $4)
         ORDER BY id DESC
         LIMIT $3",
        &[&project, &before_id, &limit, &pattern],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::{file_key, missing_file};

    fn file(id: i64, name: &str, debug_id: &str, code_id: &str) -> DebugFile {
        DebugFile {
            id,
            project_id: 1,
            sha1: Sha1([id as u8; 20]),
            sha256: BlobKey([id as u8; 32]),
            size: 3 << 30,
            name: name.to_owned(),
            debug_id: debug_id.to_owned(),
            code_id: Some(code_id.to_owned()),
            format: "elf".to_owned(),
            object_kind: "lib".to_owned(),
            arch: "x86_64".to_owned(),
            features: "debug symtab".to_owned(),
            detail: None,
            created_at_ms: 7,
        }
    }

    on_both!(files_are_found_by_content_ids_and_words_newest_first, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let [first, second] =
                    [file(1, "Prog", "aa-1", "c1"), file(2, "prog.debug", "aa-1", "c1")];
                let third = file(3, "other", "bb-2", "c2");
                for file in [&first, &second, &third] {
                    assert!(insert(tx, file).await?);
                }
                assert_eq!(find_by_sha1(tx, 1, Sha1([1; 20])).await?, Some(first.clone()));
                let both = [second.clone(), first.clone()];
                assert_eq!(with_debug_id(tx, 1, "aa-1", 9).await?, both);
                assert_eq!(with_debug_id(tx, 1, "aa-1", 1).await?, both[..1]);
                assert_eq!(with_code_id(tx, 1, "c1", 9).await?, both);
                assert_eq!(search(tx, 1, "prog", 9).await?, both);
                assert_eq!(search(tx, 1, "bb-", 9).await?, std::slice::from_ref(&third));
                assert_eq!(search(tx, 2, "", 9).await?, []);
                assert_eq!(page(tx, 1, "", i64::MAX, 2).await?, [third.clone(), second.clone()]);
                assert_eq!(page(tx, 1, "", 2, 9).await?, std::slice::from_ref(&first));
                assert_eq!(page(tx, 1, "prog", 2, 9).await?, [first]);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(the_same_bytes_are_one_file_of_a_project, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let first = file(1, "prog", "aa-1", "c1");
                assert!(insert(tx, &first).await?);
                let again = DebugFile { id: 2, ..first.clone() };
                assert!(!insert(tx, &again).await?);
                assert!(insert(tx, &DebugFile { project_id: 2, ..again }).await?);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(keys_of_a_file_answer_what_events_miss, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let keys = ["debug-id:aa".to_owned(), "code-id:bb".to_owned()];
                file_key::insert(tx, 1, &keys, 5, 7).await?;
                file_key::insert(tx, 1, &keys, 5, 8).await?;
                file_key::insert(tx, 1, &[], 6, 8).await?;
                assert!(missing_file::stored_count(tx, 1, "code-id:bb").await? == 1);
                assert!(missing_file::stored_count(tx, 2, "code-id:bb").await? == 0);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
