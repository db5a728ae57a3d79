//! `derive_failure`: stored files that could not be derived, until the deriving code changes.

use super::engine::{FromRow, Row, Tx};
use crate::error::{Error, Result};

/// Why a file could not be derived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeriveFailure {
    /// Whether it is the file or this machine.
    pub(crate) status: FailureStatus,
    /// In words.
    pub(crate) reason: String,
    /// When it was tried.
    pub(crate) created_at_ms: i64,
}

/// Whether the file is at fault, or the machine is too small for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureStatus {
    /// The file cannot be used.
    Unusable,
    /// The file needs more memory or time than a worker may use.
    TooLargeHere,
}

impl FailureStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Unusable => "unusable",
            Self::TooLargeHere => "too_large_here",
        }
    }

    fn parse(text: &str) -> Result<Self> {
        [Self::Unusable, Self::TooLargeHere]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| Error::internal(format!("unknown status of a derive failure: {text}")))
    }
}

impl FromRow for DeriveFailure {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        let status = FailureStatus::parse(&row.get::<String>(0)?)?;
        Ok(Self { status, reason: row.get(1)?, created_at_ms: row.get(2)? })
    }
}

/// Returns why `derived_key` (with its version) could not be derived, if that was tried.
pub(crate) async fn find(tx: &mut Tx<'_>, derived_key: &str) -> Result<Option<DeriveFailure>> {
    tx.optional(
        "SELECT status, reason, created_at_ms
         FROM derive_failure
         WHERE derived_key = $1",
        &[&derived_key],
    )
    .await
}

/// As [`find`], for several keys, in their order.
pub(crate) async fn find_each(
    tx: &mut Tx<'_>,
    derived_keys: &[Option<String>],
) -> Result<Vec<Option<DeriveFailure>>> {
    let mut found = Vec::with_capacity(derived_keys.len());
    for key in derived_keys {
        found.push(match key {
            Some(key) => find(tx, key).await?,
            None => None,
        });
    }
    Ok(found)
}

/// Remembers why `derived_key` could not be derived; a later failure replaces an earlier one.
pub(crate) async fn upsert(
    tx: &mut Tx<'_>,
    derived_key: &str,
    failure: &DeriveFailure,
) -> Result<()> {
    tx.execute(
        "INSERT INTO derive_failure (derived_key, status, reason, created_at_ms)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (derived_key) DO UPDATE
         SET status = excluded.status, reason = excluded.reason, created_at_ms = excluded.created_at_ms",
        &[&derived_key, &failure.status.as_str(), &failure.reason, &failure.created_at_ms],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::engine::testing::on_both;

    on_both!(a_later_failure_replaces_an_earlier_one, |db| {
        db.write(|tx| {
            Box::pin(async move {
                assert_eq!(find(tx, "native-aa-v1").await?, None);
                for status in [FailureStatus::TooLargeHere, FailureStatus::Unusable] {
                    let failure = DeriveFailure { status, reason: "why".into(), created_at_ms: 7 };
                    upsert(tx, "native-aa-v1", &failure).await?;
                    assert_eq!(find(tx, "native-aa-v1").await?, Some(failure));
                }
                assert_eq!(find(tx, "native-aa-v2").await?, None);
                Ok(())
            })
        })
        .await
        .unwrap();
    });
}
