//! `[log]`: what is logged, and how.

use super::setting::choice;
use super::settings::Settings;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}
choice!(Format { Text = "text", Json = "json" });

/// What is logged, and how.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    /// `log.format`.
    pub(crate) format: Format,
    /// `log.filter`: `error`, `warn`, `info`, `debug`, `trace`, also by module: `info,symbolist::http=debug`.
    pub(crate) filter: String,
}

impl Log {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let log = Self {
            format: settings.take("log.format", Format::Text),
            filter: settings.take("log.filter", "info".to_owned()),
        };
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&log.filter) {
            settings.complain("log.filter", &format!("`log.filter` is `{}`: {error}", log.filter));
        }
        log
    }
}
