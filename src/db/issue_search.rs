//! Lists of issues: one project, one status, filtered, in one of several orders, from a place on.
//!
//! A list over several projects or statuses is merged from such lists by whoever asks: each of them walks an
//! index, where one statement over all would sort everything.

use protocol::id::{IssueId, ProjectId};

use super::engine::{Bind, Tx};
use super::issue::StoredIssue;
use crate::error::Result;

/// What a list is ordered by, largest first; ids break ties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    /// Last seen.
    #[default]
    LastSeen,
    /// First seen.
    FirstSeen,
    /// Events received.
    Events,
    /// Users affected.
    Users,
}

impl Sort {
    /// Returns what an issue is ordered by.
    pub(crate) fn key(self, issue: &StoredIssue) -> i64 {
        match self {
            Self::LastSeen => issue.last_seen_ms,
            Self::FirstSeen => issue.first_seen_ms,
            Self::Events => issue.times_seen,
            Self::Users => issue.users_seen,
        }
    }
}

/// A place in a list, and which side of it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// What comes after a key and id.
    After(i64, i64),
    /// What comes before them, nearest first.
    Before(i64, i64),
}

#[cfg(test)]
impl Place {
    /// The beginning of the list.
    pub(crate) const START: Self = Self::After(i64::MAX, i64::MAX);
}

/// What an issue must be like.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// Its level.
    pub(crate) level: Option<String>,
    /// A LIKE pattern (escape character `\`) that its title or culprit matches, in either case.
    pub(crate) pattern: Option<String>,
    /// Its last event is not older than this.
    pub(crate) seen_since_ms: i64,
}

