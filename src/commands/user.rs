//! `symbolist user`.

use clap::Subcommand;

use super::output::{Format, Table, maybe_time, time};
use super::project::Owner;
use super::{Place, opened, secret_input};
use crate::accounts::password;
use crate::accounts::user::{self, Role};
use crate::error::Result;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a user; the password is generated and printed, unless --password-stdin
    Create {
        /// The address to log in with
        email: String,
        /// The name for people
        #[arg(long)]
        name: Option<String>,
        /// What the user may do: member (read, work on issues) or owner (everything)
        #[arg(long, default_value = "member")]
        role: String,
        /// Read the password from the standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        owner: Owner,
        #[command(flatten)]
        format: Format,
    },
    /// List all users
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Give a user a new password, and end all sessions
    Password {
        /// The address the user logs in with
        email: String,
        /// Read the password from the standard input
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        format: Format,
    },
    /// Make a user a member of another organization, or change the role there
    Join {
        /// The address the user logs in with
        email: String,
        /// What the user may do there: member or owner
        #[arg(long, default_value = "member")]
        role: String,
        #[command(flatten)]
        owner: Owner,
    },
    /// Revoke a user: sessions end, and the user's tokens are refused
    Revoke {
        /// The address the user logs in with
        email: String,
    },
}

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| match self {
            Self::Create { email, name, role, password_stdin, owner, format } => {
                let role = Role::parse(&role)?;
                let password = Password::choose(password_stdin)?;
                let organization = owner.organization.as_str();
                let user =
                    user::create(app, organization, &email, name.as_deref(), role, &password.text)
                        .await?;
                Table::new(&["id", "email", "name", "password"])
                    .row(vec![
                        user.id.into(),
                        user.email.into(),
                        user.name.into(),
                        password.shown().into(),
                    ])
                    .print_one(format)
            }
            Self::List { format } => {
                let mut table = Table::new(&["id", "email", "name", "created_at", "revoked_at"]);
                for it in user::list(app).await? {
                    let (created_at, revoked_at) =
                        (time(it.created_at_ms), maybe_time(it.revoked_at_ms));
                    table = table.row(vec![
                        it.id.into(),
                        it.email.into(),
                        it.name.into(),
                        created_at,
                        revoked_at,
                    ]);
                }
                table.print(format)
            }
            Self::Password { email, password_stdin, format } => {
                let password = Password::choose(password_stdin)?;
                user::change_password(app, &email, &password.text).await?;
                Table::new(&["email", "password"])
                    .row(vec![email.into(), password.shown().into()])
                    .print_one(format)
            }
            Self::Join { email, role, owner } => {
                user::join(app, &owner.organization, &email, Role::parse(&role)?).await
            }
            Self::Revoke { email } => user::revoke(app, &email).await,
        })
    }
}

/// A password that was typed, or generated and must be shown.
struct Password {
    text: String,
    is_generated: bool,
}

impl Password {
    fn choose(from_input: bool) -> Result<Self> {
        let text = if from_input { secret_input::read("password")? } else { password::generate() };
        Ok(Self { text, is_generated: !from_input })
    }

    /// Returns what is printed: a password that was typed is known already.
    fn shown(self) -> Option<String> {
        self.is_generated.then_some(self.text)
    }
}
