//! How SDKs say who they are: a public key in one of six places.
//!
//! Rules and messages are Relay's. A key that two places carry differently is
//! refused; a secret is accepted and ignored.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use protocol::dsn::Dsn;
use protocol::id::ProjectId;

use crate::accounts::key;
use crate::app::App;
use crate::db::project_key::Admission;
use crate::error::{Error, Result};

/// Newest protocol version.
const VERSION_MAX: u32 = 7;
/// Length of a public key, in characters.
const KEY_CHARS: usize = 32;
/// Longest name of a client that is kept, in characters.
const CLIENT_CHARS_MAX: usize = 100;

/// What a request says about its sender.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Credentials {
    /// The public key.
    pub(crate) public_key: String,
    /// Name and version of the client.
    pub(crate) client: Option<String>,
}

/// Reads the credentials of headers and query; `None` where there are none.
///
/// # Errors
/// `Unauthorized` where there are several, or one that cannot be read; `Invalid` for a newer protocol.
pub(crate) fn of_request(headers: &HeaderMap, query: Option<&str>) -> Result<Option<Credentials>> {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let mut found = Vec::new();
    if let Some(value) = headers.get("x-sentry-auth").and_then(|value| value.to_str().ok()) {
        found.push(of_header(value)?);
    }
    if let Some(value) = text(header::AUTHORIZATION) {
        let scheme = value.split(' ').next().unwrap_or_default();
        if scheme.eq_ignore_ascii_case("sentry") {
            found.push(of_header(value)?);
        } else if scheme.eq_ignore_ascii_case("basic") {
            found.push(of_basic(value)?);
        }
    }
    if let Some(query) = query.filter(|query| query.contains("sentry_key")) {
        found.push(of_query(query)?);
    }
    if found.len() > 1 {
        return Err(Error::Unauthorized("multiple authorization payloads detected".to_owned()));
    }
    Ok(found.pop())
}

/// Reads the credentials of an envelope's header.
///
/// # Errors
/// `Unauthorized` where its DSN cannot be read.
pub(crate) fn of_dsn(dsn: &str) -> Result<(Credentials, ProjectId)> {
    let dsn: Dsn = dsn.parse().map_err(|error| {
        Error::Unauthorized(format!("bad envelope authentication header: {error}"))
    })?;
    Ok((Credentials { public_key: dsn.public_key, client: None }, dsn.project))
}

/// `Sentry sentry_key=…, sentry_version=7, sentry_client=…`
fn of_header(value: &str) -> Result<Credentials> {
    let pairs = value.split_once(' ').map_or("", |(_, pairs)| pairs);
    let pairs = pairs.split(',').filter_map(|pair| pair.split_once('='));
    of_pairs(pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())))
}

fn of_basic(value: &str) -> Result<Credentials> {
    let encoded = value.split_once(' ').map_or("", |(_, encoded)| encoded.trim());
    let decoded =
        BASE64_STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let user = decoded.as_deref().and_then(|text| text.split(':').next()).unwrap_or_default();
    of_pairs([("sentry_key".to_owned(), user.to_owned())].into_iter())
}

fn of_query(query: &str) -> Result<Credentials> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    of_pairs(pairs.map(|(name, value)| (name.to_owned(), percent_decoded(value))))
}

fn of_pairs(pairs: impl Iterator<Item = (String, String)>) -> Result<Credentials> {
    let mut credentials = Credentials::default();
    for (name, value) in pairs {
        match name.as_str() {
            // Flags may follow a dot, for example `.no-cache`.
            "sentry_key" => {
                value.split('.').next().unwrap_or_default().clone_into(&mut credentials.public_key);
            }
            "sentry_client" => {
                credentials.client = Some(value.chars().take(CLIENT_CHARS_MAX).collect());
            }
            "sentry_version" => check_version(&value)?,
            _ => {}
        }
    }
    let is_key = credentials.public_key.len() == KEY_CHARS
        && credentials.public_key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_key { Ok(credentials) } else { Err(missing_key()) }
}

