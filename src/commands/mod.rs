//! The command line: what can be said, and who does it.

mod arenas;
mod bench;
mod check;
mod config;
mod credentials;
mod demo;
mod demo_files;
mod developer;
mod help;
mod key;
mod logging;
mod migrate;
mod opened;
mod organization;
mod output;
mod project;
mod redigest;
mod secret_input;
mod seed;
mod serve;
mod token;
mod user;
pub(crate) mod worker;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::config::{Config, Sources};
use crate::error::{Error, Result};

/// What the process returns when the user has to change something: arguments, configuration, names.
const EXIT_INVALID: u8 = 2;
/// What the process returns when it failed.
const EXIT_FAILED: u8 = 1;

/// A self-hosted, Sentry-compatible error tracker whose heart is symbolication.
#[derive(Debug, Parser)]
#[command(name = "symbolist", version, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

/// Where configuration and data are.
#[derive(Debug, Clone, Args)]
pub(crate) struct Place {
    /// The data folder [default: ./symbolist-data]
    #[arg(long, global = true, value_name = "DIR")]
    data: Option<String>,
    /// The configuration file [default: symbolist.toml in the data folder, if it exists]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve(serve::Serve),
    /// Show what it does: a server with a crash in it, in a temporary folder
    Demo(demo::Demo),
    /// Measure throughput, latency, processor time, memory and bytes per event
    Bench(bench::Bench),
    /// Fill an empty data folder with made-up events, to look at and to measure
    Seed(seed::Seed),
    /// Bring the database up to date, and nothing else
    Migrate,
    /// Digest stored events again, after a change of scrubbing, grouping or symbolication
    Redigest(redigest::Redigest),
    /// Count everything that issues count anew from their events, and compare
    Check(check::Check),
    /// Look at the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// Make, list and revoke organizations
    #[command(subcommand)]
    Organization(organization::Command),
    /// Make, list and revoke projects
    #[command(subcommand)]
    Project(project::Command),
    /// Make, list and revoke keys (DSNs) of projects
    #[command(subcommand)]
    Key(key::Command),
    /// Make, list and revoke users
    #[command(subcommand)]
    User(user::Command),
    /// Make, list and revoke tokens of the API
    #[command(subcommand)]
    Token(token::Command),
    #[command(flatten)]
    Developer(cli::arguments::Command),
    /// Open one untrusted file; started by the server
    #[command(hide = true)]
    Worker(worker::Arguments),
}

impl Place {
    /// Reads the configuration, with what further flags say.
    pub(crate) fn load(
        &self,
        flags: &[(&'static str, &'static str, &Option<String>)],
    ) -> Result<Config> {
        let sources =
            Sources::of_process(self.config.clone()).flag("--data", "data", self.data.clone());
        let add =
            |sources: Sources,
             (flag, key, value): &(&'static str, &'static str, &Option<String>)| {
                sources.flag(flag, key, (*value).clone())
            };
        Config::load(&flags.iter().fold(sources, add))
    }
}

/// Runs what the command line says.
pub fn run() -> ExitCode {
    let matches = help::grouped(Arguments::command()).get_matches();
    let Arguments { place, command } =
        Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Worker(arguments) = &command {
        // Its exit status and standard error are a protocol of their own.
        return worker::run(arguments);
    }
    // It fails only if there is one already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(&place, command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(match error {
                Error::Internal(_) | Error::Busy | Error::Unavailable { .. } => EXIT_FAILED,
                _ => EXIT_INVALID,
            })
        }
    }
}

fn dispatch(place: &Place, command: Command) -> Result<()> {
    match command {
        Command::Serve(serve) => serve.run(place),
        Command::Demo(demo) => demo.run(),
        Command::Bench(bench) => bench.run(place),
        Command::Seed(seed) => seed.run(place),
        Command::Migrate => migrate::run(place),
        Command::Redigest(redigest) => redigest.run(place),
        Command::Check(check) => check.run(place),
        Command::Config(command) => command.run(place),
        Command::Organization(command) => command.run(place),
        Command::Project(command) => command.run(place),
        Command::Key(command) => command.run(place),
        Command::User(command) => command.run(place),
        Command::Token(command) => command.run(place),
        Command::Developer(command) => developer::run(&command),
        // Dispatched before: see `run`.
        Command::Worker(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
