//! Keys of projects: what the DSN shows, and how much may be sent with it.

use super::engine::{Tx, from_row};
use crate::error::Result;

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProjectKey {
    /// Time-ordered.
    pub(crate) id: i64,
    /// What is sent to.
    pub(crate) project_id: i64,
    /// 32 lower-case hex digits.
    pub(crate) public_key: String,
    /// Its name for people.
    pub(crate) label: String,
    /// Events per window, if limited.
    pub(crate) rate_limit_events: Option<u32>,
    /// The window, in seconds.
    pub(crate) rate_limit_window_s: Option<u32>,
    /// When it was made.
    pub(crate) created_at_ms: i64,
    /// Since when it is refused.
    pub(crate) revoked_at_ms: Option<i64>,
}
from_row!(ProjectKey {
    id,
    project_id,
    public_key,
    label,
    rate_limit_events,
    rate_limit_window_s,
    created_at_ms,
    revoked_at_ms,
});

/// What a key admits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Admission {
    /// The key's id.
    pub(crate) key_id: i64,
    /// The project.
    pub(crate) project_id: i64,
    /// The project's organization.
    pub(crate) organization_id: i64,
    /// Events per window, if the key has a limit of its own.
    pub(crate) rate_limit_events: Option<u32>,
    /// The window, in seconds.
    pub(crate) rate_limit_window_s: Option<u32>,
}
from_row!(Admission {
    key_id,
    project_id,
    organization_id,
    rate_limit_events,
    rate_limit_window_s
});

/// Inserts a key.
pub(crate) async fn insert(tx: &mut Tx<'_>, key: &ProjectKey) -> Result<()> {
    let ProjectKey {
        id,
        project_id,
        public_key,
        label,
        rate_limit_events,
        rate_limit_window_s,
        created_at_ms,
        ..
    } = key;
    tx.execute(
        "INSERT INTO project_key
           (id, project_id, public_key, label, rate_limit_events, rate_limit_window_s, created_at_ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        &[id, project_id, public_key, label, rate_limit_events, rate_limit_window_s, created_at_ms],
    )
    .await?;
    Ok(())
}

/// What `public_key` admits to, unless it, its project or its organization is revoked.
pub(crate) async fn admit(tx: &mut Tx<'_>, public_key: &str) -> Result<Option<Admission>> {
    tx.optional(
        "SELECT k.id, k.project_id, p.organization_id, k.rate_limit_events, k.rate_limit_window_s
         FROM project_key k
         JOIN project p ON p.id = k.project_id
         JOIN organization o ON o.id = p.organization_id
         WHERE k.public_key = $1
           AND k.revoked_at_ms IS NULL
           AND p.revoked_at_ms IS NULL
           AND o.revoked_at_ms IS NULL",
        &[&public_key],
    )
    .await
}

/// The keys of a project, also revoked ones, oldest first.
pub(crate) async fn all_of(tx: &mut Tx<'_>, project: i64) -> Result<Vec<ProjectKey>> {
    tx.all(
        "SELECT id, project_id, public_key, label, rate_limit_events, rate_limit_window_s, created_at_ms, revoked_at_ms
         FROM project_key
         WHERE project_id = $1
         ORDER BY id",
        &[&project],
    )
    .await
}

/// Revokes a key of a project; returns `false` if there is none.
pub(crate) async fn revoke(
    tx: &mut Tx<'_>,
    project: i64,
    public_key: &str,
    now_ms: i64,
) -> Result<bool> {
    let changed_count = tx
        .execute(
            "UPDATE project_key
             SET revoked_at_ms = $1
             WHERE project_id = $2 AND public_key = $3 AND revoked_at_ms IS NULL",
            &[&now_ms, &project, &public_key],
        )
        .await?;
    Ok(changed_count == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;
    use crate::db::project::tests::web;
    use crate::db::{organization, project};

    async fn key(tx: &mut Tx<'_>) -> Result<ProjectKey> {
        let key = ProjectKey {
            id: 5,
            project_id: web(tx).await?.id,
            public_key: "a".repeat(32),
            label: "Default".to_owned(),
            rate_limit_events: Some(10),
            rate_limit_window_s: Some(60),
            created_at_ms: 7,
            revoked_at_ms: None,
        };
        insert(tx, &key).await?;
        Ok(key)
    }

    on_both!(key_admits_until_it_is_revoked, |db| {
        db.write(|tx| {
            Box::pin(async move {
                let key = key(tx).await?;
                let admission = admit(tx, &key.public_key).await?.unwrap();
                assert_eq!(
                    (admission.key_id, admission.project_id, admission.organization_id),
                    (5, 1, 1)
                );
                assert_eq!(
                    admission.rate_limit_events.zip(admission.rate_limit_window_s),
                    Some((10, 60))
                );
                assert!(!revoke(tx, 2, &key.public_key, 8).await?);
                assert!(revoke(tx, 1, &key.public_key, 8).await?);
                assert!(!revoke(tx, 1, &key.public_key, 9).await?);
                assert_eq!(admit(tx, &key.public_key).await?, None);
                assert_eq!(all_of(tx, 1).await?[0].revoked_at_ms, Some(8));
                Ok(())
            })
        })
        .await
        .unwrap();
    });

    on_both!(key_of_a_revoked_project_admits_to_nothing, |db| {
        let admitted = db.write(|tx| {
            Box::pin(async move {
                let key = key(tx).await?;
                project::revoke(tx, key.project_id, 8).await?;
                admit(tx, &key.public_key).await
            })
        });
        assert_eq!(admitted.await.unwrap(), None);
    });

    on_both!(key_of_a_revoked_organization_admits_to_nothing, |db| {
        let admitted = db.write(|tx| {
            Box::pin(async move {
                let key = key(tx).await?;
                organization::revoke(tx, 1, 8).await?;
                admit(tx, &key.public_key).await
            })
        });
        assert_eq!(admitted.await.unwrap(), None);
    });
}
