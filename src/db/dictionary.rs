//! `dictionary`: what events of a project are compressed with. A body never changes.

use super::engine::{Tx, from_row};
use super::sequence;
use crate::error::Result;

/// A dictionary as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredDictionary {
    pub(crate) id: i64,
    pub(crate) body: Vec<u8>,
}
from_row!(StoredDictionary { id, body });

/// Returns the id of the next dictionary.
pub(crate) async fn next_id(tx: &mut Tx<'_>) -> Result<i64> {
    sequence::next(tx, "dictionary").await
}

/// Makes a dictionary the current one of its project.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    project_id: i64,
    dictionary: &StoredDictionary,
    now_ms: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE dictionary SET superseded_at_ms = $2 WHERE project_id = $1 AND superseded_at_ms IS NULL",
        &[&project_id, &now_ms],
    )
    .await?;
    tx.execute(
        "INSERT INTO dictionary (id, project_id, created_at_ms, body) VALUES ($1, $2, $3, $4)",
        &[&dictionary.id, &project_id, &now_ms, &dictionary.body],
    )
    .await?;
    Ok(())
}

/// Returns a dictionary.
pub(crate) async fn find(tx: &mut Tx<'_>, id: i64) -> Result<Option<StoredDictionary>> {
    tx.optional("SELECT id, body FROM dictionary WHERE id = $1", &[&id]).await
}

/// Returns the id of the dictionary with which new events of a project are compressed.
pub(crate) async fn current(tx: &mut Tx<'_>, project_id: i64) -> Result<Option<i64>> {
    tx.optional(
        "SELECT id FROM dictionary WHERE project_id = $1 ORDER BY id DESC LIMIT 1",
        &[&project_id],
    )
    .await
}

/// A dictionary that another one has taken the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Superseded {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) superseded_at_ms: i64,
}
from_row!(Superseded { id, project_id, superseded_at_ms });

/// Returns the dictionaries that no new event is compressed with.
pub(crate) async fn superseded(tx: &mut Tx<'_>) -> Result<Vec<Superseded>> {
    tx.all(
        "SELECT id, project_id, superseded_at_ms FROM dictionary
         WHERE superseded_at_ms IS NOT NULL
         ORDER BY id",
        &[],
    )
    .await
}

/// Removes a dictionary, unless a row is left, kept or waiting, that was made before `before_id` and may
/// need it. Says whether it is gone.
pub(crate) async fn delete_unneeded(
    tx: &mut Tx<'_>,
    dictionary: Superseded,
    before_id: i64,
) -> Result<bool> {
    let deleted = tx
        .execute(
            "DELETE FROM dictionary
             WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM event WHERE project_id = $2 AND id < $3)
               AND NOT EXISTS (SELECT 1 FROM accepted WHERE project_id = $2 AND id < $3)",
            &[&dictionary.id, &dictionary.project_id, &before_id],
        )
        .await?;
    Ok(deleted > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(a_newer_dictionary_supersedes_the_older_one_of_its_project, |db| {
        let (current, superseded, first) = db
            .write(|tx| {
                Box::pin(async move {
                    for (project_id, body) in [(1, b"a"), (2, b"b"), (1, b"c")] {
                        let dictionary =
                            StoredDictionary { id: next_id(tx).await?, body: body.to_vec() };
                        insert(tx, project_id, &dictionary, 1_000 * dictionary.id).await?;
                    }
                    let current =
                        [current(tx, 1).await?, current(tx, 2).await?, current(tx, 3).await?];
                    Ok((current, superseded(tx).await?, find(tx, 1).await?))
                })
            })
            .await
            .unwrap();
        assert_eq!(current, [Some(3), Some(2), None]);
        assert_eq!(superseded, [Superseded { id: 1, project_id: 1, superseded_at_ms: 3_000 }]);
        assert_eq!(first.unwrap().body, b"a");
    });

    on_both!(a_dictionary_stays_while_an_older_event_waits, |db| {
        let dictionary = Superseded { id: 1, project_id: 1, superseded_at_ms: 2_000 };
        let gone = db
            .write(move |tx| {
                Box::pin(async move {
                    insert(tx, 1, &StoredDictionary { id: 1, body: vec![1] }, 1_000).await?;
                    let sql = "INSERT INTO accepted (id, project_id, event_id, received_at_ms,
                       visible_at_ms, attempts, alone_attempts, sender, payload)
                       VALUES (50, 1, $1, 0, 0, 0, 0, '{}', $1)";
                    tx.execute(sql, &[&vec![1_u8; 16]]).await?;
                    let kept = delete_unneeded(tx, dictionary, 100).await?;
                    let gone = delete_unneeded(tx, dictionary, 50).await?;
                    Ok([kept, gone])
                })
            })
            .await
            .unwrap();
        assert_eq!(gone, [false, true]);
    });
}
