//! What issues count beside their events: users, tag values, hours. Batches add in key order, so that
//! concurrent digests never wait for each other in a circle.

use std::collections::BTreeMap;

use protocol::id::ProjectId;

use super::engine::{Bind, Tx, from_row};
use crate::error::Result;

/// Most distinct values that one tag counts within one issue; further values are not counted.
pub(crate) const TAG_VALUES_MAX: i64 = 1_000;

/// One more event of a user in an issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UserKey {
    pub(crate) issue_id: i64,
    pub(crate) user_hash: Vec<u8>,
}

struct UserCount {
    issue_id: i64,
    user_hash: Vec<u8>,
    n: i64,
}
from_row!(UserCount { issue_id, user_hash, n });

/// Adds to users' counts, one row per key in their order, and returns the keys that were new.
pub(crate) async fn add_users(tx: &mut Tx<'_>, counts: &[(UserKey, i64)]) -> Result<Vec<UserKey>> {
    let rows: Vec<[&dyn Bind; 3]> = counts
        .iter()
        .map(|(key, n)| -> [&dyn Bind; 3] { [&key.issue_id, &key.user_hash, n] })
        .collect();
    let after: Vec<UserCount> = tx
        .insert_many_returning(
            "INSERT INTO issue_user (issue_id, user_hash, n) VALUES",
            &rows,
            "ON CONFLICT (issue_id, user_hash) DO UPDATE SET n = issue_user.n + excluded.n
             RETURNING issue_id, user_hash, n",
        )
        .await?;
    let mut new = Vec::new();
    for UserCount { issue_id, user_hash, n } in after {
        let key = UserKey { issue_id, user_hash };
        let place = counts.binary_search_by(|(counted, _)| counted.cmp(&key));
        if place.is_ok_and(|place| counts[place].1 == n) {
            new.push(key);
        }
    }
    Ok(new)
}

/// Takes one event off a user's count; `true` where it was the last.
pub(crate) async fn take_user(tx: &mut Tx<'_>, key: &UserKey) -> Result<bool> {
    let left: Option<i64> = tx
        .optional(
            "UPDATE issue_user SET n = n - 1 WHERE issue_id = $1 AND user_hash = $2 RETURNING n",
            &[&key.issue_id, &key.user_hash],
        )
        .await?;
    if left.is_some_and(|left| left <= 0) {
        let sql = "DELETE FROM issue_user WHERE issue_id = $1 AND user_hash = $2";
        tx.execute(sql, &[&key.issue_id, &key.user_hash]).await?;
        return Ok(true);
    }
    Ok(false)
}

/// A tag's value within an issue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TagKey {
    pub(crate) issue_id: i64,
    pub(crate) key: String,
    pub(crate) value: String,
}

struct TagAfter {
    issue_id: i64,
    key: String,
    value: String,
    n: i64,
}
from_row!(TagAfter { issue_id, key, value, n });

/// Adds to tag values' counts, one row per key, with the time of the newest event, and returns the values that
/// were new.
pub(crate) async fn add_tags(
    tx: &mut Tx<'_>,
    counts: &BTreeMap<TagKey, (i64, i64)>,
) -> Result<Vec<TagKey>> {
    let rows: Vec<[&dyn Bind; 5]> = counts
        .iter()
        .map(|(key, (n, last_seen_ms))| -> [&dyn Bind; 5] {
            [&key.issue_id, &key.key, &key.value, n, last_seen_ms]
        })
        .collect();
    let after: Vec<TagAfter> = tx
        .insert_many_returning(
            "INSERT INTO issue_tag (issue_id, key, value, n, last_seen_ms) VALUES",
            &rows,
            "ON CONFLICT (issue_id, key, value) DO UPDATE SET n = issue_tag.n + excluded.n,
               last_seen_ms = CASE WHEN issue_tag.last_seen_ms < excluded.last_seen_ms
                 THEN excluded.last_seen_ms ELSE issue_tag.last_seen_ms END
             RETURNING issue_id, key, value, n",
        )
        .await?;
    let new = |TagAfter { issue_id, key, value, n }: TagAfter| {
        let key = TagKey { issue_id, key, value };
        (counts.get(&key)?.0 == n).then_some(key)
    };
    Ok(after.into_iter().filter_map(new).collect())
}

