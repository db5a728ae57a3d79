//! What issues count beside their events: users, tag values, hours. Batches add in key order, so that
//! concurrent digests never wait for each other in a circle.

use std::collections::{BTreeMap, HashMap};

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

/// Returns the values of a tag among the issues of a project and status that were seen last, the one seen last
/// first.
///
/// `CROSS JOIN`, because SQLite takes it as the order of the loops: the few issues first, not all that have the tag.
pub(crate) async fn recent_values(
    tx: &mut Tx<'_>,
    project: ProjectId,
    status: &str,
    key: &str,
    limit: i64,
) -> Result<Vec<String>> {
    tx.all(
        "SELECT t.value
         FROM (SELECT id FROM issue WHERE project_id = $1 AND status = $2
           ORDER BY last_seen_ms DESC, id DESC LIMIT $3) i
         CROSS JOIN issue_tag t
         WHERE t.issue_id = i.id AND t.key = $4
         GROUP BY t.value
         ORDER BY MAX(t.last_seen_ms) DESC, t.value
         LIMIT $5",
        &[&project.0, &status, &RECENT_ISSUES, &key, &limit],
    )
    .await
}

/// Issues among which tags are looked for where a list offers some.
const RECENT_ISSUES: i64 = 200;

/// Returns the tags that the newest issues of a project have.
pub(crate) async fn recent_keys(tx: &mut Tx<'_>, project: ProjectId) -> Result<Vec<String>> {
    tx.all(
        "SELECT DISTINCT t.key
         FROM (SELECT id FROM issue WHERE project_id = $1 ORDER BY number DESC LIMIT $2) i
         CROSS JOIN issue_tag t
         WHERE t.issue_id = i.id
         ORDER BY t.key",
        &[&project.0, &RECENT_ISSUES],
    )
    .await
}

/// Says whether any issue, of whatever project, has a tag with a value.
pub(crate) async fn is_value(tx: &mut Tx<'_>, key: &str, value: &str) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT issue_id FROM issue_tag WHERE key = $1 AND value = $2 LIMIT 1",
            &[&key, &value],
        )
        .await?;
    Ok(found.is_some())
}

/// Says whether some issue of a project has a tag.
pub(crate) async fn has_tag(tx: &mut Tx<'_>, project: ProjectId, key: &str) -> Result<bool> {
    let found: Option<i64> = tx
        .optional(
            "SELECT t.issue_id FROM issue_tag t
             WHERE t.key = $2
               AND EXISTS (SELECT 1 FROM issue i WHERE i.id = t.issue_id AND i.project_id = $1)
             LIMIT 1",
            &[&project.0, &key],
        )
        .await?;
    Ok(found.is_some())
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

/// Adds what an emptied issue still counts, events that expired, to its heir's users.
pub(crate) async fn hand_over_users(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO issue_user (issue_id, user_hash, n)
         SELECT $2, user_hash, n FROM issue_user WHERE issue_id = $1 AND n > 0
         ON CONFLICT (issue_id, user_hash) DO UPDATE SET n = issue_user.n + excluded.n",
        &[&from, &to],
    )
    .await?;
    Ok(())
}

/// As [`hand_over_users`], for tag values.
pub(crate) async fn hand_over_tags(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO issue_tag (issue_id, key, value, n, last_seen_ms)
         SELECT $2, key, value, n, last_seen_ms FROM issue_tag WHERE issue_id = $1 AND n > 0
         ON CONFLICT (issue_id, key, value) DO UPDATE SET n = issue_tag.n + excluded.n",
        &[&from, &to],
    )
    .await?;
    Ok(())
}

/// As [`hand_over_users`], for hours.
pub(crate) async fn hand_over_hours(tx: &mut Tx<'_>, from: i64, to: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO issue_hour (issue_id, hour, n)
         SELECT $2, hour, n FROM issue_hour WHERE issue_id = $1 AND n > 0
         ON CONFLICT (issue_id, hour) DO UPDATE SET n = issue_hour.n + excluded.n",
        &[&from, &to],
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

/// Issues that one statement of [`hours_of`] and [`bars_of`] asks for.
const ISSUES_PER_STATEMENT: usize = 25;

/// Where a list of [`ISSUES_PER_STATEMENT`] issues stands in a statement that has two values before it.
macro_rules! listed {
    () => {
        "($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
           $24, $25, $26, $27)"
    };
}

