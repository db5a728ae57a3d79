//! What exists after the first start: an organization, a project, an owner and a token.

use super::scope::Scopes;
use super::user::Role;
use super::{organization, password, project, token, user};
use crate::app::App;
use crate::db;
use crate::error::Result;

/// The first organization.
const ORGANIZATION: &str = "default";
/// The first project.
const PROJECT: &str = "first";
/// The owner's address: valid, and nobody's.
const EMAIL: &str = "admin@localhost";

/// What was made; the secrets are kept nowhere else.
#[derive(Debug, Clone)]
pub(crate) struct FirstStart {
    /// Slug of the organization.
    pub(crate) organization: String,
    /// Slug of the project.
    pub(crate) project: String,
    /// Id of the project.
    pub(crate) project_id: i64,
    /// Key of the project, for the DSN.
    pub(crate) public_key: String,
    /// A token with all scopes.
    pub(crate) token: String,
    /// Address of the owner.
    pub(crate) email: String,
    /// Password of the owner.
    pub(crate) password: String,
}

/// Makes the first organization with everything in it; `None` if there is one already.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn run(app: &App) -> Result<Option<FirstStart>> {
    if !organization::list(app).await?.is_empty() {
        return Ok(None);
    }
    let password = password::generate();
    let password_hash = password::hash(app, &password).await?;
    let clock = app.clock.clone();
    let url = app
        .config
        .server
        .public_url
        .as_ref()
        .map_or_else(String::new, |url| url.as_str().to_owned());
    app.db
        .write(move |tx| {
            let (clock, url, password, password_hash) =
                (clock.clone(), url.clone(), password.clone(), password_hash.clone());
            Box::pin(async move {
                let now_ms = clock.now_ms();
                // Taking a number makes other processes wait, so the second look is the one that counts.
                let number = db::sequence::next(tx, "first_start").await?;
                if number > 1 || !db::organization::all(tx).await?.is_empty() {
                    return Ok(None);
                }
                let organization =
                    organization::insert(tx, ORGANIZATION.to_owned(), "Default".to_owned(), now_ms)
                        .await?;
                let (slug, name) = (PROJECT.to_owned(), "First project".to_owned());
                let (project, key) =
                    project::insert(tx, &clock, organization.id, slug, name, None).await?;
                let (email, name) = (EMAIL.to_owned(), "Admin".to_owned());
                user::insert(tx, organization.id, email, name, Role::Owner, &password_hash, now_ms)
                    .await?;
                let text = token::mint_for_organization(&clock, &url, &organization.slug);
                let (owner, name) = (token::Owner::Organization, "First token".to_owned());
                token::insert(tx, &clock, organization.id, owner, name, Scopes::all(), &text)
                    .await?;
                Ok(Some(FirstStart {
                    organization: organization.slug,
                    project: project.slug,
                    project_id: project.id,
                    public_key: key.public_key,
                    token: text,
                    email: EMAIL.to_owned(),
                    password,
                }))
            })
        })
        .await
}