fn check_version(value: &str) -> Result<()> {
    let version = value.split('.').next().unwrap_or_default();
    let version: u32 = version
        .parse()
        .map_err(|_| Error::Unauthorized(format!("bad sentry_version `{version}`, expected 7")))?;
    if version > VERSION_MAX {
        return Err(Error::Invalid(format!("unsupported protocol version ({version})")));
    }
    Ok(())
}

fn missing_key() -> Error {
    Error::Unauthorized(
        "bad x-sentry-auth header: sentry_key is missing or not 32 characters; use the project's DSN"
            .to_owned(),
    )
}

/// Says that nothing identifies the sender.
pub(crate) fn missing() -> Error {
    Error::Unauthorized(
        "missing authorization: send the DSN's key as X-Sentry-Auth, sentry_key, or `dsn` in the envelope's \
         header"
            .to_owned(),
    )
}

/// Looks the key up and holds it against the project of the path.
///
/// # Errors
/// `Forbidden` for an unknown or revoked key, and for another project's.
pub(crate) async fn admit(
    app: &App,
    credentials: &Credentials,
    project: ProjectId,
) -> Result<Admission> {
    let refused =
        |why: &str| Error::Forbidden(format!("event submission rejected with_reason: {why}"));
    let admission = key::admit(app, &credentials.public_key).await?;
    let admission =
        admission.ok_or_else(|| refused("ProjectId (the DSN's key is unknown or revoked)"))?;
    if admission.project_id != project.0 {
        return Err(refused("ProjectId (the DSN's key belongs to another project)"));
    }
    Ok(admission)
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let escape = (*byte == b'%').then(|| tail.get(..2)).flatten();
        let decoded =
            escape.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match decoded {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &tail[2..];
            }
            None => {
                bytes.push(if *byte == b'+' { b' ' } else { *byte });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn read(headers: &[(&'static str, &str)], query: Option<&str>) -> Result<Option<Credentials>> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        of_request(&map, query)
    }

    #[track_caller]
    fn accepts(headers: &[(&'static str, &str)], query: Option<&str>) {
        assert_eq!(read(headers, query).unwrap().unwrap().public_key, KEY);
    }

    #[test]
    fn keys_are_found_in_every_place() {
        let sentry = format!("Sentry sentry_key={KEY}, sentry_version=7.1, sentry_client=a/1");
        accepts(&[("x-sentry-auth", &sentry)], None);
        accepts(&[("authorization", &sentry.replace("Sentry", "sentry"))], None);
        let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{KEY}:")));
        accepts(&[("authorization", &basic)], None);
        accepts(
            &[],
            Some(&format!("a=b&sentry_key={KEY}.no-cache&sentry_client=x%2F1&sentry_version=7")),
        );
        assert_eq!(read(&[], Some("sentry_release=x")).unwrap(), None);
        assert_eq!(read(&[("authorization", "Bearer x")], None).unwrap(), None);
        assert_eq!(of_dsn(&format!("http://{KEY}@h/3")).unwrap().1, ProjectId(3));
    }

    #[track_caller]
    fn refuses(headers: &[(&'static str, &str)], query: Option<&str>, expected: &str) {
        let error = read(headers, query).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn unclear_credentials_are_refused() {
        let sentry = format!("Sentry sentry_key={KEY}");
        let query = format!("sentry_key={KEY}");
        refuses(&[("x-sentry-auth", &sentry)], Some(&query), "multiple authorization payloads");
        refuses(&[("x-sentry-auth", "Sentry sentry_version=7")], None, "sentry_key is missing");
        refuses(&[("x-sentry-auth", "Sentry sentry_key=short")], None, "not 32 characters");
        refuses(
            &[("x-sentry-auth", &format!("{sentry}, sentry_version=8"))],
            None,
            "protocol version (8)",
        );
        refuses(
            &[("x-sentry-auth", &format!("{sentry}, sentry_version=x"))],
            None,
            "bad sentry_version",
        );
    }
}
