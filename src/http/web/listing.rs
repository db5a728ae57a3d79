//! What lists have in common: a search, and pages that start after a place.

use serde::Deserialize;

use pages::address::with_query;

use crate::error::{Error, Result};

/// Rows of one page.
pub(super) const ROWS_MAX: usize = 50;
/// Longest search that is done, in bytes; more is cut off.
const QUERY_BYTES_MAX: usize = 200;

/// Which part of a list is asked for.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Listing {
    #[serde(default)]
    query: String,
    /// Place after which the page starts.
    before: Option<String>,
}

impl Listing {
    /// Returns what is searched for, as it was typed.
    pub(super) fn query(&self) -> &str {
        let query = self.query.trim();
        &query[..query.floor_char_boundary(QUERY_BYTES_MAX)]
    }

    /// Returns what is searched for, in lower case.
    pub(super) fn text(&self) -> String {
        self.query().to_lowercase()
    }

    /// Returns the place after which the page starts, read by `read`; the top where none is said.
    ///
    /// # Errors
    /// `Invalid` if the place is none.
    pub(super) fn before<T>(&self, top: T, read: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let Some(text) = &self.before else { return Ok(top) };
        let invalid =
            || Error::Invalid(format!("`{text}` is no place in the list: start at its top"));
        read(text).ok_or_else(invalid)
    }

    /// Returns the address of the first page, where this is another.
    pub(super) fn first(&self, path: &str) -> Option<String> {
        self.before.is_some().then(|| with_query(path, &[("query", self.query())]))
    }

    /// Returns the address of the page after `rows`, of which one is more than a page shows.
    pub(super) fn next<T>(
        &self,
        path: &str,
        rows: &[T],
        place: impl FnOnce(&T) -> String,
    ) -> Option<String> {
        let last = rows.get(ROWS_MAX - 1).filter(|_| rows.len() > ROWS_MAX)?;
        Some(with_query(path, &[("query", self.query()), ("before", &place(last))]))
    }
}

/// Rows to ask for: one more than a page shows, to know whether there is another page.
pub(super) fn limit() -> i64 {
    i64::try_from(ROWS_MAX + 1).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_each_other_and_keep_the_search() {
        let listing = Listing { query: " A&b ".to_owned(), before: None };
        let rows: Vec<usize> = (0..=ROWS_MAX).collect();
        let next = listing.next("/l/", &rows, ToString::to_string);
        assert_eq!(next.as_deref(), Some("/l/?query=A%26b&before=49"));
        assert_eq!(listing.next("/l/", &rows[1..], ToString::to_string), None);
        assert_eq!((listing.first("/l/"), listing.text()), (None, "a&b".to_owned()));
        let later = Listing { before: Some("x".to_owned()), ..Listing::default() };
        assert_eq!(later.first("/l/").as_deref(), Some("/l/"));
        assert!(later.before(1, |text| text.parse().ok()).is_err());
    }
}
