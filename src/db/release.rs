//! `release`: what is known of the releases of a project, from events and from uploads.

use super::engine::{Bind, Tx, from_row};
use super::issue::StoredIssue;
use crate::error::Result;

/// A release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Release {
    /// As SDKs send it.
    pub(crate) version: String,
    /// When it was first heard of, by an event or an upload.
    pub(crate) created_at_ms: i64,
    /// Last event or upload; the order of lists.
    pub(crate) active_at_ms: i64,
    /// First event; `None` where there was none, or it was before this was written down.
    pub(crate) first_event_ms: Option<i64>,
    /// Last event.
    pub(crate) last_event_ms: Option<i64>,
    /// Events received.
    pub(crate) n: i64,
    /// Frames that were symbolicated.
    pub(crate) frames_resolved: i64,
    /// Frames that should have been.
    pub(crate) frames_unresolved: i64,
    /// Issues that appeared in it.
    pub(crate) issues_new: i64,
    /// Artifact bundles that were uploaded for it.
    pub(crate) bundles: i64,
}
from_row!(Release {
    version,
    created_at_ms,
    active_at_ms,
    first_event_ms,
    last_event_ms,
    n,
    frames_resolved,
    frames_unresolved,
    issues_new,
    bundles
});

/// Which release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReleaseKey {
    pub(crate) project_id: i64,
    pub(crate) version: String,
}

/// What events add to a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) n: i64,
    pub(crate) frames_resolved: i64,
    pub(crate) frames_unresolved: i64,
}

/// Counts events in their releases, one row per key, in key order.
pub(crate) async fn add(tx: &mut Tx<'_>, added: &[(ReleaseKey, Added)]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 9]> = added
        .iter()
        .map(|(key, added)| -> [&dyn Bind; 9] {
            let Added { first_ms, last_ms, n, frames_resolved, frames_unresolved } = added;
            [
                &key.project_id,
                &key.version,
                first_ms,
                last_ms,
                first_ms,
                last_ms,
                n,
                frames_resolved,
                frames_unresolved,
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO release (project_id, version, created_at_ms, active_at_ms, first_event_ms,
           last_event_ms, n, frames_resolved, frames_unresolved) VALUES",
        &rows,
        "ON CONFLICT (project_id, version) DO UPDATE SET
           active_at_ms = CASE WHEN release.active_at_ms < excluded.active_at_ms
             THEN excluded.active_at_ms ELSE release.active_at_ms END,
           first_event_ms = CASE WHEN release.first_event_ms < excluded.first_event_ms
             THEN release.first_event_ms ELSE excluded.first_event_ms END,
           last_event_ms = CASE WHEN release.last_event_ms > excluded.last_event_ms
             THEN release.last_event_ms ELSE excluded.last_event_ms END,
           n = release.n + excluded.n,
           frames_resolved = release.frames_resolved + excluded.frames_resolved,
           frames_unresolved = release.frames_unresolved + excluded.frames_unresolved",
    )
    .await?;
    Ok(())
}

/// Changes how many frames of a release's events could be read, because events were digested again. Frames of
/// events from before they were counted do not make a count negative.
pub(crate) async fn add_frames(
    tx: &mut Tx<'_>,
    key: &ReleaseKey,
    resolved: i64,
    unresolved: i64,
) -> Result<()> {
    tx.execute(
        "UPDATE release
         SET frames_resolved = CASE WHEN frames_resolved + $3 > 0 THEN frames_resolved + $3 ELSE 0 END,
           frames_unresolved = CASE WHEN frames_unresolved + $4 > 0 THEN frames_unresolved + $4 ELSE 0 END
         WHERE project_id = $1 AND version = $2",
        &[&key.project_id, &key.version, &resolved, &unresolved],
    )
    .await?;
    Ok(())
}

/// Notes that something was uploaded for a release, which may have no event yet.
pub(crate) async fn uploaded(tx: &mut Tx<'_>, key: &ReleaseKey, now_ms: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO release (project_id, version, created_at_ms, active_at_ms, first_event_ms,
           last_event_ms, n, frames_resolved, frames_unresolved)
         VALUES ($1, $2, $3, $3, NULL, NULL, 0, 0, 0)
         ON CONFLICT (project_id, version) DO UPDATE SET
           active_at_ms = CASE WHEN release.active_at_ms < excluded.active_at_ms
             THEN excluded.active_at_ms ELSE release.active_at_ms END",
        &[&key.project_id, &key.version, &now_ms],
    )
    .await?;
    Ok(())
}

