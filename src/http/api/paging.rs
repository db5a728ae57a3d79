//! Pages of lists: Sentry's cursors and `Link` header.
//!
//! A cursor is `key:id:is_previous`: the place of the last (or first) item of the page before, so that what
//! arrives meanwhile shifts nothing. Clients repeat it as it is. Both relations are always there, and
//! `results` says whether anything follows; sentry-cli goes on only at exactly `results="true"`.

use axum::http::{HeaderName, HeaderValue, Uri, header};

use crate::db::issue_search::Place;
use crate::error::{Error, Result};

/// Items of a page when nobody says how many, and at most.
pub(crate) const LIMIT_MAX: usize = 100;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// What the list is ordered by, largest first.
    pub(crate) key: i64,
    /// Breaks ties.
    pub(crate) id: i64,
    /// Whether the page ends before this place instead of beginning after it.
    pub(crate) is_previous: bool,
}

impl Cursor {
    /// Before everything.
    pub(crate) const START: Self = Self { key: i64::MAX, id: i64::MAX, is_previous: false };

    /// Reads a cursor; an empty one, which sentry-cli sends first, is the beginning.
    ///
    /// # Errors
    /// `Invalid` if it is none of ours.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::START);
        }
        let mut parts = text.split(':');
        let mut number = || parts.next()?.parse::<i64>().ok();
        let cursor = match (number(), number(), number()) {
            (Some(key), Some(id), Some(is_previous @ (0 | 1))) => {
                Some(Self { key, id, is_previous: is_previous == 1 })
            }
            _ => None,
        };
        cursor.filter(|_| parts.next().is_none()).ok_or_else(|| {
            Error::Invalid("Invalid cursor parameter: repeat one from the Link header".to_owned())
        })
    }

    /// Returns the place as a list's statement has it.
    pub(crate) fn place(self) -> Place {
        if self.is_previous {
            Place::Before(self.key, self.id)
        } else {
            Place::After(self.key, self.id)
        }
    }

    /// Returns the cursor as clients repeat it.
    pub(crate) fn text(self) -> String {
        format!("{}:{}:{}", self.key, self.id, u8::from(self.is_previous))
    }
}

