//! `symbolist config`.

use clap::Subcommand;

use super::{Place, output};
use crate::error::Result;

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the effective configuration as TOML, each value with where it comes from
    Show,
}

impl Command {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        match self {
            Self::Show => output::print(&place.load(&[])?.show()),
        }
    }
}