/// Returns the tags of an issue that have more than `values_max` values, with how many.
pub(crate) async fn crowded_tags(
    tx: &mut Tx<'_>,
    issue_id: i64,
    values_max: i64,
) -> Result<Vec<(String, i64)>> {
    tx.all(
        "SELECT key, COUNT(*) FROM issue_tag WHERE issue_id = $1 GROUP BY key HAVING COUNT(*) > $2",
        &[&issue_id, &values_max],
    )
    .await
}

/// Stops counting a tag value.
pub(crate) async fn delete_tag(tx: &mut Tx<'_>, key: &TagKey) -> Result<()> {
    tx.execute(
        "DELETE FROM issue_tag WHERE issue_id = $1 AND key = $2 AND value = $3",
        &[&key.issue_id, &key.key, &key.value],
    )
    .await?;
    Ok(())
}

/// Takes one event off a tag value's count.
pub(crate) async fn take_tag(tx: &mut Tx<'_>, key: &TagKey) -> Result<()> {
    let left: Option<i64> = tx
        .optional(
            "UPDATE issue_tag SET n = n - 1 WHERE issue_id = $1 AND key = $2 AND value = $3 RETURNING n",
            &[&key.issue_id, &key.key, &key.value],
        )
        .await?;
    if left.is_some_and(|left| left <= 0) {
        delete_tag(tx, key).await?;
    }
    Ok(())
}

/// A value of a tag with its count.
#[derive(Debug, Clone)]
pub(crate) struct TagCount {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) n: i64,
    pub(crate) last_seen_ms: i64,
}
from_row!(TagCount { key, value, n, last_seen_ms });

/// Returns the tag values of an issue, the most frequent first.
pub(crate) async fn tags(tx: &mut Tx<'_>, issue_id: i64, limit: i64) -> Result<Vec<TagCount>> {
    tx.all(
        "SELECT key, value, n, last_seen_ms FROM issue_tag WHERE issue_id = $1
         ORDER BY n DESC, key, value
         LIMIT $2",
        &[&issue_id, &limit],
    )
    .await
}

/// Adds to hours' counts; an hour is counted from 1970. `n` may be negative when an event moves away.
pub(crate) async fn add_hours(tx: &mut Tx<'_>, counts: &[((i64, i64), i64)]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 3]> = counts
        .iter()
        .map(|((issue_id, hour), n)| -> [&dyn Bind; 3] { [issue_id, hour, n] })
        .collect();
    tx.insert_many(
        "INSERT INTO issue_hour (issue_id, hour, n) VALUES",
        &rows,
        "ON CONFLICT (issue_id, hour) DO UPDATE SET n = issue_hour.n + excluded.n",
    )
    .await?;
    Ok(())
}

/// Returns an issue's events per hour since `from_hour`.
pub(crate) async fn hours(
    tx: &mut Tx<'_>,
    issue_id: i64,
    from_hour: i64,
) -> Result<Vec<(i64, i64)>> {
    tx.all(
        "SELECT hour, n FROM issue_hour WHERE issue_id = $1 AND hour >= $2 AND n > 0 ORDER BY hour",
        &[&issue_id, &from_hour],
    )
    .await
}

/// Returns how many events a project's issues got since `from_hour`.
pub(crate) async fn of_project_since(
    tx: &mut Tx<'_>,
    project: ProjectId,
    from_hour: i64,
) -> Result<i64> {
    tx.one(
        "SELECT CAST(COALESCE(SUM(h.n), 0) AS BIGINT)
         FROM issue i
         JOIN issue_hour h ON h.issue_id = i.id
         WHERE i.project_id = $1 AND h.hour >= $2",
        &[&project.0, &from_hour],
    )
    .await
}
