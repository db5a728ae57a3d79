//! What an issue is called.

use protocol::event::Event;

use super::culprit;

/// What Sentry calls an event that says nothing about itself.
const UNTITLED: &str = "<unlabeled event>";
/// Longest title in characters.
const TITLE_CHARS_MAX: usize = 256;

/// Type and value as the issue shows them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Title {
    /// One line for lists.
    pub(crate) title: String,
    /// Type of the exception; empty for messages and synthetic exceptions.
    pub(crate) kind: String,
    /// Message, shortened.
    pub(crate) value: String,
}

/// Makes the title of an event: `Type: first line of the value`, else the message's first line.
pub(crate) fn title(event: &Event) -> Title {
    if let Some(exception) = event.exception.values.last() {
        let value = exception.value.as_deref().unwrap_or_default();
        let is_synthetic = exception.is_synthetic();
        let kind = exception.kind.as_deref().filter(|_| !is_synthetic).unwrap_or_default();
        let crash = culprit::crash_frame(event).and_then(|frame| frame.function.clone());
        let title = match (kind, first_line(value)) {
            ("", _) if is_synthetic => crash.unwrap_or_else(|| first_line(value).to_owned()),
            ("", "") => crash.unwrap_or_default(),
            ("", line) => line.to_owned(),
            (kind, "") => kind.to_owned(),
            (kind, line) => format!("{kind}: {line}"),
        };
        return Title { title: named(&title), kind: shorten(kind), value: shorten(value) };
    }
    let text = event.logentry.as_ref().map(|entry| entry.text()).unwrap_or_default();
    Title { title: named(first_line(text)), kind: String::new(), value: shorten(text) }
}

fn first_line(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

/// As [`shorten`]; an empty title is named, so that there is always something to click.
fn named(title: &str) -> String {
    if title.trim().is_empty() { UNTITLED.to_owned() } else { shorten(title) }
}

/// Cuts a text at the limit.
fn shorten(text: &str) -> String {
    match text.char_indices().nth(TITLE_CHARS_MAX - 1) {
        Some((end, _)) if text.chars().count() > TITLE_CHARS_MAX => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[track_caller]
    fn check(event: Value, expected: &str) {
        let event = Event::from_json(event.to_string().as_bytes()).unwrap();
        assert_eq!(title(&event).title, expected);
    }

    #[test]
    fn titles_name_type_and_first_line() {
        check(json!({"exception": [{"type": "A"}, {"type": "B", "value": "one\ntwo"}]}), "B: one");
        check(json!({"exception": [{"value": "only a value"}]}), "only a value");
        check(json!({"message": "hello\nworld"}), "hello");
        check(json!({}), UNTITLED);
        let long = title(
            &Event::from_json(json!({"message": "ä".repeat(300)}).to_string().as_bytes()).unwrap(),
        );
        assert_eq!(long.title.chars().count(), 256);
    }

    #[test]
    fn synthetic_exceptions_are_named_after_the_crash_frame() {
        let frames = json!({"frames": [{"function": "crash_here", "in_app": true}]});
        let mechanism = json!({"type": "minidump", "synthetic": true});
        check(
            json!({"exception": [{"type": "X", "value": "y", "mechanism": mechanism, "stacktrace": frames}]}),
            "crash_here",
        );
    }
}
