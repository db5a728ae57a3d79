//! The configuration: defaults, under a TOML file, under environment variables, under flags.
//!
//! One file per section says which settings there are, what they default to and what they mean; the
//! layering and the checks are in `settings`. All problems are reported at once, each with its place.

pub(crate) mod blobs;
pub(crate) mod byte_size;
pub(crate) mod database;
pub(crate) mod digest;
pub(crate) mod ip_range;
pub(crate) mod limits;
pub(crate) mod log;
pub(crate) mod nearest;
pub(crate) mod problem;
pub(crate) mod retention;
pub(crate) mod server;
pub(crate) mod setting;
pub(crate) mod settings;
mod show;
mod toml_file;
pub(crate) mod workers;

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use problem::Problem;
use settings::{Settings, Shown};

/// Name of the configuration file that is read from the data folder if it exists.
const FILE_NAME: &str = "symbolist.toml";
/// The data folder unless another is named.
const DATA_DEFAULT: &str = "./symbolist-data";

/// Everything an operator can decide, checked.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The folder of everything that is kept on this machine.
    pub(crate) data: PathBuf,
    /// Where the server listens and how it is reached.
    pub(crate) server: server::Server,
    /// Which database, and how many connections.
    pub(crate) database: database::Database,
    /// Where large files are kept.
    pub(crate) blobs: blobs::Blobs,
    /// What is accepted.
    pub(crate) limits: limits::Limits,
    /// The child processes that parse untrusted files.
    pub(crate) workers: workers::Workers,
    /// How accepted events are worked off.
    pub(crate) digest: digest::Digest,
    /// How long, and how much, is kept.
    pub(crate) retention: retention::Retention,
    /// What is logged, and how.
    pub(crate) log: log::Log,
    shown: Vec<Shown>,
}

/// Where the layers above the defaults come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources {
    /// The file named by `--config`; without it, `symbolist.toml` in the data folder if it exists.
    pub(crate) file: Option<PathBuf>,
    /// Variables of the environment; those that do not start with `SYMBOLIST_` are ignored.
    pub(crate) environment: Vec<(String, String)>,
    /// Flags: name as typed, key, value.
    pub(crate) flags: Vec<(&'static str, &'static str, String)>,
}

impl Sources {
    /// Returns what this process was started with, besides its flags.
    pub(crate) fn of_process(file: Option<PathBuf>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self { file, environment, flags: Vec::new() }
    }

    /// Adds a flag, if it was given.
    pub(crate) fn flag(
        mut self,
        flag: &'static str,
        key: &'static str,
        value: Option<String>,
    ) -> Self {
        self.flags.extend(value.map(|value| (flag, key, value)));
        self
    }
}

impl Config {
    /// Reads all layers and checks everything.
    ///
    /// # Errors
    /// `Invalid` with every problem that was found, one per line, each with file and line, variable or flag.
    pub(crate) fn load(sources: &Sources) -> Result<Self> {
        let (config, problems) = Self::read(sources);
        if problems.is_empty() { Ok(config) } else { Err(Error::Invalid(problem::tell(&problems))) }
    }

    /// Reads all layers and returns what was wrong beside the result.
    fn read(sources: &Sources) -> (Self, Vec<Problem>) {
        let mut settings = Settings::default();
        for (flag, key, value) in &sources.flags {
            settings.add_flag(flag, key, value);
        }
        settings.add_environment(&sources.environment);
        match &sources.file {
            Some(file) => settings.add_file(file),
            None => {
                let file = Path::new(settings.peek("data").unwrap_or(DATA_DEFAULT)).join(FILE_NAME);
                if file.exists() {
                    settings.add_file(&file);
                    refuse_to_move(&mut settings, &file);
                }
            }
        }
        let config = Self {
            data: settings.take("data", PathBuf::from(DATA_DEFAULT)),
            server: server::Server::read(&mut settings),
            database: database::Database::read(&mut settings),
            blobs: blobs::Blobs::read(&mut settings),
            limits: limits::Limits::read(&mut settings),
            workers: workers::Workers::read(&mut settings),
            digest: digest::Digest::read(&mut settings),
            retention: retention::Retention::read(&mut settings),
            log: log::Log::read(&mut settings),
            shown: Vec::new(),
        };
        config.check(&mut settings);
        let (shown, problems) = settings.finish();
        (Self { shown, ..config }, problems)
    }

    /// Checks what concerns more than one setting.
    fn check(&self, settings: &mut Settings) {
        self.blobs.check(settings);
        self.limits.check(settings);
        if self.data.as_os_str().is_empty() {
            settings.complain(
                "data",
                "the data folder is empty: name a folder, for example ./symbolist-data",
            );
        }
    }

    /// Returns the configuration as TOML, each value with where it comes from; secrets are masked.
    pub(crate) fn show(&self) -> String {
        show::toml(&self.shown)
    }

    /// Returns the address of the database: the configured one, or the file in the data folder.
    pub(crate) fn database_address(&self) -> database::Address {
        self.database.address_in(&self.data)
    }
}

/// The file in the data folder is found through `data`, so it cannot name another folder.
fn refuse_to_move(settings: &mut Settings, file: &Path) {
    if settings.is_from_file("data") {
        let text = format!(
            "`data` cannot be set in {}, which is found in the data folder itself: use --data, SYMBOLIST_DATA or --config",
            file.display()
        );
        settings.complain("data", &text);
    }
}

#[cfg(test)]
mod tests;
