//! How often an issue was seen over a period, as bars.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::issues::query;

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Seconds of an hour.
const HOUR_S: i64 = 3_600;

/// A period and its bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    /// Sentry's name, the key in `stats`.
    pub(super) name: &'static str,
    bars: i64,
    hours_per_bar: i64,
}

/// A day in hours.
pub(super) const DAY: Period = Period { name: "24h", bars: 24, hours_per_bar: 1 };
/// A month in days.
pub(super) const MONTH: Period = Period { name: "30d", bars: 30, hours_per_bar: 24 };
const FORTNIGHT: Period = Period { name: "14d", bars: 14, hours_per_bar: 24 };
const AUTO: Period = Period { name: "auto", ..FORTNIGHT };

impl Period {
    /// Reads `groupStatsPeriod`; an empty one means no bars.
    ///
    /// # Errors
    /// `Invalid` in Sentry's words.
    pub(super) fn parse(text: Option<&str>) -> Result<Option<Self>> {
        match text {
            None | Some("24h") => Ok(Some(DAY)),
            Some("14d") => Ok(Some(FORTNIGHT)),
            Some("auto") => Ok(Some(AUTO)),
            Some("") => Ok(None),
            Some(_) => Err(Error::Invalid(
                "Invalid stats_period. Valid choices are '', '24h', '14d' and 'auto'".to_owned(),
            )),
        }
    }

    /// Returns the first hour, counted from 1970, that a bar shows.
    pub(super) fn first_hour(self, now_ms: i64) -> i64 {
        now_ms / HOUR_MS - self.bars * self.hours_per_bar + 1
    }

    /// Makes the bars of `(hour, events)`: `[[start in seconds, events], …]`, ascending, zeros included.
    pub(super) fn bars(self, now_ms: i64, hours: &[(i64, i64)]) -> Value {
        let first = self.first_hour(now_ms);
        let bar = |index: i64| {
            let start = first + index * self.hours_per_bar;
            let within = start..start + self.hours_per_bar;
            let events = hours.iter().filter(|(hour, _)| within.contains(hour));
            json!([start * HOUR_S, events.map(|(_, n)| n).sum::<i64>()])
        };
        (0..self.bars).map(bar).collect()
    }
}

/// Reads a length of time like `14d` into milliseconds.
///
/// # Errors
/// `Invalid` if it is none.
pub(super) fn duration_ms(text: &str) -> Result<i64> {
    query::duration_ms(text).ok_or_else(|| {
        Error::Invalid(format!(
            "Invalid statsPeriod `{text}`: it is like 14d, with s, m, h, d or w"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_end_with_the_current_hour() {
        let now_ms = 1_000 * HOUR_MS + 5;
        let bars = DAY.bars(now_ms, &[(1_000, 3), (977, 1), (976, 9)]);
        let bars = bars.as_array().unwrap();
        assert_eq!(bars.len(), 24);
        assert_eq!((&bars[0], &bars[23]), (&json!([977 * 3_600, 1]), &json!([3_600_000, 3])));
        let days = MONTH.bars(now_ms, &[(1_000, 3), (977, 1), (976, 9)]);
        assert_eq!(days[29], json!([977 * 3_600, 4]));
    }

    #[test]
    fn periods_are_read() {
        assert_eq!(Period::parse(Some("")).unwrap(), None);
        assert_eq!(Period::parse(Some("auto")).unwrap().map(|period| period.name), Some("auto"));
        assert!(Period::parse(Some("1y")).is_err());
        assert_eq!(duration_ms("90m").unwrap(), 5_400_000);
        for text in ["", "d", "14", "1.5h", "-1d", "4é"] {
            assert!(duration_ms(text).is_err(), "{text}");
        }
    }
}
