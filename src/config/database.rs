//! `[database]`: which database, and how many connections.

use std::path::{Path, PathBuf};

use super::settings::Settings;

/// Name of the SQLite file in the data folder.
const FILE_NAME: &str = "symbolist.db";

/// Where the database is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// A PostgreSQL server, with password.
    Postgres(String),
}

impl std::fmt::Display for Address {
    /// Leaves out the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url)),
        }
    }
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

/// Which database, and how many connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    url: Option<Address>,
    /// `database.connections_max`: connections to PostgreSQL per process.
    pub(crate) connections_max: u32,
}

impl Database {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let url = settings.take_secret("database.url", without_password);
        let connections_max = settings.take("database.connections_max", 8);
        if connections_max == 0 {
            settings.complain(
                "database.connections_max",
                "`database.connections_max` is 0, expected at least 1",
            );
        }
        let parsed = url.as_deref().map(parse);
        if let Some(Err(text)) = &parsed {
            settings.complain("database.url", text);
        }
        Self { url: parsed.and_then(Result::ok), connections_max }
    }

    /// Returns the address, by default a SQLite file in the data folder.
    pub(super) fn address_in(&self, data: &Path) -> Address {
        match &self.url {
            Some(Address::Sqlite(path)) => Address::Sqlite(data.join(path)),
            Some(url) => url.clone(),
            None => Address::Sqlite(data.join(FILE_NAME)),
        }
    }
}

fn parse(url: &str) -> Result<Address, String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Address::Postgres(url.to_owned()));
    }
    match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => Ok(Address::Sqlite(PathBuf::from(path))),
        _ => {
            Err("`database.url` is neither postgres://user:password@host/database nor sqlite:PATH"
                .to_owned())
        }
    }
}

/// Returns the address with its password replaced.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    // Passwords may contain what separates: everything up to the last @ before the first / is theirs.
    let authority = rest.find(['/', '?']).unwrap_or(rest.len());
    let masked = match rest[..authority].rfind('@') {
        Some(at) => match rest[..at].split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***{}", &rest[at..]),
            None => url.to_owned(),
        },
        None => url.to_owned(),
    };
    match masked.find("password=") {
        Some(start) => {
            let end = masked[start..].find('&').map_or(masked.len(), |end| start + end);
            format!("{}password=***{}", &masked[..start], &masked[end..])
        }
        None => masked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_masked() {
        let check = |url, expected| assert_eq!(without_password(url), expected);
        check("postgres://me:se@cret@db:5432/x", "postgres://me:***@db:5432/x");
        check(
            "postgres://me@db/x?password=secret&sslmode=require",
            "postgres://me@db/x?password=***&sslmode=require",
        );
        check("postgres://db/x", "postgres://db/x");
        check("sqlite:x.db", "sqlite:x.db");
    }

    #[test]
    fn only_known_engines_are_taken() {
        assert!(parse("mysql://x").is_err());
        assert!(parse("sqlite:").is_err());
        assert!(matches!(parse("postgresql://x/y"), Ok(Address::Postgres(_))));
        assert!(matches!(parse("sqlite:other.db"), Ok(Address::Sqlite(_))));
    }
}
