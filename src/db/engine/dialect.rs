//! Which engine answers, for the few texts that differ.

/// The engine behind a [`Db`](super::Db).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// SQLite, in this process.
    Lite,
    /// PostgreSQL, over a socket.
    Postgres,
}

impl Dialect {
    /// Returns the text for this engine. What differs is counted: claiming, search, maintenance.
    pub(crate) fn pick(self, lite: &'static str, postgres: &'static str) -> &'static str {
        match self {
            Self::Lite => lite,
            Self::Postgres => postgres,
        }
    }
}
