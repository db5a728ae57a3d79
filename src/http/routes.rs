//! Every URL of the product, on one screen.
//!
//! `/api/…` is written with a slash at the end; without it the same is found (`path`). Nothing redirects.

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::api::{auth_info, organization, project};
use super::ingest::{cors, envelope, store};
use super::upload::{JSON_BYTES_MAX, artifact_bundle, chunk, debug_file};
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
        .merge(ingest())
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(app.clone(), access_log::around))
        .with_state(app)
}

/// What SDKs send to. The project is the number at the end of the DSN.
#[rustfmt::skip]
fn ingest() -> Router<App> {
    Router::new()
        .route("/api/{project}/envelope/", post(envelope::accept))
        .route("/api/{project}/store/", post(store::accept))
        .layer(middleware::from_fn(cors::allow_any_origin))
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
        .route("/organizations/{organization}/chunk-upload/", get(chunk::options).post(chunk::receive).layer(DefaultBodyLimit::disable()))
        .route("/organizations/{organization}/artifactbundle/assemble/", post(artifact_bundle::assemble).layer(DefaultBodyLimit::max(JSON_BYTES_MAX)))
        .route("/projects/", get(project::list_all))
        .route("/projects/{organization}/{project}/", get(project::show))
        .route("/projects/{organization}/{project}/keys/", get(project::keys))
        .route("/projects/{organization}/{project}/files/difs/assemble/", post(debug_file::assemble).layer(DefaultBodyLimit::max(JSON_BYTES_MAX)))
        .route("/projects/{organization}/{project}/files/dsyms/", get(debug_file::list))
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

async fn wrong_method(method: Method) -> Response {
    let body = Json(json!({"detail": format!("Method \"{method}\" not allowed.")}));
    (StatusCode::METHOD_NOT_ALLOWED, body).into_response()
}
