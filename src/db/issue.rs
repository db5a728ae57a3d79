//! Issues: what events are grouped into.

use protocol::id::{IssueId, ProjectId};

use super::engine::{Tx, from_row};
use crate::error::Result;

/// An issue as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct StoredIssue {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) number: i64,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) culprit: String,
    /// JSON of `ingest::summary::Metadata`.
    pub(crate) metadata: String,
    pub(crate) level: String,
    pub(crate) platform: String,
    pub(crate) logger: Option<String>,
    /// `unresolved`, `resolved` or `ignored`.
    pub(crate) status: String,
    pub(crate) first_seen_ms: i64,
    pub(crate) last_seen_ms: i64,
    pub(crate) times_seen: i64,
    pub(crate) users_seen: i64,
    pub(crate) first_release: Option<String>,
    pub(crate) last_release: Option<String>,
    pub(crate) is_unhandled_at_ms: Option<i64>,
}
from_row!(StoredIssue {
    id,
    project_id,
    number,
    kind,
    title,
    culprit,
    metadata,
    level,
    platform,
    logger,
    status,
    first_seen_ms,
    last_seen_ms,
    times_seen,
    users_seen,
    first_release,
    last_release,
    is_unhandled_at_ms
});

/// What a batch of events adds to one issue, and what its newest event says about it.
#[derive(Debug, Clone)]
pub(crate) struct IssueUpdate {
    pub(crate) id: i64,
    pub(crate) added: i64,
    pub(crate) first_seen_ms: i64,
    pub(crate) last_seen_ms: i64,
    pub(crate) kind: String,
    pub(crate) title: String,
    pub(crate) culprit: String,
    pub(crate) metadata: String,
    pub(crate) level: String,
    pub(crate) platform: String,
    pub(crate) logger: Option<String>,
    /// Release of the newest event.
    pub(crate) release: Option<String>,
    /// Release of the oldest event.
    pub(crate) first_release: Option<String>,
    pub(crate) unhandled_at_ms: Option<i64>,
}

/// Makes an issue without events; [`add`] counts them.
pub(crate) async fn insert(
    tx: &mut Tx<'_>,
    project_id: i64,
    number: i64,
    status: &str,
    new: &IssueUpdate,
) -> Result<()> {
    tx.execute(
        "INSERT INTO issue (id, project_id, number, kind, title, culprit, metadata, level, platform, logger,
           status, first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
           is_unhandled_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, 0, $16, $14, $15)",
        &[
            &new.id, &project_id, &number, &new.kind, &new.title, &new.culprit, &new.metadata, &new.level,
            &new.platform, &new.logger, &status, &new.first_seen_ms, &new.last_seen_ms, &new.release,
            &new.unhandled_at_ms, &new.first_release,
        ],
    )
    .await?;
    Ok(())
}

/// Counts events and, if the newest of them is the issue's newest, takes over what it says.
pub(crate) async fn add(tx: &mut Tx<'_>, update: &IssueUpdate) -> Result<()> {
    tx.execute(
        "UPDATE issue
         SET times_seen = times_seen + $2,
           first_release = CASE WHEN first_seen_ms > $3 THEN $14 ELSE first_release END,
           first_seen_ms = CASE WHEN first_seen_ms > $3 THEN $3 ELSE first_seen_ms END,
           kind = CASE WHEN last_seen_ms <= $4 THEN $5 ELSE kind END,
           title = CASE WHEN last_seen_ms <= $4 THEN $6 ELSE title END,
           culprit = CASE WHEN last_seen_ms <= $4 THEN $7 ELSE culprit END,
           metadata = CASE WHEN last_seen_ms <= $4 THEN $8 ELSE metadata END,
           level = CASE WHEN last_seen_ms <= $4 THEN $9 ELSE level END,
           platform = CASE WHEN last_seen_ms <= $4 THEN $10 ELSE platform END,
           logger = CASE WHEN last_seen_ms <= $4 THEN $11 ELSE logger END,
           last_release = CASE WHEN last_seen_ms <= $4 THEN COALESCE($12, last_release) ELSE last_release END,
           is_unhandled_at_ms = CASE WHEN last_seen_ms <= $4 THEN $13 ELSE is_unhandled_at_ms END,
           last_seen_ms = CASE WHEN last_seen_ms < $4 THEN $4 ELSE last_seen_ms END
         WHERE id = $1",
        &[
            &update.id, &update.added, &update.first_seen_ms, &update.last_seen_ms, &update.kind,
            &update.title, &update.culprit, &update.metadata, &update.level, &update.platform,
            &update.logger, &update.release, &update.unhandled_at_ms, &update.first_release,
        ],
    )
    .await?;
    Ok(())
}

