//! A server and the token it is spoken to with.

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{Error, Result, tls};

/// How long opening a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest error text that is repeated, in characters.
const DETAIL_CHARS_MAX: usize = 500;

/// A server, an organization and a project.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Client {
    /// Makes a client of the server at `url` (scheme, host and port).
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(url: &str, token: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls::config()?)
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| Error::Unexpected(format!("HTTP cannot be set up: {error}")))?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), token: token.to_owned() })
    }

    /// Asks the API; `path` follows `/api/0/`.
    ///
    /// # Errors
    /// Where the server cannot be reached, refuses, or answers something else.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let url = format!("{}/api/0/{path}", self.url);
        self.json(&url, self.http.get(&url).bearer_auth(&self.token)).await
    }

    /// Sends JSON to the API; `path` follows `/api/0/`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl serde::Serialize,
    ) -> Result<T> {
        let url = format!("{}/api/0/{path}", self.url);
        self.json(&url, self.http.post(&url).bearer_auth(&self.token).json(body)).await
    }

    /// Sends a multipart form to an absolute address with the token.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(crate) async fn post_form(&self, url: &str, form: reqwest::multipart::Form) -> Result<()> {
        self.send(url, self.http.post(url).bearer_auth(&self.token).multipart(form)).await.map(drop)
    }

    /// Sends an envelope with a project's public key, as an SDK does.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn send_envelope(
        &self,
        project_id: i64,
        public_key: &str,
        body: Vec<u8>,
    ) -> Result<Value> {
        let url = format!("{}/api/{project_id}/envelope/", self.url);
        let auth = format!(
            "Sentry sentry_key={public_key}, sentry_version=7, sentry_client=symbolist/0.1"
        );
        self.json(&url, self.http.post(&url).header("x-sentry-auth", auth).body(body)).await
    }

    async fn json<T: DeserializeOwned>(&self, url: &str, request: RequestBuilder) -> Result<T> {
        let response = self.send(url, request).await?;
        let bytes = response.bytes().await.map_err(|error| unreachable_at(url, &error))?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Error::Unexpected(format!("{url} does not answer as expected: {error}"))
        })
    }

    async fn send(&self, url: &str, request: RequestBuilder) -> Result<Response> {
        let response = request.send().await.map_err(|error| unreachable_at(url, &error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let text = response.text().await.unwrap_or_default();
        Err(Error::Refused { url: url.to_owned(), status: status.as_u16(), detail: detail(&text) })
    }
}

fn unreachable_at(url: &str, error: &reqwest::Error) -> Error {
    let mut cause = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    Error::Unreachable { url: url.to_owned(), cause }
}

/// Takes the text out of `{"detail": …}` or `{"error": …}`.
fn detail(body: &str) -> String {
    let value: Option<Value> = serde_json::from_str(body).ok();
    let field = |name: &str| value.as_ref()?.get(name)?.as_str().map(str::to_owned);
    let text = field("detail").or_else(|| field("error")).unwrap_or_else(|| body.to_owned());
    text.chars().take(DETAIL_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_are_repeated() {
        assert_eq!(detail(r#"{"detail":"Invalid token"}"#), "Invalid token");
        assert_eq!(detail(r#"{"error":"Checksum mismatch"}"#), "Checksum mismatch");
        assert_eq!(detail("<html>"), "<html>");
    }
}
