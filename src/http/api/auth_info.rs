//! Who the caller is: what `sentry-cli info`, `login` and npm `sentry auth` ask.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::app::App;
use crate::db;
use crate::db::user_account::UserAccount;
use crate::error::{Error, Result};
use crate::http::extract::{Access, MaybeAccess};
use crate::http::origin::Origin;

/// `GET /api/0/`: scopes and user. `user` is null for an organization's own token, and an invalid token is
/// refused: `sentry-cli login` reports success otherwise.
pub(crate) async fn root(
    State(app): State<App>,
    MaybeAccess(access): MaybeAccess,
) -> Result<Json<Value>> {
    let Some(access) = access else {
        return Ok(Json(json!({"version": "0", "auth": null, "user": null})));
    };
    let user = find_user(&app, &access).await?;
    let scopes: Vec<&str> =
        access.organizations().first().map(|(_, scopes)| scopes.names()).unwrap_or_default();
    Ok(Json(json!({
        "version": "0",
        "auth": {"scopes": scopes},
        "user": user.as_ref().map(user_json),
    })))
}

/// `GET /api/0/auth/`: the user, for npm `sentry`; an organization's own token has none.
pub(crate) async fn user(State(app): State<App>, access: Access) -> Result<Json<Value>> {
    let user = find_user(&app, &access).await?.ok_or(Error::NotFound)?;
    Ok(Json(user_json(&user)))
}

/// `GET /api/0/users/me/regions/`: this server is one region, at the address the client used.
pub(crate) async fn regions(_access: Access, origin: Origin) -> Json<Value> {
    Json(json!({"regions": [{"name": "default", "url": origin.as_str()}]}))
}

async fn find_user(app: &App, access: &Access) -> Result<Option<UserAccount>> {
    let Some(id) = access.user_id() else { return Ok(None) };
    app.db.read(move |tx| Box::pin(async move { db::user_account::find(tx, id).await })).await
}

fn user_json(user: &UserAccount) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email,
        "name": user.name,
        "username": user.email,
    })
}