/// Returns the issues' events per hour since `from_hour`, issue by issue.
pub(crate) async fn hours_of(
    tx: &mut Tx<'_>,
    issues: &[i64],
    from_hour: i64,
) -> Result<Vec<Vec<(i64, i64)>>> {
    bars_of(tx, issues, from_hour, 1).await
}

/// Returns the issues' events since `from_hour`, issue by issue, summed over spans of `hours`: `(first hour of the
/// span, events)`, spans without events left out.
pub(crate) async fn bars_of(
    tx: &mut Tx<'_>,
    issues: &[i64],
    from_hour: i64,
    hours: i64,
) -> Result<Vec<Vec<(i64, i64)>>> {
    let mut found: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
    for chunk in issues.chunks(ISSUES_PER_STATEMENT) {
        // No issue has the id 0.
        let ids: [i64; ISSUES_PER_STATEMENT] =
            std::array::from_fn(|at| chunk.get(at).copied().unwrap_or(0));
        let mut args: Vec<&dyn Bind> = vec![&from_hour, &hours];
        args.extend(ids.iter().map(|id| -> &dyn Bind { id }));
        let rows: Vec<(i64, i64, i64)> = tx
            .all(
                concat!(
                    "SELECT issue_id, $1 + ((hour - $1) / $2) * $2 AS bar, CAST(SUM(n) AS BIGINT)
                     FROM issue_hour
                     WHERE hour >= $1 AND n > 0 AND issue_id IN ",
                    listed!(),
                    "
                     GROUP BY issue_id, bar
                     ORDER BY issue_id, bar"
                ),
                &args,
            )
            .await?;
        for (issue, hour, n) in rows {
            found.entry(issue).or_default().push((hour, n));
        }
    }
    Ok(issues.iter().map(|issue| found.remove(issue).unwrap_or_default()).collect())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::issue::{self, IssueUpdate};

    async fn issue(tx: &mut Tx<'_>, id: i64) -> Result<()> {
        let new = IssueUpdate {
            id,
            added: 1,
            first_seen_ms: id,
            last_seen_ms: id,
            kind: "error".to_owned(),
            title: "x".to_owned(),
            culprit: String::new(),
            metadata: "{}".to_owned(),
            level: "error".to_owned(),
            platform: "python".to_owned(),
            logger: None,
            first_release: None,
            release: None,
            unhandled_at_ms: None,
        };
        issue::insert(tx, 1, id, "unresolved", &new).await
    }

    fn tag(issue_id: i64, key: &str, value: &str) -> TagKey {
        TagKey { issue_id, key: key.to_owned(), value: value.to_owned() }
    }

    on_both!(tags_of_recent_issues_are_offered, |db| {
        db.write(|tx| {
            Box::pin(async move {
                for id in [1, 2] {
                    issue(tx, id).await?;
                }
                let counts = BTreeMap::from([
                    (tag(1, "environment", "staging"), (1, 10)),
                    (tag(2, "environment", "production"), (5, 20)),
                    (tag(2, "plan", "free"), (1, 20)),
                ]);
                add_tags(tx, &counts).await?;
                let project = ProjectId(1);
                let values = recent_values(tx, project, "unresolved", "environment", 9).await?;
                assert_eq!(values, ["production", "staging"]);
                let none = recent_values(tx, project, "resolved", "environment", 9).await?;
                assert_eq!(none, Vec::<String>::new());
                assert_eq!(recent_keys(tx, project).await?, ["environment", "plan"]);
                assert!(is_value(tx, "plan", "free").await?);
                assert!(!is_value(tx, "plan", "pro").await?);
                assert!(has_tag(tx, project, "plan").await?);
                assert!(!has_tag(tx, project, "os").await?);
                assert!(!has_tag(tx, ProjectId(2), "plan").await?);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(hours_are_summed_issue_by_issue, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let hours =
                    [((1, 99), 7), ((1, 100), 1), ((1, 105), 2), ((1, 106), 4), ((30, 100), 3)];
                add_hours(tx, &hours).await?;
                // More issues than one statement asks for.
                let ids: Vec<i64> = (1..=30).rev().collect();
                let bars = bars_of(tx, &ids, 100, 6).await?;
                assert_eq!((&bars[0], &bars[29]), (&vec![(100, 3)], &vec![(100, 3), (106, 4)]));
                assert!(bars[1..29].iter().all(Vec::is_empty));
                let hours = hours_of(tx, &[1], 106).await?;
                assert_eq!(hours, [[(106, 4)]]);
                assert_eq!(hours_of(tx, &[], 0).await?.len(), 0);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
