//! Every URL of the product, on one screen.
//!
//! `/api/…` is written with a slash at the end; without it the same is found (`path`). Nothing there
//! redirects.

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use super::api::{
    activity, attachment, auth_info, event, issue, issue_list, missing, organization, project,
};
use super::ingest::{cors, envelope, store};
use super::upload::{JSON_BYTES_MAX, artifact_bundle, chunk, debug_file};
use super::{access_log, health, web};
use crate::app::App;
use crate::error::Error;

/// Largest form, in bytes: ours have an address, a password and a path.
const FORM_BYTES_MAX: usize = 16 << 10;

/// Returns the whole server as a service.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .nest("/api/0/", api())
        .merge(ingest())
        .merge(web())
        .fallback(nowhere)
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
        .route("/organizations/{organization}/issues/", get(issue_list::of_organization).put(issue::update_many_of_organization))
        .nest("/organizations/{organization}/issues/{issue}/", issue())
        .nest("/issues/{issue}/", issue())
        .route("/organizations/{organization}/shortids/{short_id}/", get(issue::by_short_id))
        .route("/organizations/{organization}/eventids/{event}/", get(event::by_id))
        .route("/organizations/{organization}/chunk-upload/", get(chunk::options).post(chunk::receive).layer(DefaultBodyLimit::disable()))
        .route("/organizations/{organization}/artifactbundle/assemble/", post(artifact_bundle::assemble).layer(DefaultBodyLimit::max(JSON_BYTES_MAX)))
        .route("/projects/", get(project::list_all))
        .route("/projects/{organization}/{project}/", get(project::show))
        .route("/projects/{organization}/{project}/keys/", get(project::keys))
        .route("/projects/{organization}/{project}/issues/", get(issue_list::of_project).put(issue::update_many))
        .route("/projects/{organization}/{project}/events/", get(event::of_project))
        .route("/projects/{organization}/{project}/events/{event}/", get(event::show))
        .route("/projects/{organization}/{project}/events/{event}/json/", get(event::json))
        .route("/projects/{organization}/{project}/events/{event}/attachments/", get(attachment::list))
        .route("/projects/{organization}/{project}/events/{event}/attachments/{attachment}/", get(attachment::show))
        .route("/projects/{organization}/{project}/files/difs/assemble/", post(debug_file::assemble).layer(DefaultBodyLimit::max(JSON_BYTES_MAX)))
        .route("/projects/{organization}/{project}/files/dsyms/", get(debug_file::list))
        .route("/projects/{organization}/{project}/files/missing/", get(missing::list))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(never_stored))
}

/// What is about one issue, by id or short id.
#[rustfmt::skip]
fn issue() -> Router<App> {
    Router::new()
        .route("/", get(issue::show).put(issue::update))
        .route("/activities/", get(activity::list))
        .route("/tags/", get(issue::tags))
        .route("/tags/{key}/", get(issue::tag))
        .route("/hashes/", get(issue::hashes))
        .route("/events/", get(event::of_issue))
        .route("/events/{event}/", get(event::of_issue_named))
}

/// The pages.
#[rustfmt::skip]
fn web() -> Router<App> {
    Router::new()
        .route("/", get(web::projects::front))
        .route("/login", get(web::login::show).post(web::login::submit))
        .route("/logout", post(web::login::leave))
        .route("/assets/{name}", get(web::asset::show))
        .route("/theme", post(web::theme::choose))
        .merge(sentry_links())
        .route("/{organization}/", get(web::projects::of_organization))
        .route("/{organization}/issues/", get(web::issues::of_organization))
        .route("/{organization}/issues/status", post(web::bulk::of_organization))
        .route("/{organization}/{project}/", get(web::issues::front))
        .route("/{organization}/{project}/issues/", get(web::issues::list))
        .route("/{organization}/{project}/issues/status", post(web::bulk::of_project))
        .route("/{organization}/{project}/issues/{issue}/", get(web::issue::latest))
        .route("/{organization}/{project}/issues/{issue}/status", post(web::status::change))
        .route("/{organization}/{project}/issues/{issue}/tags/", get(web::issue_tags::list))
        .route("/{organization}/{project}/issues/{issue}/events/", get(web::issue_events::list))
        .route("/{organization}/{project}/issues/{issue}/events/{event_id}/", get(web::issue::event))
        .route("/{organization}/{project}/missing/", get(web::missing::list))
        .route("/{organization}/{project}/events/{event_id}/", get(web::event::find))
        .route("/{organization}/{project}/events/{event_id}/json", get(web::event::json))
        .route("/{organization}/{project}/events/{event_id}/text", get(web::report::text))
        .route("/{organization}/{project}/events/{event_id}/markdown", get(web::report::markdown))
        .route("/{organization}/{project}/events/{event_id}/attachments/{attachment}", get(web::attachment::download))
        .route("/{organization}/{project}/first-event", get(web::first_event::ask))
        .route("/{organization}/{project}/releases/", get(web::releases::list))
        .route("/{organization}/{project}/releases/{version}/", get(web::releases::show))
        .route("/{organization}/{project}/debug-files/", get(web::debug_files::list))
        .route("/{organization}/{project}/source-maps/", get(web::artifact_bundles::list))
        .route("/{organization}/{project}/source-maps/{bundle}/", get(web::artifact_bundles::show))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(web::dress::around))
}

/// Addresses of Sentry's own pages, as its clients print them: they lead to ours.
#[rustfmt::skip]
fn sentry_links() -> Router<App> {
    Router::new()
        .route("/issues/{issue}", get(web::sentry_links::any_issue))
        .route("/issues/{issue}/", get(web::sentry_links::any_issue))
        .route("/organizations/{organization}", get(web::sentry_links::organization))
        .route("/organizations/{organization}/", get(web::sentry_links::organization))
        .route("/organizations/{organization}/issues", get(web::sentry_links::issues))
        .route("/organizations/{organization}/issues/", get(web::sentry_links::issues))
        .route("/organizations/{organization}/issues/{issue}", get(web::sentry_links::issue))
        .route("/organizations/{organization}/issues/{issue}/", get(web::sentry_links::issue))
        .route("/organizations/{organization}/issues/{issue}/{*rest}", get(web::sentry_links::below_issue))
        .route("/organizations/{organization}/projects", get(web::sentry_links::organization))
        .route("/organizations/{organization}/projects/", get(web::sentry_links::organization))
        .route("/organizations/{organization}/projects/{project}", get(web::sentry_links::project))
        .route("/organizations/{organization}/projects/{project}/", get(web::sentry_links::project))
}

/// An address of nothing: programs are told so in JSON, people on a page.
async fn nowhere(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        return Error::NotFound.into_response();
    }
    web::dress::not_found(&request)
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
