//! The cookie that holds a session, and others that hold a key.

use axum::http::{HeaderMap, HeaderValue, header};
use cookie::{Cookie, SameSite, time::Duration};

use super::origin::Origin;
use crate::accounts::session::{SESSION_MS, SessionKey};

/// Its name.
const NAME: &str = "symbolist_session";

/// Returns the session that a request names.
pub(crate) fn read(headers: &HeaderMap) -> Option<SessionKey> {
    read_named(headers, NAME)
}

/// Returns the key that a cookie of a request holds.
pub(crate) fn read_named(headers: &HeaderMap, name: &str) -> Option<SessionKey> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies
        .find(|cookie| cookie.name() == name)
        .and_then(|cookie| SessionKey::parse(cookie.value()))
}

/// Returns the `Set-Cookie` header that begins a session: not readable by scripts, not sent along by other
/// sites' forms, and not over plain HTTP if the client used TLS.
pub(crate) fn begin(key: &SessionKey, origin: &Origin) -> HeaderValue {
    set(NAME, key.text(), Duration::milliseconds(SESSION_MS), origin)
}

/// Returns the `Set-Cookie` header that makes the browser forget its session.
pub(crate) fn end(origin: &Origin) -> HeaderValue {
    set(NAME, String::new(), Duration::ZERO, origin)
}

/// Returns the `Set-Cookie` header of a cookie that is as locked away as the session's. `value` is ASCII
/// letters and digits.
pub(crate) fn set(
    name: &'static str,
    value: String,
    age: Duration,
    origin: &Origin,
) -> HeaderValue {
    let cookie = Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax);
    let cookie = cookie.secure(origin.is_secure()).max_age(age).build();
    HeaderValue::from_str(&cookie.to_string()).expect("hex digits and attributes are ASCII")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_is_found_among_other_cookies() {
        let key = SessionKey::parse(&"5a".repeat(32)).unwrap();
        let mut headers = HeaderMap::new();
        let line = format!("theme=dark; {NAME}={}; x=y", key.text());
        headers.insert(header::COOKIE, line.parse().unwrap());
        assert_eq!(read(&headers), Some(key));
        headers.insert(header::COOKIE, format!("{NAME}=nonsense").parse().unwrap());
        assert_eq!(read(&headers), None);
    }

    #[test]
    fn cookie_is_locked_away() {
        let key = SessionKey::parse(&"5a".repeat(32)).unwrap();
        let text =
            begin(&key, &Origin::of("https://errors.example.com")).to_str().unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=1209600"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
        let plain = end(&Origin::of("http://127.0.0.1:8000")).to_str().unwrap().to_owned();
        assert!(plain.contains("Max-Age=0") && !plain.contains("Secure"), "{plain}");
    }
}
