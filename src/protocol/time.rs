//! Points in time, as SDKs write them and as we keep them.

use std::fmt;

use jiff::fmt::temporal::DateTimeParser;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// Milliseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

/// Latest time we read: the end of the year 9999, in milliseconds.
const MS_MAX: i64 = 253_402_300_799_999;

impl Timestamp {
    /// Returns the milliseconds since 1970.
    pub fn ms(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 (with or without zone, then UTC) or a number of seconds since 1970.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_f64().and_then(Self::from_seconds),
            Value::String(text) => Self::from_text(text.trim()),
            _ => None,
        }
    }

    /// Reads RFC 3339, or seconds as text.
    pub fn from_text(text: &str) -> Option<Self> {
        static PARSER: DateTimeParser = DateTimeParser::new();
        if let Ok(timestamp) = PARSER.parse_timestamp(text) {
            return Self::from_ms(timestamp.as_millisecond());
        }
        if let Ok(datetime) = PARSER.parse_datetime(text) {
            let zoned = datetime.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            return Self::from_ms(zoned.timestamp().as_millisecond());
        }
        text.parse().ok().and_then(Self::from_seconds)
    }

    fn from_seconds(seconds: f64) -> Option<Self> {
        // Casting saturates, so infinities and NaN end outside the range or at zero.
        if seconds.is_finite() { Self::from_ms((seconds * 1000.0).round() as i64) } else { None }
    }

    /// Returns the time `ms` milliseconds after 1970, where it lies between 1970 and 9999.
    pub fn from_ms(ms: i64) -> Option<Self> {
        (0..=MS_MAX).contains(&ms).then_some(Self(ms))
    }
}

/// Writes RFC 3339 in UTC with milliseconds, as the REST API and `event.timestamp` show it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp:.3}"),
            Err(_) => f.write_str("1970-01-01T00:00:00.000Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_read_in_every_form() {
        let expected = Some(Timestamp(1_795_226_127_147));
        for value in [
            json!("2026-11-21T01:55:27.147029Z"),
            json!("2026-11-21T01:55:27.147"),
            json!("2026-11-21 01:55:27.147"),
            json!("2026-11-21T02:55:27.147+01:00"),
            json!(1_795_226_127.147),
            json!("1795226127.147"),
        ] {
            assert_eq!(Timestamp::from_value(&value), expected, "{value}");
        }
        assert_eq!(Timestamp(1_795_226_127_147).to_string(), "2026-11-21T01:55:27.147Z");
    }

    #[test]
    fn nonsense_is_no_time() {
        for value in [json!("soon"), json!(-5), json!(1e300), json!(null), json!("2026-13-01")] {
            assert_eq!(Timestamp::from_value(&value), None, "{value}");
        }
    }
}
