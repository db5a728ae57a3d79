//! How the client reached us: origin and address, forwarded ones only from proxies that are trusted.
//!
//! npm `sentry` refuses a chunk URL of any other origin than the one it was configured with, so answers
//! with URLs are made from the request.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use crate::app::App;
use crate::config::ip_range::IpRange;

/// Longest host that is repeated, in bytes (names have at most 253, ports 5).
const HOST_BYTES_MAX: usize = 260;

/// The address of whoever opened the connection, noted by the listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Scheme, host and port as the client used them, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin(String);

impl Origin {
    /// Returns the origin that a text says.
    pub(crate) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the origin as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Says whether the client uses TLS.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.starts_with("https://")
    }

    /// Returns the DSN of a key.
    pub(crate) fn dsn(&self, public_key: &str, project_id: i64) -> String {
        dsn(&self.0, public_key, project_id)
    }
}

/// Returns the DSN of a key on a server.
pub(crate) fn dsn(origin: &str, public_key: &str, project_id: i64) -> String {
    let (scheme, host) = origin.split_once("://").unwrap_or(("http", origin));
    format!("{scheme}://{public_key}@{host}/{project_id}")
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromRequestParts<App> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let server = &app.config.server;
        let is_trusted = is_trusted(parts, &server.trusted_proxies);
        // HTTP/2 has no Host header but an authority in the URI.
        let authority = parts.uri.authority().map(|authority| authority.as_str().to_owned());
        let host = host(&parts.headers, is_trusted).or(authority.filter(|host| is_host(host)));
        let configured = server.public_url.as_ref().map(|url| url.as_str().to_owned());
        let scheme = scheme(&parts.headers, is_trusted, configured.as_deref(), host.as_deref());
        let origin = host.map(|host| format!("{scheme}://{host}"));
        let listen = || format!("http://{}", server.listen);
        Ok(Self(origin.or(configured).unwrap_or_else(listen)))
    }
}

/// Whether the request comes from a proxy whose headers are believed.
fn is_trusted(parts: &Parts, proxies: &[IpRange]) -> bool {
    parts
        .extensions
        .get::<Peer>()
        .is_some_and(|peer| proxies.iter().any(|range| range.contains(peer.0.ip())))
}

fn host(headers: &HeaderMap, is_trusted: bool) -> Option<String> {
    let forwarded = is_trusted.then(|| first(headers, "x-forwarded-host")).flatten();
    let host = forwarded.or_else(|| first(headers, header::HOST.as_str()))?;
    is_host(host).then(|| host.to_owned())
}

/// Returns the scheme the client used. Without a trusted proxy's word, a host that is the configured one has
/// the configured scheme, because then TLS ends before us.
fn scheme<'a>(
    headers: &'a HeaderMap,
    is_trusted: bool,
    configured: Option<&'a str>,
    host: Option<&str>,
) -> &'a str {
    let forwarded = is_trusted.then(|| first(headers, "x-forwarded-proto")).flatten();
    if let Some(scheme @ ("http" | "https")) = forwarded {
        return scheme;
    }
    match configured.and_then(|url| url.split_once("://")) {
        Some((scheme, configured_host)) if host == Some(configured_host) => scheme,
        _ => "http",
    }
}

/// Returns the first value of a header that may be a list.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim).filter(|value| !value.is_empty())
}

/// Whether a text can be a host with port; it is repeated in answers, so nothing else gets through.
fn is_host(text: &str) -> bool {
    let is_allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    !text.is_empty() && text.len() <= HOST_BYTES_MAX && text.chars().all(is_allowed)
}

/// The address of the client: of the connection, or what trusted proxies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub(crate) IpAddr);

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let proxies = &app.config.server.trusted_proxies;
        let peer = parts
            .extensions
            .get::<Peer>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip());
        Ok(Self(client_address(peer.to_canonical(), &parts.headers, proxies)))
    }
}

/// Walks back along the proxies: the client is the last one who is not trusted.
fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpRange]) -> IpAddr {
    let is_trusted = |address: IpAddr| proxies.iter().any(|range| range.contains(address));
    let forwarded =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut address = peer;
    for next in chain.iter().rev() {
        if !is_trusted(address) {
            break;
        }
        let Ok(next) = next.parse::<IpAddr>() else { break };
        address = next.to_canonical();
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting::Setting as _;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn forwarded_hosts_are_believed_from_trusted_proxies_only() {
        let headers =
            headers(&[("host", "inside:8000"), ("x-forwarded-host", "errors.example.com, other")]);
        assert_eq!(host(&headers, false).as_deref(), Some("inside:8000"));
        assert_eq!(host(&headers, true).as_deref(), Some("errors.example.com"));
    }

    #[test]
    fn hosts_that_are_none_are_not_repeated() {
        for bad in ["evil\"><script>", "a/b", "a b", "a@b", ""] {
            assert!(!is_host(bad), "{bad}");
        }
        assert!(is_host("[::1]:8000"));
    }

    #[test]
    fn scheme_is_that_of_the_configured_host_or_the_proxys_word() {
        let https = headers(&[("x-forwarded-proto", "https")]);
        assert_eq!(scheme(&https, true, None, Some("x")), "https");
        assert_eq!(scheme(&https, false, None, Some("x")), "http");
        let none = HeaderMap::new();
        assert_eq!(
            scheme(&none, false, Some("https://errors.example.com"), Some("errors.example.com")),
            "https"
        );
        assert_eq!(
            scheme(&none, false, Some("https://errors.example.com"), Some("127.0.0.1:8000")),
            "http"
        );
    }

    #[test]
    fn client_is_the_last_untrusted_address() {
        let proxies = [IpRange::parse("10.0.0.0/8").unwrap()];
        let chain = headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2, 10.0.0.9")]);
        let check = |peer: &str, expected: &str| {
            assert_eq!(
                client_address(peer.parse().unwrap(), &chain, &proxies),
                expected.parse::<IpAddr>().unwrap()
            );
        };
        check("10.0.0.1", "2.2.2.2");
        check("3.3.3.3", "3.3.3.3");
    }
}