/// Place in a list that is ordered by activity, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) active_at_ms: i64,
    /// The release at this place; those after it in the alphabet come first.
    pub(crate) version: String,
}

/// Returns releases of a project whose name contains `text`, the last active first.
///
/// `text` is lower case; `%` and `_` in it match more, which harms nobody.
pub(crate) async fn page(
    tx: &mut Tx<'_>,
    project: i64,
    text: &str,
    before: &Before,
    limit: i64,
) -> Result<Vec<Release>> {
    let pattern = format!("%{text}%");
    tx.all(
        "SELECT r.version, r.created_at_ms, r.active_at_ms, r.first_event_ms, r.last_event_ms, r.n,
           r.frames_resolved, r.frames_unresolved,
           (SELECT COUNT(*) FROM issue i WHERE i.project_id = r.project_id AND i.first_release = r.version),
           (SELECT COUNT(*) FROM artifact_bundle_release b
            JOIN artifact_bundle_project p ON p.bundle_id = b.bundle_id AND p.project_id = r.project_id
            WHERE b.release = r.version)
         FROM release r
         WHERE r.project_id = $1 AND (r.active_at_ms, r.version) < ($2, $3) AND LOWER(r.version) LIKE $4
         ORDER BY r.active_at_ms DESC, r.version DESC
         LIMIT $5",
        &[&project, &before.active_at_ms, &before.version, &pattern, &limit],
    )
    .await
}

/// Returns a release of a project.
pub(crate) async fn find(tx: &mut Tx<'_>, project: i64, version: &str) -> Result<Option<Release>> {
    tx.optional(
        "SELECT r.version, r.created_at_ms, r.active_at_ms, r.first_event_ms, r.last_event_ms, r.n,
           r.frames_resolved, r.frames_unresolved,
           (SELECT COUNT(*) FROM issue i WHERE i.project_id = r.project_id AND i.first_release = r.version),
           (SELECT COUNT(*) FROM artifact_bundle_release b
            JOIN artifact_bundle_project p ON p.bundle_id = b.bundle_id AND p.project_id = r.project_id
            WHERE b.release = r.version)
         FROM release r
         WHERE r.project_id = $1 AND r.version = $2",
        &[&project, &version],
    )
    .await
}

/// An issue, and how often it was seen in a release.
#[derive(Debug, Clone)]
pub(crate) struct SeenIssue {
    pub(crate) issue_id: i64,
    /// Events of the release.
    pub(crate) n: i64,
    /// The last of them.
    pub(crate) last_seen_ms: i64,
}
from_row!(SeenIssue { issue_id, n, last_seen_ms });

/// Returns the issues that appeared in a release, the most frequent first.
pub(crate) async fn issues_new(
    tx: &mut Tx<'_>,
    project: i64,
    version: &str,
    limit: i64,
) -> Result<Vec<StoredIssue>> {
    tx.all(
        "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
           first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
           is_unhandled_at_ms
         FROM issue
         WHERE project_id = $1 AND first_release = $2
         ORDER BY times_seen DESC, id DESC
         LIMIT $3",
        &[&project, &version, &limit],
    )
    .await
}

/// Returns which issues were seen in a release, most often first.
pub(crate) async fn issues_seen(
    tx: &mut Tx<'_>,
    project: i64,
    version: &str,
    limit: i64,
) -> Result<Vec<SeenIssue>> {
    tx.all(
        "SELECT t.issue_id, t.n, t.last_seen_ms
         FROM issue_tag t
         JOIN issue i ON i.id = t.issue_id
         WHERE t.key = 'release' AND t.value = $2 AND i.project_id = $1
         ORDER BY t.n DESC, t.issue_id DESC
         LIMIT $3",
        &[&project, &version, &limit],
    )
    .await
}

