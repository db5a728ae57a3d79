//! What is done around every request: an id, a line in the log, numbers, and the headers that protect browsers.
//!
//! A failure of our own is logged here, once, with the request it belongs to; a panic becomes one.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use tracing::{Instrument as _, debug, error, info_span, warn};

use super::error::Failure;
use crate::app::App;
use crate::error::Error;

/// Header with the id of a request, also in the log.
const REQUEST_ID: &str = "x-request-id";

/// The id of a request, for pages that name it.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// Answers a request and notes how.
pub(crate) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let method = method_name(request.method());
    let span = info_span!("request", id = %id, method, path = %request.uri().path());
    let started = Instant::now();
    app.metrics.requests_active.inc();
    let answered =
        AssertUnwindSafe(next.run(request)).catch_unwind().instrument(span.clone()).await;
    app.metrics.requests_active.dec();
    let mut response = answered.unwrap_or_else(|panic| panicked(panic.as_ref()).into_response());
    let took = started.elapsed();
    span.in_scope(|| log(&response, took));
    app.metrics.count_request(&route, method, response.status().as_u16(), took);
    protect(&mut response);
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

/// Returns what a panic of a handler is told as.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text");
    Error::internal(format!("a handler panicked: {text}"))
}

fn log(response: &Response, took: Duration) {
    let status = response.status().as_u16();
    let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    match response.extensions().get::<Failure>() {
        Some(Failure(failure)) if response.status() == StatusCode::INTERNAL_SERVER_ERROR => {
            error!(status, took_ms, "{failure}");
        }
        Some(Failure(failure)) if response.status() == StatusCode::SERVICE_UNAVAILABLE => {
            warn!(status, took_ms, "{failure}");
        }
        Some(Failure(failure)) => debug!(status, took_ms, "refused: {failure}"),
        None => debug!(status, took_ms, "answered"),
    }
}

/// Methods as label values: a closed set.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}

/// Headers that hold for every answer; pages add their own content security policy.
fn protect(response: &mut Response) {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("same-origin"));
    let locked = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(locked);
}
