//! `file_key`: what the stored files of a project answer to, in the words of what events miss.

use super::engine::{Bind, Tx};
use crate::error::Result;

/// Adds keys of one file, which is a debug file or an artifact bundle. No two keys may be the same.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    project: i64,
    keys: &[String],
    file_id: i64,
    created_at_ms: i64,
) -> Result<()> {
    let rows: Vec<[&dyn Bind; 4]> = keys
        .iter()
        .map(|key| -> [&dyn Bind; 4] { [&project, key, &file_id, &created_at_ms] })
        .collect();
    tx.insert_many(
        "INSERT INTO file_key (project_id, key, file_id, created_at_ms) VALUES",
        &rows,
        "ON CONFLICT (project_id, key, file_id) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// Returns when a file last got a key; `None` where it has none.
pub(crate) async fn arrived_at_ms(tx: &mut Tx<'_>, file_id: i64) -> Result<Option<i64>> {
    tx.one("SELECT MAX(created_at_ms) FROM file_key WHERE file_id = $1", &[&file_id]).await
}

/// Returns what people call a stored file: the name of a debug file, the first source map of a bundle.
pub(crate) async fn name_of(tx: &mut Tx<'_>, file_id: i64) -> Result<Option<String>> {
    tx.one(
        "SELECT COALESCE(
           (SELECT name FROM debug_file WHERE id = $1),
           (SELECT url FROM artifact_file
            WHERE bundle_id = $1 AND kind IN ('source_map', 'minified_source')
            ORDER BY kind DESC, position
            LIMIT 1))",
        &[&file_id],
    )
    .await
}
