//! Free-form values of an event, as text.

use serde_json::Value;

/// Longest value that is shown, in characters; the JSON link has the rest.
const VALUE_CHARS_MAX: usize = 4_000;
/// Up to this many characters an object or list stays on one line.
const INLINE_CHARS_MAX: usize = 72;

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) value: String,
    /// Whether the value has lines of its own.
    pub(crate) is_block: bool,
}

impl Row {
    pub(crate) fn new(key: impl Into<String>, value: &Value) -> Self {
        let value = shown(value);
        Self { key: key.into(), is_block: value.contains('\n'), value }
    }

    pub(crate) fn text(key: impl Into<String>, value: impl Into<String>) -> Self {
        let value = cut(value.into());
        Self { key: key.into(), is_block: value.contains('\n'), value }
    }
}

/// Writes a value for people: texts bare, short objects on one line, long ones indented.
pub(crate) fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => {
            let short = value.to_string();
            if short.chars().count() <= INLINE_CHARS_MAX {
                short
            } else {
                serde_json::to_string_pretty(value).unwrap_or(short)
            }
        }
        other => other.to_string(),
    };
    cut(text)
}

fn cut(text: String) -> String {
    let length = text.chars().count();
    if length <= VALUE_CHARS_MAX {
        return text;
    }
    let kept: String = text.chars().take(VALUE_CHARS_MAX).collect();
    format!("{kept}\n… {} more characters", length - VALUE_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_short_where_they_can_be() {
        assert_eq!(shown(&json!("a")), "a");
        assert_eq!(shown(&json!(null)), "null");
        assert_eq!(shown(&json!({"a": [1, 2]})), r#"{"a":[1,2]}"#);
        assert!(shown(&json!({"a": "x".repeat(80)})).starts_with("{\n"));
        assert!(shown(&json!("x".repeat(9_000))).ends_with("\n… 5000 more characters"));
    }
}
