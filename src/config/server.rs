//! Where the server listens and how it is reached: the settings without a section.

use std::net::{Ipv4Addr, SocketAddr};

use super::ip_range::IpRange;
use super::setting::{Setting, quoted};
use super::settings::Settings;

/// The port unless another is named.
const PORT_DEFAULT: u16 = 8000;

/// Where the server listens and how it is reached.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// `listen`: address and port; port 0 takes a free one.
    pub(crate) listen: SocketAddr,
    /// `public_url`: what clients and browsers call this server, written into tokens and DSNs. Unset, pages
    /// and answers use the address that the request came to.
    pub(crate) public_url: Option<PublicUrl>,
    /// `trusted_proxies`: whose `X-Forwarded-…` headers are believed.
    pub(crate) trusted_proxies: Vec<IpRange>,
    /// `connections_max`: connections served at the same time; further ones wait.
    pub(crate) connections_max: u32,
}

impl Server {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            listen: settings.take("listen", SocketAddr::from((Ipv4Addr::LOCALHOST, PORT_DEFAULT))),
            public_url: settings.take_optional("public_url"),
            trusted_proxies: settings.take("trusted_proxies", Vec::new()),
            connections_max: settings.take("connections_max", 4096),
        }
    }
}

/// An origin: scheme, host, perhaps port; no path, because clients cannot use one (sentry-cli refuses a
/// base URL that is not a root).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl(String);

impl PublicUrl {
    /// Returns the origin without a slash at the end.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl Setting for PublicUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "an address without path such as https://errors.example.com".to_owned();
        let text = text.trim_end_matches('/');
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host =
            host.filter(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ', '_']));
        host.ok_or_else(expected)?;
        Ok(Self(text.to_owned()))
    }

    fn literal(&self) -> String {
        quoted(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_url_is_an_origin() {
        assert_eq!(
            PublicUrl::parse("https://errors.example.com/").unwrap().as_str(),
            "https://errors.example.com"
        );
        for bad in ["errors.example.com", "https://", "https://x/sentry", "ftp://x", "https://a@b"]
        {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
    }
}
