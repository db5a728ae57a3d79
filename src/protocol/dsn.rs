//! The DSN: where an SDK sends events, and the key it shows.

use std::fmt;
use std::str::FromStr;

use crate::id::{ParseIdError, ProjectId};

/// `{scheme}://{public_key}[:{secret}]@{host}/{project_id}`; the secret of old DSNs is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// `http` or `https`.
    pub scheme: String,
    /// 32 characters that identify, and authorize, the sender.
    pub public_key: String,
    /// Host, with port where it is not the scheme's own.
    pub host: String,
    /// The project.
    pub project: ProjectId,
}

/// What is wrong with a DSN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseDsnError(String);

impl fmt::Display for ParseDsnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, expected http(s)://KEY@HOST/PROJECT_ID", self.0)
    }
}

impl std::error::Error for ParseDsnError {}

impl From<ParseIdError> for ParseDsnError {
    fn from(error: ParseIdError) -> Self {
        Self(format!("project id {error}"))
    }
}

impl FromStr for Dsn {
    type Err = ParseDsnError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let missing = |what: &str| ParseDsnError(format!("the DSN has no {what}"));
        let (scheme, rest) = text.trim().split_once("://").ok_or_else(|| missing("scheme"))?;
        if scheme != "http" && scheme != "https" {
            return Err(ParseDsnError("the DSN's scheme is neither http nor https".to_owned()));
        }
        let (keys, place) = rest.split_once('@').ok_or_else(|| missing("public key"))?;
        let public_key = keys.split(':').next().unwrap_or_default();
        if public_key.is_empty() {
            return Err(missing("public key"));
        }
        let (host, path) = place.split_once('/').ok_or_else(|| missing("project id"))?;
        if host.is_empty() {
            return Err(missing("host"));
        }
        let project = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Ok(Self {
            scheme: scheme.to_owned(),
            public_key: public_key.to_owned(),
            host: host.to_owned(),
            project: project.parse()?,
        })
    }
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}@{}/{}", self.scheme, self.public_key, self.host, self.project)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dsns_are_read_with_secret_and_path() {
        let dsn: Dsn = "https://abc:def@host:8000/some/path/42".parse().unwrap();
        assert_eq!(dsn.to_string(), "https://abc@host:8000/42");
        for bad in ["", "ftp://a@h/1", "http://@h/1", "http://a@/1", "http://a@h", "http://a@h/x"] {
            assert!(bad.parse::<Dsn>().is_err(), "{bad}");
        }
    }
}
