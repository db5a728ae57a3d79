//! Names in URLs.

use crate::error::{Error, Result};

/// Longest slug, in bytes; Sentry's limit.
const SLUG_BYTES_MAX: usize = 50;

/// Words that begin addresses of the server itself, where pages begin with the organization.
const RESERVED: [&str; 10] = [
    "api",
    "assets",
    "healthz",
    "issues",
    "login",
    "logout",
    "metrics",
    "organizations",
    "readyz",
    "theme",
];

/// Checks the name of `what` in URLs: lower-case letters, digits, `-` and `_`, and not only digits, because
/// ids are accepted in the same place.
pub(super) fn check(what: &str, slug: &str) -> Result<()> {
    let is_allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    let problem = if slug.is_empty() {
        "is empty"
    } else if slug.len() > SLUG_BYTES_MAX {
        "is longer than 50 characters"
    } else if !slug.chars().all(is_allowed) {
        "has other characters than a-z, 0-9, - and _"
    } else if slug.chars().all(|c| c.is_ascii_digit()) {
        "is only digits"
    } else if what == "organization" && RESERVED.contains(&slug) {
        "is an address of the server itself"
    } else {
        return Ok(());
    };
    Err(Error::Invalid(format!(
        "the {what} slug `{slug}` {problem}: choose a name such as `my-app`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_fit_into_urls() {
        for good in ["app", "my-app_2", "2nd"] {
            check("project", good).unwrap();
        }
        for bad in ["", "App", "my app", "a/b", "42", "ä", &"x".repeat(51)] {
            assert!(check("project", bad).is_err(), "{bad}");
        }
        check("project", "api").unwrap();
        assert!(check("organization", "api").is_err());
    }
}
