//! Brings a database to the shape this program expects: forward only, one transaction per migration.
//!
//! The texts are in `migrations/{sqlite,postgres}`, the same names on both sides. What was applied is
//! remembered with a checksum, so that an edited migration is noticed instead of believed.

use sha1::{Digest as _, Sha1};

use super::body::Body;
use super::dialect::Dialect;
use super::row::from_row;
use super::tx::Tx;
use crate::error::{Error, Result};

/// One step in the history of the schema.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Migration {
    /// Name of the files, without `.sql`; sorted by name is sorted by time.
    pub(crate) name: &'static str,
    /// What to run on SQLite.
    pub(crate) sqlite: &'static str,
    /// What to run on PostgreSQL.
    pub(crate) postgres: &'static str,
}

/// Lists the migrations by the name of their files.
macro_rules! migrations {
    ($($name:literal),* $(,)?) => {
        &[$(Migration {
            name: $name,
            sqlite: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres/", $name, ".sql")),
        }),*]
    };
}

/// Every migration, oldest first. A released one is never changed or removed.
pub(crate) const MIGRATIONS: &[Migration] = migrations![
    "0001_first",
    "0002_journal",
    "0003_search",
    "0004_release",
    "0005_retention",
    "0006_dictionary"
];

const CREATE_TABLE: &str = "CREATE TABLE IF NOT EXISTS migration (
    name TEXT NOT NULL PRIMARY KEY,
    checksum TEXT NOT NULL,
    applied_at_ms BIGINT NOT NULL
)";

/// A migration that was applied to this database.
struct Applied {
    name: String,
    checksum: String,
}
from_row!(Applied { name, checksum });

impl Migration {
    fn text(&self, dialect: Dialect) -> &'static str {
        dialect.pick(self.sqlite, self.postgres)
    }

    fn checksum(&self, dialect: Dialect) -> String {
        hex::encode(Sha1::digest(self.text(dialect)))
    }
}

/// Returns the body that applies the oldest migration that is missing and returns its name. Run until it
/// returns `None`, each time in a transaction of its own that excludes other processes.
///
/// It fails when the database was migrated by a newer program, or a migration it has was edited since.
pub(super) fn apply_next(
    known: &'static [Migration],
    now_ms: i64,
) -> impl Body<Option<&'static str>> {
    as_body(move |tx| Box::pin(apply_missing(tx, known, now_ms)))
}

/// Tells the compiler which lifetimes the closure is over.
fn as_body<T, B: Body<T>>(body: B) -> B {
    body
}

async fn apply_missing(
    tx: &mut Tx<'_>,
    known: &[Migration],
    now_ms: i64,
) -> Result<Option<&'static str>> {
    tx.batch(CREATE_TABLE).await?;
    let applied: Vec<Applied> = tx.all("SELECT name, checksum FROM migration", &[]).await?;
    let Some(next) = next(known, applied, tx.dialect())? else {
        return Ok(None);
    };
    tx.batch(next.text(tx.dialect()))
        .await
        .map_err(|error| error.with_context(format!("migration {}", next.name)))?;
    tx.execute(
        "INSERT INTO migration (name, checksum, applied_at_ms) VALUES ($1, $2, $3)",
        &[&next.name, &next.checksum(tx.dialect()), &now_ms],
    )
    .await?;
    Ok(Some(next.name))
}

/// Compares what is known with what was applied and returns the first that is missing.
fn next(
    known: &[Migration],
    mut applied: Vec<Applied>,
    dialect: Dialect,
) -> Result<Option<Migration>> {
    // Here and not in SQL, where the order would depend on the database's collation.
    applied.sort_by(|a, b| a.name.cmp(&b.name));
    for (index, applied) in applied.iter().enumerate() {
        let Some(known) = known.get(index).filter(|known| known.name == applied.name) else {
            return Err(Error::internal(format!(
                "the database has the migration {}, which this version of symbolist does not know: \
                 run the newer version, or restore the backup made before it",
                applied.name
            )));
        };
        if known.checksum(dialect) != applied.checksum {
            return Err(Error::internal(format!(
                "the migration {} was changed after it was applied to this database: \
                 run the version of symbolist that applied it, and report this",
                applied.name
            )));
        }
    }
    Ok(known.get(applied.len()).copied())
}
