//! `symbolist project`.

use clap::{Args, Subcommand};

use super::output::{Format, Table, maybe_time, time};
use super::{Place, credentials, opened};
use crate::accounts::project;
use crate::error::Result;

/// Which organization.
#[derive(Debug, Args)]
pub(super) struct Owner {
    /// The organization
    #[arg(long, default_value = "default", value_name = "SLUG")]
    pub(super) organization: String,
}

/// What to do with projects.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a project, and print its DSN
    Create {
        /// Its name in URLs
        slug: String,
        /// Its name for people
        #[arg(long)]
        name: Option<String>,
        /// What it is written in, such as python or native
        #[arg(long)]
        platform: Option<String>,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        format: Format,
    },
    /// List the projects of an organization
    List {
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke a project: what it has is kept, but it takes no events and nobody reaches it
    Revoke {
        /// Its name in URLs
        slug: String,
        #[command(flatten)]
        owner: Owner,
    },
}

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| match self {
            Self::Create { slug, name, platform, owner, format } => {
                let organization = owner.organization.as_str();
                let made =
                    project::create(app, organization, &slug, name.as_deref(), platform.as_deref())
                        .await?;
                let (project, key) = made;
                let dsn = credentials::dsn(&app.config, &key.public_key, project.id);
                Table::new(&["id", "slug", "name", "dsn"])
                    .row(vec![
                        project.id.into(),
                        project.slug.into(),
                        project.name.into(),
                        dsn.into(),
                    ])
                    .print_one(format)
            }
            Self::List { owner, format } => {
                let mut table =
                    Table::new(&["id", "slug", "name", "platform", "created_at", "revoked_at"]);
                for it in project::list(app, &owner.organization).await? {
                    let revoked_at = maybe_time(it.revoked_at_ms);
                    let platform = it.platform.into();
                    let created_at = time(it.created_at_ms);
                    table = table.row(vec![
                        it.id.into(),
                        it.slug.into(),
                        it.name.into(),
                        platform,
                        created_at,
                        revoked_at,
                    ]);
                }
                table.print(format)
            }
            Self::Revoke { slug, owner } => project::revoke(app, &owner.organization, &slug).await,
        })
    }
}
