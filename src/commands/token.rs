//! `symbolist token`.

use clap::Subcommand;
use serde_json::Value;

use super::output::{Format, Table, maybe_time, time};
use super::project::Owner;
use super::{Place, opened};
use crate::accounts::scope::{SCOPES_OF_A_BUILD, Scopes};
use crate::accounts::{token, user};
use crate::error::Result;

/// What to do with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a token, and print it: it is shown this once
    Create {
        /// Its name for people
        #[arg(long, default_value = "CLI")]
        name: String,
        /// What it may do: scopes separated by commas, or `all` [default: org:ci, what a build needs]
        #[arg(long, value_name = "SCOPES")]
        scopes: Option<String>,
        /// Make it a user's token instead of the organization's own
        #[arg(long, value_name = "EMAIL")]
        user: Option<String>,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        format: Format,
    },
    /// List the tokens of an organization
    List {
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        format: Format,
    },
    /// Revoke a token
    Revoke {
        /// Its id, as `token list` shows it
        id: i64,
        #[command(flatten)]
        owner: Owner,
    },
}

const COLUMNS: &[&str] = &[
    "id",
    "name",
    "ends_with",
    "scopes",
    "created_at",
    "last_used_at",
    "expires_at",
    "revoked_at",
];

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| match self {
            Self::Create { name, scopes, user, owner, format } => {
                let scopes = scopes.map_or(Ok(SCOPES_OF_A_BUILD), |text| Scopes::parse(&text))?;
                let whose = match user {
                    Some(email) => token::Owner::User(user::find(app, &email).await?.id),
                    None => token::Owner::Organization,
                };
                let (token, text) =
                    token::create(app, &owner.organization, whose, &name, scopes).await?;
                Table::new(&["id", "name", "scopes", "token"])
                    .row(vec![id(token.id), token.name.into(), token.scopes.into(), text.into()])
                    .print_one(format)
            }
            Self::List { owner, format } => {
                let mut table = Table::new(COLUMNS);
                for it in token::list(app, &owner.organization).await? {
                    table = table.row(vec![
                        id(it.id),
                        it.name.into(),
                        it.last_characters.into(),
                        it.scopes.into(),
                        time(it.created_at_ms),
                        maybe_time(it.last_used_at_ms),
                        maybe_time(it.expires_at_ms),
                        maybe_time(it.revoked_at_ms),
                    ]);
                }
                table.print(format)
            }
            Self::Revoke { id, owner } => token::revoke(app, &owner.organization, id).await,
        })
    }
}

/// Returns a long id as JSON can carry it: as text, because numbers above 2^53 are rounded by many readers.
fn id(id: i64) -> Value {
    id.to_string().into()
}
