//! `symbolist check`: counts everything that issues count anew, and compares.

use clap::Args;

use super::output::Format;
use super::{Place, opened, output};
use crate::error::{Error, Result};
use crate::ingest::consistency;

/// How to print.
#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    format: Format,
}

impl Check {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        opened::with_app(place, async |app| {
            let found = consistency::check(app, None).await?;
            output::Table::new(&["issues", "events", "problems"])
                .row(vec![found.issues.into(), found.events.into(), found.problems.len().into()])
                .print_one(self.format)?;
            if found.problems.is_empty() {
                return Ok(());
            }
            Err(Error::internal(format!(
                "the counts of issues are not those of their events:\n{}",
                found.problems.join("\n")
            )))
        })
    }
}
