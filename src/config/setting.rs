//! What a setting can be: text that is parsed, and shown again as TOML.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Units of durations, largest first, in milliseconds.
const DURATION_UNITS: &[(&str, u64)] =
    &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A type of settings.
pub(crate) trait Setting: Sized {
    /// Reads the value.
    ///
    /// # Errors
    /// What was expected, as the end of "… is `x`, expected ".
    fn parse(text: &str) -> Result<Self, String>;

    /// Returns the value as TOML writes it.
    fn literal(&self) -> String;
}

/// Returns a text in TOML's quotes, whose escapes are JSON's.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

impl Setting for String {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(text.to_owned())
    }

    fn literal(&self) -> String {
        quoted(self)
    }
}

impl Setting for PathBuf {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(Self::from(text))
    }

    fn literal(&self) -> String {
        quoted(&self.display().to_string())
    }
}

impl Setting for SocketAddr {
    fn parse(text: &str) -> Result<Self, String> {
        let text = text
            .strip_prefix("localhost:")
            .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse()
            .map_err(|_| "an address with port such as 127.0.0.1:8000 or [::]:8000".to_owned())
    }

    fn literal(&self) -> String {
        quoted(&self.to_string())
    }
}

macro_rules! number {
    ($($type:ty)+) => {$(
        impl Setting for $type {
            fn parse(text: &str) -> Result<Self, String> {
                text.replace('_', "").parse().map_err(|_| format!("a whole number from 0 to {}", <$type>::MAX))
            }

            fn literal(&self) -> String {
                self.to_string()
            }
        }
    )+};
}
number!(u32 usize);

impl Setting for Duration {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "a duration such as 500ms, 10s, 5m, 1h or 7d".to_owned();
        let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(expected)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| expected())?;
        let (_, unit_ms) =
            DURATION_UNITS.iter().find(|(name, _)| *name == unit.trim()).ok_or_else(expected)?;
        number.checked_mul(*unit_ms).map(Self::from_millis).ok_or_else(expected)
    }

    fn literal(&self) -> String {
        let ms = u64::try_from(self.as_millis()).unwrap_or(u64::MAX);
        let unit = DURATION_UNITS.iter().find(|(_, unit_ms)| ms >= *unit_ms && ms % unit_ms == 0);
        let (name, unit_ms) = unit.unwrap_or(&("ms", 1));
        quoted(&format!("{}{name}", ms / unit_ms))
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(T::parse).collect()
    }

    fn literal(&self) -> String {
        let literals: Vec<String> = self.iter().map(Setting::literal).collect();
        format!("[{}]", literals.join(", "))
    }
}

/// Makes an enum a setting: its variants by name.
macro_rules! choice {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $crate::config::setting::Setting for $type {
            fn parse(text: &str) -> Result<Self, String> {
                match text {
                    $($name => Ok(Self::$variant),)+
                    _ => Err(["one of", $($name),+].join(" ")),
                }
            }

            fn literal(&self) -> String {
                let name = match self { $(Self::$variant => $name),+ };
                $crate::config::setting::quoted(name)
            }
        }
    };
}
pub(super) use choice;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let seconds = Duration::from_secs;
        assert_eq!(Duration::parse("10s"), Ok(seconds(10)));
        assert_eq!(Duration::parse("500 ms"), Ok(Duration::from_millis(500)));
        assert_eq!(Duration::parse("7d"), Ok(seconds(604_800)));
        for bad in ["10", "s", "-1s", "1.5s", "10 parsecs", "99999999999999999999s"] {
            assert!(Duration::parse(bad).unwrap_err().contains("a duration such as"), "{bad}");
        }
        assert_eq!(seconds(90).literal(), "\"90s\"");
        assert_eq!(seconds(120).literal(), "\"2m\"");
        assert_eq!(Duration::ZERO.literal(), "\"0ms\"");
    }

    #[test]
    fn addresses_need_a_port() {
        assert!(SocketAddr::parse("127.0.0.1").is_err());
        assert_eq!(SocketAddr::parse("localhost:80").unwrap().to_string(), "127.0.0.1:80");
    }

    #[test]
    fn lists_are_separated_by_commas() {
        assert_eq!(Vec::<u32>::parse("1, 2,3,"), Ok(vec![1, 2, 3]));
        assert_eq!(vec![1_u32, 2].literal(), "[1, 2]");
    }
}