/// Reopens an issue that was resolved, because a new event came, and says whether it was.
pub(crate) async fn reopen(tx: &mut Tx<'_>, id: i64, now_ms: i64) -> Result<bool> {
    let changed = tx.execute(
        "UPDATE issue SET status = 'unresolved', status_changed_at_ms = $2 WHERE id = $1 AND status = 'resolved'",
        &[&id, &now_ms],
    )
    .await?;
    Ok(changed > 0)
}

/// Reopens an issue that was resolved before an event was received which only now turns out to belong to it,
/// and says whether it was.
pub(crate) async fn reopen_for(
    tx: &mut Tx<'_>,
    id: i64,
    received_at_ms: i64,
    now_ms: i64,
) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE issue SET status = 'unresolved', status_changed_at_ms = $3
             WHERE id = $1 AND status = 'resolved' AND COALESCE(status_changed_at_ms, 0) < $2",
            &[&id, &received_at_ms, &now_ms],
        )
        .await?;
    Ok(changed > 0)
}

/// Gives an issue that was made for another one's events the time of that one's last decision.
pub(crate) async fn inherit_decision(tx: &mut Tx<'_>, id: i64, from: i64) -> Result<()> {
    tx.execute(
        "UPDATE issue
         SET status_changed_at_ms = (SELECT o.status_changed_at_ms FROM issue o WHERE o.id = $2)
         WHERE id = $1",
        &[&id, &from],
    )
    .await?;
    Ok(())
}

/// Adds to the number of users an issue was seen by; `by` may be negative.
pub(crate) async fn add_users(tx: &mut Tx<'_>, id: i64, by: i64) -> Result<()> {
    tx.execute("UPDATE issue SET users_seen = users_seen + $2 WHERE id = $1", &[&id, &by]).await?;
    Ok(())
}

/// Takes one event off an issue's count.
pub(crate) async fn take_one(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.execute("UPDATE issue SET times_seen = times_seen - 1 WHERE id = $1", &[&id]).await?;
    Ok(())
}

/// Sets when an issue was first seen, and in which release.
pub(crate) async fn set_first(
    tx: &mut Tx<'_>,
    id: i64,
    first_seen_ms: i64,
    release: Option<&str>,
) -> Result<()> {
    let sql = "UPDATE issue SET first_seen_ms = $2, first_release = $3 WHERE id = $1";
    tx.execute(sql, &[&id, &first_seen_ms, &release]).await?;
    Ok(())
}

/// Lets another event than before speak for an issue, because the one that did moved away.
pub(crate) async fn set_last(tx: &mut Tx<'_>, newest: &IssueUpdate) -> Result<()> {
    tx.execute(
        "UPDATE issue
         SET last_seen_ms = $2, kind = $3, title = $4, culprit = $5, metadata = $6, level = $7,
           platform = $8, logger = $9, last_release = $10, is_unhandled_at_ms = $11
         WHERE id = $1",
        &[
            &newest.id,
            &newest.last_seen_ms,
            &newest.kind,
            &newest.title,
            &newest.culprit,
            &newest.metadata,
            &newest.level,
            &newest.platform,
            &newest.logger,
            &newest.release,
            &newest.unhandled_at_ms,
        ],
    )
    .await?;
    Ok(())
}

/// Sets when an issue was last seen.
pub(crate) async fn set_last_seen(tx: &mut Tx<'_>, id: i64, last_seen_ms: i64) -> Result<()> {
    let sql = "UPDATE issue SET last_seen_ms = $2 WHERE id = $1";
    tx.execute(sql, &[&id, &last_seen_ms]).await?;
    Ok(())
}