macro_rules! search {
    ($key:literal, $sign:literal, $order:literal) => {
        concat!(
            "SELECT id, project_id, number, kind, title, culprit, metadata, level, platform, logger, status,
               first_seen_ms, last_seen_ms, times_seen, users_seen, first_release, last_release,
               is_unhandled_at_ms
             FROM issue
             WHERE project_id = $1 AND status = $2
               AND (CAST($3 AS TEXT) IS NULL OR level = $3)
               AND (CAST($4 AS TEXT) IS NULL OR LOWER(title) LIKE LOWER($4) ESCAPE '\\'
                 OR LOWER(culprit) LIKE LOWER($4) ESCAPE '\\')
               AND last_seen_ms >= $5
               AND (",
            $key, " ", $sign, " $6 OR (", $key, " = $6 AND id ", $sign, " $7))
             ORDER BY ", $key, " ", $order, ", id ", $order, "
             LIMIT $8"
        )
    };
}

/// Returns issues of a project with a status, from `place` on.
pub(crate) async fn search(
    tx: &mut Tx<'_>,
    project: ProjectId,
    status: &str,
    filter: &Filter,
    (sort, place): (Sort, Place),
    limit: i64,
) -> Result<Vec<StoredIssue>> {
    let (sql, key, id) = match (sort, place) {
        (Sort::LastSeen, Place::After(key, id)) => (search!("last_seen_ms", "<", "DESC"), key, id),
        (Sort::LastSeen, Place::Before(key, id)) => (search!("last_seen_ms", ">", "ASC"), key, id),
        (Sort::FirstSeen, Place::After(key, id)) => {
            (search!("first_seen_ms", "<", "DESC"), key, id)
        }
        (Sort::FirstSeen, Place::Before(key, id)) => {
            (search!("first_seen_ms", ">", "ASC"), key, id)
        }
        (Sort::Events, Place::After(key, id)) => (search!("times_seen", "<", "DESC"), key, id),
        (Sort::Events, Place::Before(key, id)) => (search!("times_seen", ">", "ASC"), key, id),
        (Sort::Users, Place::After(key, id)) => (search!("users_seen", "<", "DESC"), key, id),
        (Sort::Users, Place::Before(key, id)) => (search!("users_seen", ">", "ASC"), key, id),
    };
    let args: [&dyn Bind; 8] = [
        &project.0,
        &status,
        &filter.level,
        &filter.pattern,
        &filter.seen_since_ms,
        &key,
        &id,
        &limit,
    ];
    tx.all(sql, &args).await
}

/// Sets the status of up to `limit` issues that have another one (`from`: that one), and returns
/// which.
pub(crate) async fn set_status_where(
    tx: &mut Tx<'_>,
    project: ProjectId,
    from: Option<&str>,
    to: &str,
    now_ms: i64,
    limit: i64,
) -> Result<Vec<i64>> {
    tx.all(
        "UPDATE issue SET status = $3, status_changed_at_ms = $4
         WHERE id IN (
           SELECT id FROM issue
           WHERE project_id = $1 AND status <> $3 AND (CAST($2 AS TEXT) IS NULL OR status = $2)
           LIMIT $5)
         RETURNING id",
        &[&project.0, &from, &to, &now_ms, &limit],
    )
    .await
}

/// Returns the hashes that stand for an issue.
pub(crate) async fn hashes(tx: &mut Tx<'_>, issue: IssueId, limit: i64) -> Result<Vec<Vec<u8>>> {
    tx.all(
        "SELECT hash FROM group_hash WHERE issue_id = $1 ORDER BY hash LIMIT $2",
        &[&issue.0, &limit],
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::issue::{self, IssueUpdate};

    fn update(id: i64, title: &str, last_seen_ms: i64) -> IssueUpdate {
        IssueUpdate {
            id,
            added: 1,
            first_seen_ms: 100 - last_seen_ms,
            last_seen_ms,
            kind: "error".to_owned(),
            title: title.to_owned(),
            culprit: "cart.total".to_owned(),
            metadata: "{}".to_owned(),
            level: if id == 3 { "fatal" } else { "error" }.to_owned(),
            platform: "python".to_owned(),
            logger: None,
            release: None,
            first_release: None,
            unhandled_at_ms: None,
        }
    }

    async fn found(tx: &mut Tx<'_>, filter: &Filter, sort: Sort, place: Place) -> Result<Vec<i64>> {
        let found = search(tx, ProjectId(1), "unresolved", filter, (sort, place), 2).await?;
        Ok(found.iter().map(|issue| issue.id).collect())
    }

    async fn fill(tx: &mut Tx<'_>) -> Result<()> {
        for (id, title, last_seen_ms) in
            [(1, "ValueError: 50% off", 10), (2, "KeyError: x", 20), (3, "KeyError: y", 20)]
        {
            issue::insert(tx, 1, id, "unresolved", &update(id, title, last_seen_ms)).await?;
        }
        issue::insert(tx, 2, 1, "unresolved", &update(4, "KeyError: z", 30)).await
    }

    on_both!(lists_are_ordered_and_filtered, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                let all = Filter::default();
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::START).await?, [3, 2]);
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::After(20, 2)).await?, [1]);
                assert_eq!(found(tx, &all, Sort::LastSeen, Place::Before(10, 1)).await?, [2, 3]);
                assert_eq!(found(tx, &all, Sort::FirstSeen, Place::START).await?, [1, 3]);
                assert_eq!(found(tx, &all, Sort::Events, Place::START).await?, [3, 2]);
                assert_eq!(found(tx, &all, Sort::Users, Place::START).await?, [3, 2]);
                let text = |pattern: &str| Filter {
                    pattern: Some(pattern.to_owned()),
                    ..Filter::default()
                };
                let title = text("%keyERROR: X%");
                assert_eq!(found(tx, &title, Sort::LastSeen, Place::START).await?, [2]);
                let percent = text(r"%50\% %");
                assert_eq!(found(tx, &percent, Sort::LastSeen, Place::START).await?, [1]);
                let culprit = text("%cart.%");
                assert_eq!(found(tx, &culprit, Sort::LastSeen, Place::START).await?, [3, 2]);
                let fatal = Filter { level: Some("fatal".to_owned()), ..Filter::default() };
                assert_eq!(found(tx, &fatal, Sort::LastSeen, Place::START).await?, [3]);
                let recent = Filter { seen_since_ms: 15, ..Filter::default() };
                assert_eq!(found(tx, &recent, Sort::FirstSeen, Place::START).await?, [3, 2]);
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(a_batch_changes_only_what_has_another_status, |db| {
        db.write(|tx| {
            Box::pin(async move {
                fill(tx).await?;
                let project = ProjectId(1);
                let first = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                let second = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                let third = set_status_where(tx, project, None, "resolved", 1, 2).await?;
                assert_eq!((first.len(), second.len(), third.len()), (2, 1, 0));
                let ignored = Some("ignored");
                assert!(
                    set_status_where(tx, project, ignored, "unresolved", 1, 9).await?.is_empty()
                );
                assert_eq!(issue::count(tx, ProjectId(2), "unresolved").await?, 1);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
