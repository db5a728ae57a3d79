//! Where one goes after logging in: only to a page of this server.

use pages::address::encoded;

/// Longest path one is sent back to, in bytes.
const NEXT_BYTES_MAX: usize = 2_048;

/// Returns the path to go to: what was asked for, if it is a path of this server, else the front page.
///
/// A browser reads `//host` and `/\host` as another server's address, and drops tabs and line ends before it
/// reads anything (URL Standard, "relative slash state" and "basic URL parser").
pub(super) fn safe(asked: &str) -> &str {
    let is_plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let is_own = asked.starts_with('/') && !asked.starts_with("//");
    let is_page = !["/login", "/logout"].iter().any(|path| asked.starts_with(path));
    if is_plain && is_own && is_page && asked.len() <= NEXT_BYTES_MAX { asked } else { "/" }
}

/// Returns the address of the log-in page that leads back to `target`.
pub(super) fn log_in_url(target: &str) -> String {
    match safe(target) {
        "/" => "/login".to_owned(),
        target => format!("/login?next={}", encoded(target)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_to() {
        for own in ["/", "/default/first/issues/?status=all", "/a/b/issues/B-1/#trace"] {
            assert_eq!(safe(own), own);
        }
        for other in [
            "",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "evil",
            "javascript:alert(1)",
            "/login?next=/login",
            "/logout",
            "/ä",
        ] {
            assert_eq!(safe(other), "/", "{other}");
        }
        assert_eq!(safe(&format!("/{}", "x".repeat(NEXT_BYTES_MAX))), "/");
    }
}
