//! `[retention]`: how long, and how much, is kept.

use std::time::Duration;

use super::byte_size::ByteSize;
use super::settings::Settings;

/// How long events are kept unless the operator says otherwise: Sentry's 90 days.
const AGE_DEFAULT: Duration = Duration::from_secs(90 * 24 * 3600);

/// How long, and how much, is kept.
#[derive(Debug, Clone)]
pub(crate) struct Retention {
    /// `retention.age`: how long events are kept; 0 means for ever.
    pub(crate) age: Duration,
    /// `retention.events_max`: most events of each project; unset: no limit.
    pub(crate) events_max: Option<u32>,
    /// `retention.bytes_max`: most bytes of all events and attachments; unset: no limit.
    pub(crate) bytes_max: Option<ByteSize>,
}

impl Retention {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        let retention = Self {
            age: settings.take("retention.age", AGE_DEFAULT),
            events_max: settings.take_optional("retention.events_max"),
            bytes_max: settings.take_optional("retention.bytes_max"),
        };
        if retention.events_max == Some(0) {
            settings.complain(
                "retention.events_max",
                "`retention.events_max` is 0, which keeps nothing: leave it out to keep everything",
            );
        }
        retention
    }
}
