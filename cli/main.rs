//! The developer's commands as a small program of their own, for build machines.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

/// The developer's side of Symbolist.
#[derive(Debug, Parser)]
#[command(name = "symbolist-cli", version)]
struct Arguments {
    #[command(subcommand)]
    command: cli::arguments::Command,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(arguments.command.run()).map_err(|error| error.to_string()),
        Err(error) => Err(format!("cannot start: {error}")),
    };
    match outcome {
        Ok((lines, is_well)) => {
            let text: String = lines.into_iter().map(|line| line + "\n").collect();
            let written = std::io::stdout().write_all(text.as_bytes());
            if is_well && written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}
