//! `[workers]`: the child processes that parse untrusted files.

use std::time::Duration;

use super::byte_size::ByteSize;
use super::settings::Settings;

/// The child processes that parse untrusted files.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    /// `workers.count`: how many run at the same time; by default one per processor.
    pub(crate) count: u32,
    /// `workers.memory`: of each; by default half of the machine's, divided by `count`.
    pub(crate) memory: Option<ByteSize>,
    /// `workers.timeout`: how long one file may take.
    pub(crate) timeout: Duration,
}

impl Workers {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let count = settings.take("workers.count", u32::try_from(processors).unwrap_or(1));
        if count == 0 {
            settings.complain("workers.count", "`workers.count` is 0, expected at least 1");
        }
        Self {
            count,
            memory: settings.take_optional("workers.memory"),
            timeout: settings.take("workers.timeout", Duration::from_secs(300)),
        }
    }
}
