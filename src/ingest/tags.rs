//! Tags: what SDKs send, cleaned, with the fields that are tags by another name.

use std::collections::HashSet;

use protocol::event::Event;
use protocol::lenient::EventError;

/// Longest key and longest value, in characters (Relay's limit).
const CHARS_MAX: usize = 200;

/// Keys that are fields of the event and would shadow them.
const RESERVED: &[&str] = &["release", "dist", "user", "filename", "function"];

/// Cleans the tags of an event: keys of `a-zA-Z0-9_.:-`, unique, first wins.
pub(super) fn normalize(event: &mut Event) {
    let sent = std::mem::take(&mut event.tags);
    let mut seen = HashSet::new();
    for (key, value) in sent {
        let key = key.trim().replace(' ', "-");
        let value = value.trim().to_owned();
        if key == "environment" {
            event.environment = event.environment.take().or(Some(value));
            continue;
        }
        if RESERVED.contains(&key.as_str()) {
            continue;
        }
        if !is_key(&key) || !is_value(&value) {
            event.errors.push(EventError::new(
                "invalid_data",
                "tags",
                Some(key.chars().take(100).collect()),
            ));
        } else if seen.insert(key.clone()) {
            event.tags.push((key, value));
        }
    }
    // The host stays in its field as well; search and the tag list speak of the tag.
    if let Some(name) = event.server_name.clone().filter(|name| is_value(name))
        && seen.insert("server_name".to_owned())
    {
        event.tags.push(("server_name".to_owned(), name));
    }
}

/// Returns the tags that issues count: those of the event and those that its fields stand for.
pub(crate) fn counted(event: &Event) -> Vec<(String, String)> {
    let mut tags = event.tags.clone();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| is_value(value))
            && !tags.iter().any(|(name, _)| name == key)
        {
            tags.push((key.to_owned(), value));
        }
    };
    add("level", event.level.map(|level| level.to_string()));
    add("environment", event.environment.clone());
    add("release", event.release.clone());
    add("dist", event.dist.clone());
    add("transaction", event.transaction.clone());
    add("logger", event.logger.clone());
    let context = |name: &str, fields: &[&str]| {
        let context = event.contexts.get(name)?;
        let parts: Vec<&str> =
            fields.iter().filter_map(|field| context.get(field)?.as_str()).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    for name in ["os", "browser", "runtime"] {
        add(name, context(name, &["name", "version"]));
    }
    let mechanism =
        event.exception.values.last().and_then(|exception| exception.mechanism.as_ref());
    add("mechanism", mechanism.map(|mechanism| mechanism.kind.clone()));
    let handled = mechanism.and_then(|mechanism| mechanism.handled);
    add("handled", handled.map(|handled| if handled { "yes" } else { "no" }.to_owned()));
    tags
}

fn is_key(key: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    !key.is_empty() && key.len() <= CHARS_MAX && key.bytes().all(is_allowed)
}

fn is_value(value: &str) -> bool {
    !value.is_empty() && value.chars().count() <= CHARS_MAX && !value.contains(['\n', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn tags_are_cleaned_and_unique() {
        let event = json!({
            "server_name": "web-1",
            "tags": [["a b", " x "], ["a-b", "second"], ["bad key!", "v"], ["empty", ""], ["release", "r"]],
        });
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        normalize(&mut event);
        let tags: Vec<_> = event.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(tags, ["a-b=x", "server_name=web-1"]);
        assert_eq!(event.errors.len(), 2);
    }

    #[test]
    fn fields_count_as_tags() {
        let event =
            json!({"contexts": {"os": {"name": "Linux", "version": "6.1"}}, "environment": "prod"});
        let event = Event::from_json(event.to_string().as_bytes()).unwrap();
        let tags = counted(&event);
        assert!(tags.contains(&("os".to_owned(), "Linux 6.1".to_owned())), "{tags:?}");
        assert!(tags.contains(&("environment".to_owned(), "prod".to_owned())));
    }
}
