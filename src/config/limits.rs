//! `[limits]`: how much is accepted.

use std::time::Duration;

use super::byte_size::ByteSize;
use super::settings::Settings;

/// How much is accepted.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// `limits.event_bytes_max`: one event. Relay allows 1 MiB, which web SDKs exceed with large `extra`.
    pub(crate) event_bytes_max: ByteSize,
    /// `limits.envelope_bytes_max`: one envelope, inflated (Relay: 200 MiB).
    pub(crate) envelope_bytes_max: ByteSize,
    /// `limits.attachment_bytes_max`: one attachment (Relay: 200 MiB).
    pub(crate) attachment_bytes_max: ByteSize,
    /// `limits.accepting_bytes_max`: what all requests together may hold in memory before it is durable;
    /// further ones wait.
    pub(crate) accepting_bytes_max: ByteSize,
    /// `limits.accepted_bytes_max`: the disk budget of events that wait for the digest; beyond it 503.
    pub(crate) accepted_bytes_max: ByteSize,
    /// `limits.disk_free_bytes_min`: below it nothing is accepted.
    pub(crate) disk_free_bytes_min: ByteSize,
    /// `limits.chunk_bytes`: size of a chunk of an upload; a power of two (sentry-cli up to 2.39.1 insists).
    pub(crate) chunk_bytes: ByteSize,
    /// `limits.chunk_request_bytes_max`: all chunks of one request.
    pub(crate) chunk_request_bytes_max: ByteSize,
    /// `limits.upload_bytes_max`: one assembled debug file or bundle; sentry-cli's own default is 2 GiB.
    pub(crate) upload_bytes_max: ByteSize,
    /// `limits.key_events_max`: events per key and window for keys without a limit of their own; unset: no limit.
    pub(crate) key_events_max: Option<u32>,
    /// `limits.key_window`: the window of `key_events_max`.
    pub(crate) key_window: Duration,
}

impl Limits {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            event_bytes_max: settings.take("limits.event_bytes_max", ByteSize::mib(4)),
            envelope_bytes_max: settings.take("limits.envelope_bytes_max", ByteSize::mib(200)),
            attachment_bytes_max: settings.take("limits.attachment_bytes_max", ByteSize::mib(100)),
            accepting_bytes_max: settings.take("limits.accepting_bytes_max", ByteSize::mib(64)),
            accepted_bytes_max: settings
                .take("limits.accepted_bytes_max", ByteSize::mib(10 * 1024)),
            disk_free_bytes_min: settings.take("limits.disk_free_bytes_min", ByteSize::mib(256)),
            chunk_bytes: settings.take("limits.chunk_bytes", ByteSize::mib(8)),
            chunk_request_bytes_max: settings
                .take("limits.chunk_request_bytes_max", ByteSize::mib(32)),
            upload_bytes_max: settings.take("limits.upload_bytes_max", ByteSize::mib(2048)),
            key_events_max: settings.take_optional("limits.key_events_max"),
            key_window: settings.take("limits.key_window", Duration::from_secs(60)),
        }
    }

    /// Checks that the limits fit each other.
    pub(super) fn check(&self, settings: &mut Settings) {
        if self.event_bytes_max > self.envelope_bytes_max {
            let text = format!(
                "`limits.event_bytes_max` ({}) is larger than `limits.envelope_bytes_max` ({}), so no such event arrives",
                self.event_bytes_max, self.envelope_bytes_max
            );
            settings.complain("limits.event_bytes_max", &text);
        }
        if !self.chunk_bytes.0.is_power_of_two() {
            let text = format!(
                "`limits.chunk_bytes` is {}, expected a power of two such as 8MiB",
                self.chunk_bytes
            );
            settings.complain("limits.chunk_bytes", &text);
        }
        if self.chunk_request_bytes_max < self.chunk_bytes {
            let text = format!(
                "`limits.chunk_request_bytes_max` ({}) is smaller than `limits.chunk_bytes` ({})",
                self.chunk_request_bytes_max, self.chunk_bytes
            );
            settings.complain("limits.chunk_request_bytes_max", &text);
        }
        if self.key_window < Duration::from_secs(1) {
            settings.complain(
                "limits.key_window",
                "`limits.key_window` is shorter than a second, expected at least 1s",
            );
        }
    }
}
