//! Paths as the table of routes writes them: one slash between segments, one at the end.
//!
//! Nothing is redirected: sentry-cli does not follow redirects, SDKs lose the event. So both spellings of
//! `/api/…` are the same here, before the table is consulted. DSNs with a slash too many give `//api/…`.

use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;

/// Where the two spellings are the same.
const API: &str = "/api/";

/// Gives a request its one spelling.
pub(crate) fn normalize(mut request: Request) -> Request {
    if let Some(uri) = normalized(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

/// Returns the other spelling, if the path is not written as the table does.
fn normalized(uri: &Uri) -> Option<Uri> {
    let path = uri.path();
    if !path.trim_start_matches('/').starts_with("api/") {
        return None;
    }
    if path.starts_with(API) && path.ends_with('/') && !path.contains("//") {
        return None;
    }
    let mut one = String::with_capacity(path.len() + 1);
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        one.push('/');
        one.push_str(segment);
    }
    one.push('/');
    if let Some(query) = uri.query() {
        one.push('?');
        one.push_str(query);
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(one).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &'static str, expected: &str) {
        let uri = Uri::from_static(given);
        let found = normalized(&uri).unwrap_or(uri);
        assert_eq!(found.to_string(), expected);
    }

    #[test]
    fn paths_of_the_api_have_one_spelling() {
        check("/api/1/envelope/", "/api/1/envelope/");
        check("/api/1/envelope", "/api/1/envelope/");
        check("//api/1//envelope/?sentry_key=a//b", "/api/1/envelope/?sentry_key=a//b");
        check("/api/0/organizations/x/releases/a%2Fb", "/api/0/organizations/x/releases/a%2Fb/");
        check("http://host:8000//api/1/store", "http://host:8000/api/1/store/");
    }

    #[test]
    fn other_paths_are_left_alone() {
        check("/healthz", "/healthz");
        check("/issues//1", "/issues//1");
        check("/", "/");
    }
}
