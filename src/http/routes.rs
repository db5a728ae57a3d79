//! Every URL of the product, on one screen.
//!
//! `/api/…` is written with a slash at the end; without it the same is found (`path`). Nothing redirects.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;

use super::api::{auth_info, organization, project};
use super::{access_log, health};
use crate::app::App;
use crate::error::Error;

/// Returns the whole server as a service.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .nest("/api/0/", api())
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(app.clone(), access_log::around))
        .with_state(app)
}

/// The REST API.
#[rustfmt::skip]
fn api() -> Router<App> {
    Router::new()
        .route("/", get(auth_info::root))
        .route("/auth/", get(auth_info::user))
        .route("/users/me/regions/", get(auth_info::regions))
        .route("/organizations/", get(organization::list))
        .route("/organizations/{organization}/", get(organization::show))
        .route("/organizations/{organization}/projects/", get(project::list))
        .route("/projects/", get(project::list_all))
        .route("/projects/{organization}/{project}/", get(project::show))
        .route("/projects/{organization}/{project}/keys/", get(project::keys))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(never_stored))
}

/// npm `sentry` keeps answers for minutes, chunk options included, unless told not to.
async fn never_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn unknown() -> Error {
    Error::NotFound
}

async fn wrong_method(request: Request) -> Error {
    Error::Invalid(format!("{} is not possible here", request.method()))
}
