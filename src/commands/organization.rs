//! `symbolist organization`.

use clap::Subcommand;

use super::output::{Format, Table, maybe_time, time};
use super::{Place, opened};
use crate::accounts::organization;
use crate::db::organization::Organization;
use crate::error::Result;

/// What to do with organizations.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an organization
    Create {
        /// Its name in URLs
        slug: String,
        /// Its name for people
        #[arg(long)]
        name: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// List all organizations
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Revoke an organization: what it owns is kept, but nobody reaches it
    Revoke {
        /// Its name in URLs
        slug: String,
    },
}

const COLUMNS: &[&str] = &["id", "slug", "name", "created_at", "revoked_at"];

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| match self {
            Self::Create { slug, name, format } => {
                let organization = organization::create(app, &slug, name.as_deref()).await?;
                add(Table::new(COLUMNS), organization).print_one(format)
            }
            Self::List { format } => organization::list(app)
                .await?
                .into_iter()
                .fold(Table::new(COLUMNS), add)
                .print(format),
            Self::Revoke { slug } => organization::revoke(app, &slug).await,
        })
    }
}

fn add(table: Table, it: Organization) -> Table {
    table.row(vec![
        it.id.into(),
        it.slug.into(),
        it.name.into(),
        time(it.created_at_ms),
        maybe_time(it.revoked_at_ms),
    ])
}
