//! `credentials.json` in the data folder: how scripts and people reach this server, written at its first start.

use std::fs::File;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::accounts::first_start::FirstStart;
use crate::config::Config;
use crate::error::{Context as _, Result};
use crate::http::origin;

/// Name of the file.
const FILE_NAME: &str = "credentials.json";
/// Who may read it: the owner.
const MODE: u32 = 0o600;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credentials {
    /// Where the server is.
    pub(crate) url: String,
    /// Slug of the first organization.
    pub(crate) organization: String,
    /// Slug of the first project.
    pub(crate) project: String,
    /// Id of the first project.
    pub(crate) project_id: i64,
    /// Where the first project's SDKs send to.
    pub(crate) dsn: String,
    /// A token with all scopes.
    pub(crate) token: String,
    /// The owner's address.
    pub(crate) email: String,
    /// The owner's first password.
    pub(crate) password: String,
}

impl Credentials {
    /// Returns what the first start made, reachable at `url`.
    pub(crate) fn new(first: FirstStart, url: &str) -> Self {
        Self {
            url: url.to_owned(),
            dsn: origin::dsn(url, &first.public_key, first.project_id),
            organization: first.organization,
            project: first.project,
            project_id: first.project_id,
            token: first.token,
            email: first.email,
            password: first.password,
        }
    }

    /// Reads the file, if there is one that can be read.
    pub(crate) fn read(data: &Path) -> Option<Self> {
        let text = std::fs::read(path(data)).ok()?;
        let read = serde_json::from_slice(&text);
        read.inspect_err(|error| warn!("{} is not what it was: {error}", path(data).display())).ok()
    }

    /// Returns the same with another address.
    pub(crate) fn moved_to(self, url: &str) -> Self {
        let key = self
            .dsn
            .split_once("://")
            .and_then(|(_, rest)| rest.split_once('@'))
            .map(|(key, _)| key);
        let dsn =
            key.map_or_else(|| self.dsn.clone(), |key| origin::dsn(url, key, self.project_id));
        Self { url: url.to_owned(), dsn, ..self }
    }

    /// Writes the file: all of it or nothing, readable by its owner alone.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(crate) fn write(&self, data: &Path) -> Result<()> {
        let new = data.join(format!("{FILE_NAME}.new"));
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        let written = || -> std::io::Result<()> {
            // Removed first, because the mode is given only to a file that is made.
            match std::fs::remove_file(&new) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = File::options().write(true).create_new(true).mode(MODE).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&new, path(data))
        };
        written().context(format!("writing {}", path(data).display()))
    }
}

/// Returns where the file is.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join(FILE_NAME)
}

/// Returns the address people and scripts use: the public one, else the bound one, with "every interface"
/// written as this machine.
pub(crate) fn url(config: &Config, bound: SocketAddr) -> String {
    if let Some(url) = &config.server.public_url {
        return url.as_str().to_owned();
    }
    let address = match bound.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    };
    format!("http://{}", SocketAddr::new(address, bound.port()))
}

/// Returns the DSN of a key for commands that do not listen themselves: at the address the server last wrote
/// down, else the configured one.
pub(super) fn dsn(config: &Config, public_key: &str, project_id: i64) -> String {
    let last =
        config.server.public_url.is_none().then(|| Credentials::read(&config.data)).flatten();
    let url = last.map_or_else(|| url(config, config.server.listen), |credentials| credentials.url);
    origin::dsn(&url, public_key, project_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn credentials() -> Credentials {
        let first = FirstStart {
            organization: "default".into(),
            project: "first".into(),
            project_id: 1,
            public_key: "a".repeat(32),
            token: "sntrys_x".into(),
            email: "admin@localhost".into(),
            password: "secret".into(),
        };
        Credentials::new(first, "http://127.0.0.1:8000")
    }

    #[test]
    fn file_is_readable_by_its_owner_alone_also_when_rewritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("credentials.json.new"), "left behind").unwrap();
        credentials().write(folder.path()).unwrap();
        credentials().write(folder.path()).unwrap();
        let mode = std::fs::metadata(path(folder.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Credentials::read(folder.path()), Some(credentials()));
    }

    #[test]
    fn moving_changes_address_and_dsn_only() {
        let moved = credentials().moved_to("https://errors.example.com");
        assert_eq!(moved.dsn, format!("https://{}@errors.example.com/1", "a".repeat(32)));
        assert_eq!(moved.moved_to("http://127.0.0.1:8000"), credentials());
    }
}
