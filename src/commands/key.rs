//! `symbolist key`.

use clap::{Args, Subcommand};
use serde_json::Value;

use super::output::{Format, Table, maybe_time, time};
use super::project::Owner;
use super::{Place, credentials, opened};
use crate::accounts::key::{self, RateLimit};
use crate::app::App;
use crate::db::project_key::ProjectKey;
use crate::error::Result;

/// Which project.
#[derive(Debug, Args)]
pub(super) struct Of {
    /// The project
    #[arg(long, value_name = "SLUG")]
    project: String,
    #[command(flatten)]
    owner: Owner,
}

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key, and print its DSN
    Create {
        #[command(flatten)]
        of: Of,
        /// Its name for people
        #[arg(long, default_value = "Default")]
        label: String,
        /// Events it may send per window
        #[arg(long, value_name = "COUNT")]
        rate_limit: Option<u32>,
        /// The window, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "rate_limit")]
        rate_window: u32,
        #[command(flatten)]
        format: Format,
    },
    /// List the keys of a project
    List {
        #[command(flatten)]
        of: Of,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke a key: what is sent with it is refused
    Revoke {
        /// The public key: the part of the DSN before the @
        public_key: String,
        #[command(flatten)]
        of: Of,
    },
}

const COLUMNS: &[&str] = &["public_key", "label", "rate_limit", "created_at", "revoked_at", "dsn"];

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| match self {
            Self::Create { of, label, rate_limit, rate_window, format } => {
                let limit = rate_limit.map(|events| RateLimit { events, window_s: rate_window });
                let key =
                    key::create(app, &of.owner.organization, &of.project, &label, limit).await?;
                add(app, Table::new(COLUMNS), key).print_one(format)
            }
            Self::List { of, format } => {
                let keys = key::list(app, &of.owner.organization, &of.project).await?;
                keys.into_iter()
                    .fold(Table::new(COLUMNS), |table, key| add(app, table, key))
                    .print(format)
            }
            Self::Revoke { public_key, of } => {
                key::revoke(app, &of.owner.organization, &of.project, &public_key).await
            }
        })
    }
}

fn add(app: &App, table: Table, it: ProjectKey) -> Table {
    let dsn = credentials::dsn(&app.config, &it.public_key, it.project_id);
    let limit = it.rate_limit_events.zip(it.rate_limit_window_s);
    let limit =
        limit.map_or(Value::Null, |(events, window_s)| format!("{events} per {window_s} s").into());
    let (created_at, revoked_at) = (time(it.created_at_ms), maybe_time(it.revoked_at_ms));
    table.row(vec![
        it.public_key.into(),
        it.label.into(),
        limit,
        created_at,
        revoked_at,
        dsn.into(),
    ])
}
