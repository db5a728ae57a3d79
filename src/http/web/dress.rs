//! Around every page: failures become pages, and browsers are told what a page may do.

use std::panic::AssertUnwindSafe;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use futures_util::FutureExt as _;
use pages::chrome::Theme;
use pages::message::MessagePage;

use super::html::Html;
use super::{next, theme};
use crate::error::Error;
use crate::http::access_log::{RequestId, panicked};
use crate::http::error::Failure;

/// What pages may load: their own style and script, nothing inline, nothing from elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Answers a request for a page.
pub(crate) async fn around(request: Request, next: Next) -> Response {
    // No organization is called `api`: programs that miss their address are told so in JSON.
    if request.uri().path().starts_with("/api/") {
        return Error::NotFound.into_response();
    }
    let asked = Asked::of(&request);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let response = answered.unwrap_or_else(|panic| panicked(panic.as_ref()).into_response());
    asked.dress(response)
}

/// Answers an address that leads nowhere.
pub(crate) fn not_found(request: &Request) -> Response {
    Asked::of(request).dress(Error::NotFound.into_response())
}

/// What of a request its answer depends on.
struct Asked {
    method: Method,
    /// Path and query.
    target: String,
    id: Option<String>,
    theme: Theme,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
        Self {
            method: request.method().clone(),
            target: target.to_owned(),
            id,
            theme: theme::of(request.headers()),
        }
    }

    fn dress(self, mut response: Response) -> Response {
        let failure = response.extensions_mut().remove::<Failure>();
        response = match failure {
            Some(Failure(error)) => self.failed(error),
            None if is_bare_failure(&response) => self.refused(&response),
            None => response,
        };
        protect(response.headers_mut());
        response
    }

    fn failed(self, error: Error) -> Response {
        if let Error::Unauthorized(_) = &error {
            return self.sign_in();
        }
        let (theme, id) = (self.theme, self.id);
        let page = match &error {
            Error::NotFound => MessagePage::not_found(None),
            Error::Forbidden(_) => MessagePage::forbidden(None),
            Error::Internal(_) => MessagePage::failed(None, id),
            Error::Busy => MessagePage::busy(),
            other => MessagePage::refused(other.status().as_u16(), &other.told()),
        };
        error.finish(Html(MessagePage { theme, ..page }).into_response())
    }

    /// Sends somebody unknown to the log-in page, and back here afterwards if that makes sense.
    fn sign_in(self) -> Response {
        let back = if self.method.is_safe() { self.target.as_str() } else { "/" };
        Redirect::to(&next::log_in_url(back)).into_response()
    }

    /// What the framework refuses by itself: wrong method, a query that cannot be read.
    fn refused(self, response: &Response) -> Response {
        let status = response.status();
        let detail = status.canonical_reason().unwrap_or("This request cannot be answered");
        let page = MessagePage::refused(status.as_u16(), detail);
        let page = MessagePage { theme: self.theme, ..page };
        (status, Html(page)).into_response()
    }
}

/// Whether an answer is a failure that nobody made a page of.
fn is_bare_failure(response: &Response) -> bool {
    let status = response.status();
    let is_failure = status.is_client_error() || status == StatusCode::INTERNAL_SERVER_ERROR;
    let is_html = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    is_failure && !is_html
}

/// Adds what every answer of a page has, unless the handler said otherwise.
fn protect(headers: &mut HeaderMap) {
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt as _;

    fn asked(method: Method, target: &str) -> Asked {
        Asked {
            method,
            target: target.to_owned(),
            id: Some("0123".to_owned()),
            theme: Theme::System,
        }
    }

    async fn text(response: Response) -> String {
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn failures_become_pages_with_their_status() {
        for (error, status, words) in [
            (Error::NotFound, 404, "nothing at this address"),
            (Error::Forbidden("no".to_owned()), 403, "Nothing was changed"),
            (Error::internal("hunter2"), 500, "0123"),
            (Error::Busy, 503, "busy"),
            (Error::Invalid("the cursor is bent".to_owned()), 400, "the cursor is bent"),
        ] {
            let response = asked(Method::GET, "/").dress(error.into_response());
            assert_eq!(response.status(), status);
            let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
            assert_eq!(policy, CONTENT_SECURITY_POLICY);
            let body = text(response).await;
            assert!(body.contains(words) && !body.contains("hunter2"), "{body}");
        }
    }

    #[test]
    fn whoever_is_not_known_signs_in_and_comes_back() {
        let unknown = || Error::Unauthorized(String::new()).into_response();
        let response = asked(Method::GET, "/a/b/issues/?status=all").dress(unknown());
        assert_eq!(response.status(), 303);
        let location = &response.headers()[header::LOCATION];
        assert_eq!(location, "/login?next=%2Fa%2Fb%2Fissues%2F%3Fstatus%3Dall");
        let response = asked(Method::POST, "/a/b/issues/B-1/status").dress(unknown());
        assert_eq!(response.headers()[header::LOCATION], "/login");
    }

    #[test]
    fn what_the_framework_refuses_looks_the_same() {
        let response =
            asked(Method::POST, "/").dress(StatusCode::METHOD_NOT_ALLOWED.into_response());
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
    }
}