/// Adds what an emptied issue still counts, events that expired, to its heir. Users are counted anew, after
/// [`super::issue_count::hand_over_users`].
pub(crate) async fn hand_over(tx: &mut Tx<'_>, from: &StoredIssue, to: i64) -> Result<()> {
    tx.execute(
        "UPDATE issue
         SET times_seen = times_seen + $2,
           users_seen = (SELECT COUNT(*) FROM issue_user u WHERE u.issue_id = $1),
           first_release = CASE WHEN first_seen_ms > $3 THEN $4 ELSE first_release END,
           first_seen_ms = CASE WHEN first_seen_ms > $3 THEN $3 ELSE first_seen_ms END
         WHERE id = $1",
        &[&to, &from.times_seen, &from.first_seen_ms, &from.first_release],
    )
    .await?;
    Ok(())
}

/// Removes an issue that has no event: it lost the last one to another issue, or never got one.
pub(crate) async fn delete_emptied(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.execute("DELETE FROM group_hash WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue_user WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue_tag WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue_hour WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue_journal WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue_redirect WHERE issue_id = $1", &[&id]).await?;
    tx.execute("DELETE FROM issue WHERE id = $1", &[&id]).await?;
    Ok(())
}

/// Returns the issue that a hash stands for; it is not removed before this transaction ends.
pub(crate) async fn by_hash(tx: &mut Tx<'_>, project_id: i64, hash: &[u8]) -> Result<Option<i64>> {
    let sql = tx.dialect().pick(
        "SELECT issue_id FROM group_hash WHERE project_id = $1 AND hash = $2",
        "SELECT issue_id FROM group_hash WHERE project_id = $1 AND hash = $2 FOR SHARE",
    );
    tx.optional(sql, &[&project_id, &hash]).await
}

/// Waits for transactions that are adding events to an issue, and lets no other begin; see [`by_hash`].
pub(crate) async fn lock_hashes(tx: &mut Tx<'_>, issue_id: i64) -> Result<()> {
    let sql = tx.dialect().pick(
        "SELECT issue_id FROM group_hash WHERE issue_id = $1",
        "SELECT issue_id FROM group_hash WHERE issue_id = $1 FOR UPDATE",
    );
    let _hashes: Vec<i64> = tx.all(sql, &[&issue_id]).await?;
    Ok(())
}

/// Claims a hash for an issue; `false` where somebody else was faster.
pub(crate) async fn claim_hash(
    tx: &mut Tx<'_>,
    project_id: i64,
    hash: &[u8],
    version: i64,
    issue_id: i64,
) -> Result<bool> {
    let changed = tx
        .execute(
            "INSERT INTO group_hash (project_id, hash, version, issue_id) VALUES ($1, $2, $3, $4)
             ON CONFLICT (project_id, hash) DO NOTHING",
            &[&project_id, &hash, &version, &issue_id],
        )
        .await?;
    Ok(changed > 0)
}

/// Returns an issue by its id.
pub(crate) async fn by_id(tx: &mut Tx<'_>, id: IssueId) -> Result<Option<StoredIssue>> {
    tx.optional(
        "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
           first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
           is_unhandled_at_ms
         FROM issue
         WHERE id = $1",
        &[&id.0],
    )
    .await
}

/// Returns an issue by its number within its project.
pub(crate) async fn by_number(
    tx: &mut Tx<'_>,
    project: ProjectId,
    number: i64,
) -> Result<Option<StoredIssue>> {
    tx.optional(
        "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
           first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
           is_unhandled_at_ms
         FROM issue
         WHERE project_id = $1 AND number = $2",
        &[&project.0, &number],
    )
    .await
}

/// Returns how many issues of a project have a status.
pub(crate) async fn count(tx: &mut Tx<'_>, project: ProjectId, status: &str) -> Result<i64> {
    tx.one(
        "SELECT COUNT(*) FROM issue WHERE project_id = $1 AND status = $2",
        &[&project.0, &status],
    )
    .await
}

/// Returns when the newest event of a project's issues occurred; `None` where it has no issue.
pub(crate) async fn last_seen(tx: &mut Tx<'_>, project: ProjectId) -> Result<Option<i64>> {
    tx.one("SELECT MAX(last_seen_ms) FROM issue WHERE project_id = $1", &[&project.0]).await
}

/// Sets the status of an issue and says whether there is one.
pub(crate) async fn set_status(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: IssueId,
    status: &str,
    now_ms: i64,
) -> Result<bool> {
    let changed = tx
        .execute(
            "UPDATE issue SET status = $3, status_changed_at_ms = $4 WHERE project_id = $1 AND id = $2",
            &[&project.0, &id.0, &status, &now_ms],
        )
        .await?;
    Ok(changed > 0)
}
