//! Addresses as SDKs write them: `"0x7f…"`, a decimal string, or a number.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

/// An address or register value; written as `0x` and lower-case hex without padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Addr(pub u64);

impl Addr {
    /// Reads an address leniently; `None` where the value is none.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number) => number.as_u64().map(Self),
            Value::String(text) => Self::from_text(text.trim()),
            _ => None,
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u64::from_str_radix(hex, 16).ok().map(Self),
            None => text.parse().ok().map(Self),
        }
    }
}

impl fmt::Display for Addr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl Serialize for Addr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn addresses_are_read_in_every_form() {
        for value in [json!("0x10"), json!("0X10"), json!("16"), json!(16)] {
            assert_eq!(Addr::from_value(&value), Some(Addr(16)), "{value}");
        }
        for value in [json!("x"), json!(-1), json!(null), json!("0x1ffffffffffffffff")] {
            assert_eq!(Addr::from_value(&value), None, "{value}");
        }
        assert_eq!(Addr(0x7f00).to_string(), "0x7f00");
    }
}