/// Returns how often an issue was seen in a release.
pub(crate) async fn seen(
    tx: &mut Tx<'_>,
    issue_id: i64,
    version: &str,
) -> Result<Option<SeenIssue>> {
    tx.optional(
        "SELECT issue_id, n, last_seen_ms FROM issue_tag WHERE issue_id = $1 AND key = 'release' AND value = $2",
        &[&issue_id, &version],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::engine::{Db, MIGRATIONS, Migration, Options};

    const START: Before = Before { active_at_ms: i64::MAX, version: String::new() };
    /// Migrations before the table came.
    const BEFORE: &[Migration] = &[MIGRATIONS[0]];

    fn key(version: &str) -> ReleaseKey {
        ReleaseKey { project_id: 1, version: version.to_owned() }
    }

    fn added(first_ms: i64, last_ms: i64, n: i64) -> Added {
        Added { first_ms, last_ms, n, frames_resolved: 4 * n, frames_unresolved: n }
    }

    on_both!(events_and_uploads_make_a_release, |db| {
        db.write(|tx| {
            Box::pin(async move {
                uploaded(tx, &key("a"), 50).await?;
                add(tx, &[(key("a"), added(100, 200, 3)), (key("b"), added(10, 20, 1))]).await?;
                add(tx, &[(key("a"), added(90, 150, 1))]).await?;
                uploaded(tx, &key("a"), 60).await?;
                let found = find(tx, 1, "a").await?.unwrap();
                assert_eq!((found.created_at_ms, found.active_at_ms), (50, 200));
                assert_eq!((found.first_event_ms, found.last_event_ms), (Some(90), Some(200)));
                assert_eq!((found.n, found.frames_resolved, found.frames_unresolved), (4, 16, 4));
                let names = |found: Vec<Release>| {
                    found.into_iter().map(|found| found.version).collect::<Vec<_>>()
                };
                assert_eq!(names(page(tx, 1, "", &START, 9).await?), ["a", "b"]);
                assert_eq!(names(page(tx, 1, "b", &START, 9).await?), ["b"]);
                let after_a = Before { active_at_ms: 200, version: "a".to_owned() };
                assert_eq!(names(page(tx, 1, "", &after_a, 9).await?), ["b"]);
                assert_eq!(find(tx, 2, "a").await?, None);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(what_was_known_before_is_taken_over, BEFORE, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let issue = "INSERT INTO issue (id, project_id, number, kind, title, culprit, metadata, level,
                    platform, status, first_seen_ms, last_seen_ms, times_seen, users_seen, first_release)
                  VALUES ($1, 1, $1, '', '', '', '{}', 'error', '', 'unresolved', $2, 900, 5, 0, $3)";
                tx.execute(issue, &[&1_i64, &100_i64, &"a"]).await?;
                tx.execute(issue, &[&2_i64, &300_i64, &"b"]).await?;
                let tag = "INSERT INTO issue_tag (issue_id, key, value, n, last_seen_ms) VALUES ($1, $2, $3, $4, $5)";
                tx.execute(tag, &[&1_i64, &"release", &"a", &3_i64, &400_i64]).await?;
                tx.execute(tag, &[&1_i64, &"release", &"b", &2_i64, &900_i64]).await?;
                tx.execute(tag, &[&2_i64, &"release", &"b", &5_i64, &800_i64]).await?;
                tx.execute(tag, &[&2_i64, &"os", &"b", &5_i64, &800_i64]).await?;
                tx.execute("INSERT INTO artifact_bundle (id, organization_id, bundle_id, sha1, sha256, size,
                    file_count, created_at_ms) VALUES (7, 1, 'x', $1, $1, 1, 1, 50)", &[&vec![1_u8; 20]]).await?;
                tx.execute("INSERT INTO artifact_bundle_project (bundle_id, project_id) VALUES (7, 1)", &[]).await?;
                let tie = "INSERT INTO artifact_bundle_release (bundle_id, release, dist, created_at_ms) VALUES (7, $1, '', 50)";
                tx.execute(tie, &[&"a"]).await?;
                tx.execute(tie, &[&"c"]).await?;
                tx.execute(tie, &[&""]).await?;
                Ok(())
            })
        })
        .await
        .unwrap();
        let newer = Db::open(&Options { migrations: MIGRATIONS, ..db.options().clone() }).await;
        let found = newer
            .unwrap()
            .read(|tx| Box::pin(async move { page(tx, 1, "", &START, 9).await }))
            .await
            .unwrap();
        let figures =
            |r: &Release| (r.n, r.first_event_ms, r.last_event_ms, r.issues_new, r.bundles);
        let shown: Vec<_> = found.iter().map(|r| (r.version.as_str(), figures(r))).collect();
        assert_eq!(
            shown,
            [
                ("b", (7, Some(300), Some(900), 1, 0)),
                ("a", (3, Some(100), Some(400), 1, 1)),
                ("c", (0, None, None, 0, 1)),
            ]
        );
    });
}
