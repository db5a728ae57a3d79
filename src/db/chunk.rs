//! `chunk`: pieces of files that clients uploaded, by organization: knowing a hash is no access.

use super::engine::{Bind, Tx, from_row};
use crate::blobs::{BlobKey, Hashed, Sha1};
use crate::error::Result;

/// A stored chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// What clients call it.
    pub(crate) sha1: Sha1,
    /// Where its bytes are.
    pub(crate) sha256: BlobKey,
    /// How many there are.
    pub(crate) size: i64,
}
from_row!(Chunk { sha1, sha256, size });

/// Returns a chunk of an organization.
pub(crate) async fn find(tx: &mut Tx<'_>, organization: i64, sha1: Sha1) -> Result<Option<Chunk>> {
    tx.optional(
        "SELECT sha1, sha256, size
         FROM chunk
         WHERE organization_id = $1 AND sha1 = $2",
        &[&organization, &sha1],
    )
    .await
}

/// Remembers chunks; those that are there already count as received now. No two may be the same.
pub(crate) async fn upsert(
    tx: &mut Tx<'_>,
    organization: i64,
    chunks: &[Hashed],
    received_at_ms: i64,
) -> Result<()> {
    let sizes: Vec<i64> = chunks.iter().map(|chunk| chunk.size.cast_signed()).collect();
    let rows: Vec<[&dyn Bind; 5]> = chunks
        .iter()
        .zip(&sizes)
        .map(|(chunk, size)| -> [&dyn Bind; 5] {
            [&organization, &chunk.sha1, &chunk.key, size, &received_at_ms]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO chunk (organization_id, sha1, sha256, size, received_at_ms) VALUES",
        &rows,
        "ON CONFLICT (organization_id, sha1) DO UPDATE
         SET sha256 = excluded.sha256, size = excluded.size, received_at_ms = excluded.received_at_ms",
    )
    .await?;
    Ok(())
}

/// Forgets a chunk whose bytes are gone, so that it is asked for again.
pub(crate) async fn delete(tx: &mut Tx<'_>, organization: i64, sha1: Sha1) -> Result<()> {
    tx.execute(
        "DELETE FROM chunk WHERE organization_id = $1 AND sha1 = $2",
        &[&organization, &sha1],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    fn hashed(byte: u8) -> Hashed {
        Hashed { sha1: Sha1([byte; 20]), key: BlobKey([byte; 32]), size: u64::from(byte) }
    }

    on_both!(chunks_belong_to_the_organization_that_sent_them, |db| {
        db.write(|tx| {
            Box::pin(async move {
                upsert(tx, 1, &[hashed(1), hashed(2)], 10).await?;
                upsert(tx, 1, &[hashed(2)], 20).await?;
                let found = find(tx, 1, Sha1([2; 20])).await?;
                let expected = Chunk { sha1: Sha1([2; 20]), sha256: BlobKey([2; 32]), size: 2 };
                assert_eq!(found, Some(expected));
                assert_eq!(find(tx, 2, Sha1([2; 20])).await?, None);
                delete(tx, 2, Sha1([1; 20])).await?;
                assert!(find(tx, 1, Sha1([1; 20])).await?.is_some());
                delete(tx, 1, Sha1([1; 20])).await?;
                assert_eq!(find(tx, 1, Sha1([1; 20])).await?, None);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
