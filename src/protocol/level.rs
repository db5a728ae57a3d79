//! How bad an event is.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Severity of an event or breadcrumb.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// For developers.
    Debug,
    /// Something happened.
    Info,
    /// Something looks wrong.
    Warning,
    /// Something went wrong.
    #[default]
    Error,
    /// The program ended.
    Fatal,
}

impl Level {
    /// Reads a level leniently: names, their aliases, and Python's numbers.
    pub fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::from_text(text),
            Value::Number(number) => Some(match number.as_u64()? {
                10 => Self::Debug,
                20 => Self::Info,
                30 => Self::Warning,
                40 => Self::Error,
                50 => Self::Fatal,
                _ => return None,
            }),
            _ => None,
        }
    }

    /// Reads a level by name.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "debug" => Self::Debug,
            "info" | "log" => Self::Info,
            "warning" | "warn" => Self::Warning,
            "error" => Self::Error,
            "fatal" | "critical" => Self::Fatal,
            _ => return None,
        })
    }

    /// Returns the name as it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
