//! The queue of phase one: accepted events that wait for their digest.
//!
//! `visible_at_ms` is run time, backoff and lease in one. A row leaves the table in the transaction that
//! keeps its event; until then it is the only copy.

use protocol::id::{EventId, ProjectId};

use super::engine::{Bind, Dialect, Tx, from_row};
use crate::clock::Clock;
use crate::error::Result;

/// An accepted event, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
    pub(crate) received_at_ms: i64,
    pub(crate) attempts: i64,
    pub(crate) alone_attempts: i64,
    /// JSON of `ingest::accept::Sender`.
    pub(crate) sender: String,
    /// See `ingest::stored`.
    pub(crate) payload: Vec<u8>,
}
from_row!(Accepted {
    id,
    project_id,
    event_id,
    received_at_ms,
    attempts,
    alone_attempts,
    sender,
    payload
});

impl Accepted {
    /// Returns the id under which the event was accepted.
    pub(crate) fn event_id(&self) -> Option<EventId> {
        EventId::from_slice(&self.event_id)
    }

    /// Returns the project.
    pub(crate) fn project(&self) -> ProjectId {
        ProjectId(self.project_id)
    }
}

/// Adds events to the queue.
pub(crate) async fn insert(tx: &mut Tx<'_>, events: &[&Accepted]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 9]> = events
        .iter()
        .map(|event| -> [&dyn Bind; 9] {
            [
                &event.id,
                &event.project_id,
                &event.event_id,
                &event.received_at_ms,
                &event.received_at_ms,
                &event.attempts,
                &event.alone_attempts,
                &event.sender,
                &event.payload,
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO accepted (id, project_id, event_id, received_at_ms, visible_at_ms, attempts,
           alone_attempts, sender, payload) VALUES",
        &rows,
        "",
    )
    .await?;
    Ok(())
}

/// Which events are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) now_ms: i64,
    /// PostgreSQL: until when they belong to who takes them.
    pub(crate) lease_until_ms: i64,
    pub(crate) attempts_min: i64,
    pub(crate) attempts_max: i64,
    /// Most events.
    pub(crate) limit: i64,
    /// Most bytes of payload together, unpacked; the oldest event is taken whatever its size.
    pub(crate) bytes_max: i64,
    /// Says from the beginning and the length of a stored payload how many bytes it unpacks to.
    pub(crate) unpacked_bytes: fn(&[u8], i64) -> i64,
}

/// Takes events, oldest first.
///
/// On PostgreSQL they are leased until `lease_until_ms` and count one more attempt. On SQLite nothing is
/// written: one process owns the file, and one runner asks again only when it is done with the last batch.
pub(crate) async fn claim(tx: &mut Tx<'_>, claim: Claim) -> Result<Vec<Accepted>> {
    let Some((visible_ms, id)) = last_within(tx, claim).await? else { return Ok(Vec::new()) };
    let Claim { now_ms, lease_until_ms, attempts_min, attempts_max, limit, .. } = claim;
    let args: [&dyn Bind; 6] = [&now_ms, &limit, &attempts_min, &attempts_max, &visible_ms, &id];
    if tx.dialect() == Dialect::Lite {
        return tx
            .all(
                "SELECT id, project_id, event_id, received_at_ms, attempts, alone_attempts, sender, payload
                 FROM accepted
                 WHERE parked_at_ms IS NULL AND visible_at_ms <= $1
                   AND attempts >= $3 AND attempts <= $4 AND (visible_at_ms, id) <= ($5, $6)
                 ORDER BY visible_at_ms, id
                 LIMIT $2",
                &args,
            )
            .await;
    }
    let args = [args.as_slice(), &[&lease_until_ms]].concat();
    let mut claimed: Vec<Accepted> = tx
        .all(
            "UPDATE accepted
             SET visible_at_ms = $7, attempts = attempts + 1
             WHERE id IN (
               SELECT id FROM accepted
               WHERE parked_at_ms IS NULL AND visible_at_ms <= $1
                 AND attempts >= $3 AND attempts <= $4 AND (visible_at_ms, id) <= ($5, $6)
               ORDER BY visible_at_ms, id
               LIMIT $2
               FOR UPDATE SKIP LOCKED)
             RETURNING id, project_id, event_id, received_at_ms, attempts, alone_attempts, sender, payload",
            &args,
        )
        .await?;
    claimed.sort_by_key(|row| row.id);
    Ok(claimed)
}

/// How large a payload is, and its beginning, which tells how large it is unpacked.
struct Size {
    visible_at_ms: i64,
    id: i64,
    bytes: i64,
    head: Vec<u8>,
}
from_row!(Size { visible_at_ms, id, bytes, head });

/// Returns the place in the queue of the last event that fits into what is taken, without reading payloads.
///
/// On PostgreSQL others may take some of them meanwhile: then less is taken, never more.
async fn last_within(tx: &mut Tx<'_>, claim: Claim) -> Result<Option<(i64, i64)>> {
    let sizes: Vec<Size> = tx
        .all(
            "SELECT visible_at_ms, id, CAST(LENGTH(payload) AS BIGINT), SUBSTR(payload, 1, 20)
             FROM accepted
             WHERE parked_at_ms IS NULL AND visible_at_ms <= $1 AND attempts >= $3 AND attempts <= $4
             ORDER BY visible_at_ms, id
             LIMIT $2",
            &[&claim.now_ms, &claim.limit, &claim.attempts_min, &claim.attempts_max],
        )
        .await?;
    let mut bytes = 0;
    let fits = |size: &Size| {
        let is_first = bytes == 0;
        let unpacked = (claim.unpacked_bytes)(&size.head, size.bytes);
        bytes = unpacked.max(1).saturating_add(bytes);
        (is_first || bytes <= claim.bytes_max).then_some((size.visible_at_ms, size.id))
    };
    Ok(sizes.iter().map_while(fits).last())
}

/// Keeps taken events for their process while it still works on them.
pub(crate) async fn extend_lease(tx: &mut Tx<'_>, ids: &[i64], until_ms: i64) -> Result<()> {
    for id in ids {
        let sql = "UPDATE accepted SET visible_at_ms = $2 WHERE id = $1 AND parked_at_ms IS NULL";
        tx.execute(sql, &[id, &until_ms]).await?;
    }
    Ok(())
}

/// At the start of the process that owns a SQLite file: whatever is queued may have been in its hand when
/// the last one ended.
pub(crate) async fn count_restart(tx: &mut Tx<'_>, now_ms: i64) -> Result<u64> {
    let sql = "UPDATE accepted SET attempts = attempts + 1,
                 visible_at_ms = CASE WHEN received_at_ms > $1 THEN $1 ELSE received_at_ms END
               WHERE parked_at_ms IS NULL";
    tx.execute(sql, &[&now_ms]).await
}

/// Notes, before it is digested alone, that an event is tried alone once more.
pub(crate) async fn count_alone(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.execute("UPDATE accepted SET alone_attempts = alone_attempts + 1 WHERE id = $1", &[&id])
        .await?;
    Ok(())
}

/// Puts an event off, with the reason and how many tries now count against it. An event that was in a batch
/// stays in batches: it did not harm the process.
pub(crate) async fn put_off(
    tx: &mut Tx<'_>,
    id: i64,
    until_ms: i64,
    tries: i64,
    error: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE accepted
         SET visible_at_ms = $2, alone_attempts = $3, error = $4,
           attempts = CASE WHEN attempts > 0 THEN attempts - $5 ELSE 0 END
         WHERE id = $1",
        &[&id, &until_ms, &tries, &error, &counted_by_claim(tx)],
    )
    .await?;
    Ok(())
}

