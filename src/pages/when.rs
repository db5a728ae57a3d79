//! How times are written: relative in the text, absolute (UTC) on hover.

use askama::Template;
use askama::filters::HtmlSafe;
use protocol::time::Timestamp;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Beyond this age a time is written as a date.
const RELATIVE_MS_MAX: i64 = 7 * DAY_MS;

/// A time as a page shows it, relative to when the page was made.
#[derive(Debug, Clone, Copy, Template)]
#[template(
    ext = "html",
    source = "<time datetime=\"{{ at }}\" title=\"{{ self.absolute() }}\" data-relative>{{ self.relative() }}</time>"
)]
pub(crate) struct When {
    at: Timestamp,
    now: Timestamp,
}

impl HtmlSafe for When {}

impl When {
    pub(crate) fn new(at: Timestamp, now: Timestamp) -> Self {
        Self { at, now }
    }

    /// `3 min ago`, or the date where it is a week ago or more. The script writes the same words.
    pub(crate) fn relative(&self) -> String {
        match self.now.ms().saturating_sub(self.at.ms()) {
            age if age >= RELATIVE_MS_MAX => self.date(),
            age if age >= DAY_MS => format!("{} d ago", age / DAY_MS),
            age if age >= HOUR_MS => format!("{} h ago", age / HOUR_MS),
            age if age >= MINUTE_MS => format!("{} min ago", age / MINUTE_MS),
            age if age > -MINUTE_MS => "just now".to_owned(),
            _ => absolute(&self.at),
        }
    }

    pub(crate) fn absolute(&self) -> String {
        absolute(&self.at)
    }

    fn date(&self) -> String {
        let format = if year(&self.at) == year(&self.now) { "%-d %b" } else { "%-d %b %Y" };
        formatted(&self.at, format)
    }
}

/// `2026-11-21 07:41:22 UTC`.
pub(crate) fn absolute(at: &Timestamp) -> String {
    formatted(at, "%Y-%m-%d %H:%M:%S UTC")
}

/// `21 Nov 2026, 07:41:22 UTC`.
pub(crate) fn long(at: &Timestamp) -> String {
    formatted(at, "%-d %b %Y, %H:%M:%S UTC")
}

/// `07:41:22.013`, the time of day in UTC.
pub(crate) fn clock(at: &Timestamp) -> String {
    formatted(at, "%H:%M:%S%.3f")
}

/// `21 Nov`, some days before `at`.
pub(crate) fn day_before(at: &Timestamp, days: usize) -> String {
    let back = i64::try_from(days).unwrap_or(i64::MAX).saturating_mul(DAY_MS);
    formatted(&Timestamp(at.ms().saturating_sub(back)), "%-d %b")
}

/// How long before `event` something was: `−2.31 s`, `−4 min`.
pub(crate) fn before(at: Timestamp, event: Timestamp) -> String {
    let ms = event.ms().saturating_sub(at.ms());
    let (sign, ms) = if ms < 0 { ("+", ms.saturating_neg()) } else { ("−", ms) };
    match ms {
        0 => "0 s".to_owned(),
        ms if ms < SECOND_MS => format!("{sign}{ms} ms"),
        ms if ms < MINUTE_MS => format!("{sign}{}.{:02} s", ms / SECOND_MS, ms % SECOND_MS / 10),
        ms if ms < HOUR_MS => {
            format!("{sign}{} min {} s", ms / MINUTE_MS, ms % MINUTE_MS / SECOND_MS)
        }
        ms if ms < DAY_MS => format!("{sign}{} h {} min", ms / HOUR_MS, ms % HOUR_MS / MINUTE_MS),
        ms => format!("{sign}{} d", ms / DAY_MS),
    }
}

fn year(at: &Timestamp) -> String {
    formatted(at, "%Y")
}

fn formatted(at: &Timestamp, format: &str) -> String {
    let Ok(timestamp) = jiff::Timestamp::from_millisecond(at.ms()) else {
        return "unknown time".to_owned();
    };
    timestamp.strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_246_882_000);

    #[track_caller]
    fn check(age_ms: i64, expected: &str) {
        assert_eq!(When::new(Timestamp(NOW.ms() - age_ms), NOW).relative(), expected);
    }

    #[test]
    fn recent_times_are_relative_and_old_ones_are_dates() {
        check(0, "just now");
        check(59_999, "just now");
        check(3 * MINUTE_MS, "3 min ago");
        check(23 * HOUR_MS, "23 h ago");
        check(6 * DAY_MS, "6 d ago");
        check(10 * DAY_MS, "11 Nov");
        check(400 * DAY_MS, "17 Oct 2025");
        check(-2 * HOUR_MS, "2026-11-21 09:41:22 UTC");
    }

    #[test]
    fn absolute_times_are_utc() {
        assert_eq!(absolute(&NOW), "2026-11-21 07:41:22 UTC");
        assert_eq!(clock(&Timestamp(NOW.ms() + 13)), "07:41:22.013");
        assert_eq!(absolute(&Timestamp(i64::MAX)), "unknown time");
    }

    #[test]
    fn distances_name_the_direction() {
        assert_eq!(before(Timestamp(NOW.ms() - 2_310), NOW), "−2.31 s");
        assert_eq!(before(Timestamp(NOW.ms() - 2), NOW), "−2 ms");
        assert_eq!(before(Timestamp(NOW.ms() + 1_000), NOW), "+1.00 s");
        assert_eq!(before(Timestamp(NOW.ms() - 61_000), NOW), "−1 min 1 s");
    }
}
