//! `symbolist`: what the program can be asked to do.

pub(crate) mod worker;

use std::process::ExitCode;

use clap::Parser;

/// What the program is asked to do.
#[derive(Debug, Parser)]
enum Command {
    /// Opens one untrusted file; started by the server.
    #[command(hide = true)]
    Worker(worker::Arguments),
}

/// Runs the program.
pub fn run() -> ExitCode {
    match Command::parse() {
        Command::Worker(arguments) => worker::run(&arguments),
    }
}