/// How many attempts [`claim`] counted: what takes one back must know.
fn counted_by_claim(tx: &Tx<'_>) -> i64 {
    match tx.dialect() {
        Dialect::Lite => 0,
        Dialect::Postgres => 1,
    }
}

/// Makes events visible that would be only after `ahead_ms`: their times are from a clock that was ahead.
pub(crate) async fn pull_back(tx: &mut Tx<'_>, now_ms: i64, ahead_ms: i64) -> Result<u64> {
    tx.execute(
        "UPDATE accepted SET visible_at_ms = $1 WHERE parked_at_ms IS NULL AND visible_at_ms > $2",
        &[&now_ms, &ahead_ms],
    )
    .await
}

/// Makes events be digested alone from now on, because the batch they were in failed as a whole.
pub(crate) async fn suspect(tx: &mut Tx<'_>, ids: &[i64], now_ms: i64) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE accepted SET visible_at_ms = $2, attempts = CASE WHEN attempts < 2 THEN 2 ELSE attempts END
             WHERE id = $1",
            &[id, &now_ms],
        )
        .await?;
    }
    Ok(())
}

/// Takes back a try alone that did not end with the process, and puts the event off, with the reason.
pub(crate) async fn uncount_alone(
    tx: &mut Tx<'_>,
    id: i64,
    until_ms: i64,
    error: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE accepted
         SET visible_at_ms = $2, error = $3,
           alone_attempts = CASE WHEN alone_attempts > 0 THEN alone_attempts - 1 ELSE 0 END
         WHERE id = $1",
        &[&id, &until_ms, &error],
    )
    .await?;
    Ok(())
}

