//! Lets pages of any origin send events, as browsers' SDKs need it (the headers are Relay's).

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

const ALLOWED_HEADERS: &str = "x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, accept, \
     content-type, authentication, authorization, content-encoding, transfer-encoding";
const EXPOSED_HEADERS: &str = "x-sentry-error, x-sentry-rate-limits, retry-after";
/// How long a browser may remember the answer to its preflight, in seconds.
const MAX_AGE_S: &str = "3600";

/// Answers preflights and marks every answer as readable by any origin.
pub(crate) async fn allow_any_origin(request: Request, next: Next) -> Response {
    let mut response = match request.method() {
        &Method::OPTIONS => StatusCode::OK.into_response(),
        _ => next.run(request).await,
    };
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    };
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "POST");
    set(header::ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS);
    set(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
    set(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE_S);
    set(HeaderName::from_static("cross-origin-resource-policy"), "cross-origin");
    response
}
