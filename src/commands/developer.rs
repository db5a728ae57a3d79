//! The developer's commands, mounted in the one binary: they talk HTTP like `symbolist-cli`.

use super::{opened, output};
use crate::error::{Error, Result};

/// Runs a developer's command and prints what it says.
pub(super) fn run(command: &cli::arguments::Command) -> Result<()> {
    let (lines, is_well) = opened::runtime()?
        .block_on(command.run())
        .map_err(|error| Error::Invalid(error.to_string()))?;
    output::print(&lines.into_iter().map(|line| line + "\n").collect::<String>())?;
    if is_well {
        Ok(())
    } else {
        Err(Error::Invalid("not everything could be used, see above".to_owned()))
    }
}