/// Gives leased events back, so that another replica, or the next start, takes them at once.
pub(crate) async fn release(tx: &mut Tx<'_>, ids: &[i64], now_ms: i64) -> Result<()> {
    for id in ids {
        tx.execute(
            "UPDATE accepted SET visible_at_ms = $2,
               attempts = CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END
             WHERE id = $1",
            &[id, &now_ms],
        )
        .await?;
    }
    Ok(())
}

/// Parks an event that cannot be digested: it stays, with its error, until it expires.
pub(crate) async fn park(tx: &mut Tx<'_>, id: i64, now_ms: i64, error: &str) -> Result<()> {
    tx.execute(
        "UPDATE accepted SET parked_at_ms = $2, error = $3 WHERE id = $1",
        &[&id, &now_ms, &error],
    )
    .await?;
    Ok(())
}

/// Removes events whose digest is kept in the same transaction.
pub(crate) async fn delete(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 1]> = ids.iter().map(|id| -> [&dyn Bind; 1] { [id] }).collect();
    tx.insert_many("DELETE FROM accepted WHERE id IN (VALUES", &rows, ")").await?;
    Ok(())
}

/// Removes up to `limit` of the oldest events that were accepted before `before_ms` and that nobody digested,
/// parked ones too, and returns their projects. Ids are ordered by time, so nothing is searched.
pub(crate) async fn expire(tx: &mut Tx<'_>, before_ms: i64, limit: i64) -> Result<Vec<i64>> {
    let before_id = Clock::first_id_at(before_ms);
    tx.all(
        "DELETE FROM accepted
         WHERE id IN (
           SELECT id FROM accepted WHERE id < $1 AND received_at_ms < $2 ORDER BY id LIMIT $3)
         RETURNING project_id",
        &[&before_id, &before_ms, &limit],
    )
    .await
}

/// How much is queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Depth {
    /// Events that wait.
    pub(crate) waiting: i64,
    /// Bytes of their payloads.
    pub(crate) bytes: i64,
    /// Events that were given up.
    pub(crate) parked: i64,
}
from_row!(Depth { waiting, bytes, parked });

/// Returns how much is queued.
pub(crate) async fn depth(tx: &mut Tx<'_>) -> Result<Depth> {
    tx.one(
        "SELECT COUNT(*) - COUNT(parked_at_ms), CAST(COALESCE(SUM(LENGTH(payload)), 0) AS BIGINT),
           COUNT(parked_at_ms)
         FROM accepted",
        &[],
    )
    .await
}

/// Says whether an event waits for its first digest.
pub(crate) async fn is_waiting(tx: &mut Tx<'_>, now_ms: i64) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT id FROM accepted WHERE parked_at_ms IS NULL AND visible_at_ms <= $1 LIMIT 1",
            &[&now_ms],
        )
        .await?;
    Ok(found.is_some())
}

/// A parked event, for people.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) received_at_ms: i64,
    pub(crate) parked_at_ms: Option<i64>,
    pub(crate) error: Option<String>,
}
from_row!(Parked { received_at_ms, parked_at_ms, error });

/// Returns an event that is not digested yet, with the error of the last try.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    event_id: &EventId,
) -> Result<Option<Parked>> {
    tx.optional(
        "SELECT received_at_ms, parked_at_ms, error
         FROM accepted
         WHERE project_id = $1 AND event_id = $2",
        &[&project.0, &event_id.bytes()],
    )
    .await
}
