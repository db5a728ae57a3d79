//! The part of an address after `?`, where keys may come several times.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;

use super::paging::{self, Cursor};
use crate::app::App;
use crate::error::{Error, Result};

/// The parameters of a request, in the order sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl FromRequestParts<App> for Parameters {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self> {
        let Query(pairs) = Query::try_from_uri(&parts.uri)
            .map_err(|error| Error::Invalid(format!("the query of the address: {error}")))?;
        Ok(Self(pairs))
    }
}

impl Parameters {
    /// Returns the first value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns all values of a key.
    pub(super) fn all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Returns where the page begins.
    ///
    /// # Errors
    /// `Invalid` if the cursor is none of ours.
    pub(super) fn cursor(&self) -> Result<Cursor> {
        Cursor::parse(self.get("cursor").unwrap_or_default())
    }

    /// Returns how many items the page has at most.
    ///
    /// # Errors
    /// `Invalid` if it is no positive number.
    pub(super) fn limit(&self) -> Result<usize> {
        paging::limit(self.get("limit").or_else(|| self.get("per_page")))
    }
}