/// Reads how many items a page has at most.
///
/// # Errors
/// `Invalid` if it is no number from 1 on. More than [`LIMIT_MAX`] means that many.
pub(crate) fn limit(text: Option<&str>) -> Result<usize> {
    match text.filter(|text| !text.is_empty()).map(str::parse::<usize>) {
        None => Ok(LIMIT_MAX),
        Some(Ok(limit)) if limit > 0 => Ok(limit.min(LIMIT_MAX)),
        Some(_) => Err(Error::Invalid(format!(
            "Invalid per_page or limit: it is a number from 1 to {LIMIT_MAX}"
        ))),
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<T> {
    /// The items, in the list's order.
    pub(crate) items: Vec<T>,
    previous: (Cursor, bool),
    next: (Cursor, bool),
}

impl<T> Page<T> {
    /// Makes a page of up to `limit` items out of `limit + 1`, read from the cursor's place on: for a previous
    /// page that is nearest first, against the list's order. `place` gives an item's key and id.
    pub(crate) fn new(
        mut read: Vec<T>,
        cursor: Cursor,
        limit: usize,
        place: impl Fn(&T) -> (i64, i64),
    ) -> Self {
        let goes_on = read.len() > limit;
        read.truncate(limit);
        if cursor.is_previous {
            read.reverse();
        }
        let at = |item: Option<&T>, is_previous| {
            let (key, id) = item.map_or((cursor.key, cursor.id), &place);
            Cursor { key, id, is_previous }
        };
        let came_from_start = cursor.key == i64::MAX && !cursor.is_previous;
        let (has_previous, has_next) =
            if cursor.is_previous { (goes_on, true) } else { (!came_from_start, goes_on) };
        Self {
            previous: (at(read.first(), true), has_previous),
            next: (at(read.last(), false), has_next),
            items: read,
        }
    }

    /// Returns where the page before begins, if there is one.
    pub(crate) fn previous(&self) -> Option<Cursor> {
        self.previous.1.then_some(self.previous.0)
    }

    /// Returns where the next page begins, if there is one.
    pub(crate) fn next(&self) -> Option<Cursor> {
        self.next.1.then_some(self.next.0)
    }

    /// Returns the header that leads to the pages beside this one, for the request's `uri`.
    pub(crate) fn link(&self, origin: &str, uri: &Uri) -> [(HeaderName, HeaderValue); 1] {
        let base = format!("{origin}{}?{}", uri.path(), query_without_cursor(uri));
        let relation = |name: &str, (cursor, has_results): (Cursor, bool)| {
            let cursor = cursor.text();
            format!(
                r#"<{base}&cursor={cursor}>; rel="{name}"; results="{has_results}"; cursor="{cursor}""#
            )
        };
        let text =
            format!("{}, {}", relation("previous", self.previous), relation("next", self.next));
        // A URI and an origin consist of printable ASCII.
        let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
        [(header::LINK, value)]
    }
}

fn query_without_cursor(uri: &Uri) -> String {
    let parts = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> =
        parts.filter(|part| !part.is_empty() && !part.starts_with("cursor=")).collect();
    kept.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pages over 9, 8, … 1, as a list ordered largest first.
    fn page(cursor: &str, limit: usize) -> Page<i64> {
        let cursor = Cursor::parse(cursor).unwrap();
        let read: Vec<i64> = if cursor.is_previous {
            (1..=9).filter(|n| *n > cursor.key).take(limit + 1).collect()
        } else {
            (1..=9).rev().filter(|n| *n < cursor.key).take(limit + 1).collect()
        };
        Page::new(read, cursor, limit, |n| (*n, 0))
    }

    #[test]
    fn pages_follow_each_other_in_both_directions() {
        let first = page("", 4);
        assert_eq!((first.items.as_slice(), first.previous.1), ([9, 8, 7, 6].as_slice(), false));
        let second = page(&first.next.0.text(), 4);
        assert_eq!((second.items.as_slice(), second.next.1), ([5, 4, 3, 2].as_slice(), true));
        let last = page(&second.next.0.text(), 4);
        assert_eq!((last.items.as_slice(), last.next.1), ([1].as_slice(), false));
        let back = page(&last.previous.0.text(), 4);
        assert_eq!((&back.items, back.previous.1, back.next.1), (&second.items, true, true));
        let start = page(&back.previous.0.text(), 4);
        assert_eq!((start.items, start.previous.1), (first.items, false));
    }

    #[test]
    fn the_header_is_as_clients_read_it() {
        let uri = Uri::from_static("/api/0/x/?query=a%20b&cursor=&limit=4");
        let [(name, value)] = page("", 4).link("http://h:1", &uri);
        assert_eq!(name, header::LINK);
        assert_eq!(
            value.to_str().unwrap(),
            "<http://h:1/api/0/x/?query=a%20b&limit=4&cursor=9:0:1>; rel=\"previous\"; results=\"false\"; \
             cursor=\"9:0:1\", <http://h:1/api/0/x/?query=a%20b&limit=4&cursor=6:0:0>; rel=\"next\"; \
             results=\"true\"; cursor=\"6:0:0\""
        );
    }

    #[test]
    fn foreign_cursors_and_limits_are_refused() {
        for text in ["x", "1", "1:2", "1:2:3", "1:2:0:0", "1:2:0:", "-:0:0"] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
        assert_eq!(limit(None).unwrap(), 100);
        assert_eq!(limit(Some("1000")).unwrap(), 100);
        assert_eq!(limit(Some("7")).unwrap(), 7);
        assert!(limit(Some("0")).is_err() && limit(Some("many")).is_err());
    }
}
