//! Which issue an event belongs to, and why: pure functions from an event to a fingerprint.
//!
//! Order of evidence: the SDK's `fingerprint`; else the in-app frames of the exceptions (function and
//! module or file name; never lines or addresses, which change with each build); else type and
//! parameterized message. Sentry's rule language and its variants are deliberately not here.

pub(crate) mod culprit;
pub(crate) mod frames;
pub(crate) mod parameterize;
pub(crate) mod title;

use protocol::event::Event;
use sha2::{Digest, Sha256};

/// Version of the algorithm, kept beside each hash: a change of this module that changes hashes raises it.
pub(crate) const VERSION: i64 = 1;

/// Most parts of one fingerprint that the SDK may set.
const FINGERPRINT_PARTS_MAX: usize = 32;

/// What identifies an issue within its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupHash(pub(crate) [u8; 16]);

/// A fingerprint with the reason for each of its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// The hash over all parts.
    pub(crate) hash: GroupHash,
    /// What was hashed, in order.
    pub(crate) parts: Vec<Part>,
}

/// One value that went into a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// Where it comes from, for people: `fingerprint`, `exception type`, `frame`, `message`…
    pub(crate) source: &'static str,
    /// The value.
    pub(crate) value: String,
}

impl Part {
    fn new(source: &'static str, value: impl Into<String>) -> Self {
        Self { source, value: value.into() }
    }
}

/// Computes the fingerprint of a symbolicated event.
pub(crate) fn fingerprint(event: &Event) -> Fingerprint {
    let mut parts = Vec::new();
    if event.fingerprint.is_empty() {
        parts = default_parts(event);
    }
    for value in event.fingerprint.iter().take(FINGERPRINT_PARTS_MAX) {
        if is_default(value) {
            parts.extend(default_parts(event));
        } else {
            parts.push(Part::new("fingerprint", resolve_variable(value, event)));
        }
    }
    Fingerprint { hash: hash(&parts), parts }
}

/// Says whether a part stands for the server's own grouping: `{{ default }}`, spaces optional.
fn is_default(value: &str) -> bool {
    variable(value) == Some("default")
}

fn variable(value: &str) -> Option<&str> {
    Some(value.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim())
}

/// Resolves Sentry's variables that SDKs may put into a fingerprint.
fn resolve_variable(value: &str, event: &Event) -> String {
    let Some(name) = variable(value) else { return value.to_owned() };
    let exception = event.exception.values.last();
    let frame = || culprit::crash_frame(event);
    let resolved = match name {
        "transaction" => event.transaction.clone(),
        "message" => event.logentry.as_ref().map(|entry| entry.text().to_owned()),
        "error.type" | "type" => exception.and_then(|exception| exception.kind.clone()),
        "error.value" | "value" => exception.and_then(|exception| exception.value.clone()),
        "stack.function" | "function" => frame().and_then(|frame| frame.function.clone()),
        "stack.module" | "module" => frame().and_then(|frame| frame.module.clone()),
        "stack.abs_path" | "path" => frame().and_then(|frame| frame.abs_path.clone()),
        "stack.filename" => frame().and_then(|frame| frame.filename.clone()),
        "level" => event.level.map(|level| level.to_string()),
        "logger" => event.logger.clone(),
        name => name.strip_prefix("tags.").and_then(|tag| event.tag(tag)).map(str::to_owned),
    };
    resolved.unwrap_or_else(|| format!("<no-{name}>"))
}

/// The server's own grouping.
fn default_parts(event: &Event) -> Vec<Part> {
    let parts = exception_parts(event);
    if !parts.is_empty() {
        return parts;
    }
    let traces = frames::without_exception(event);
    let parts = frames::parts(&traces);
    if !parts.is_empty() {
        return parts;
    }
    if let Some(entry) = &event.logentry {
        // The template groups better than the formatted text, where the SDK sends one.
        let text = entry.message.as_deref().unwrap_or_else(|| entry.text());
        return vec![Part::new("message", parameterize::parameterize(text))];
    }
    vec![Part::new("nothing to group by", event.kind.clone().unwrap_or_default())]
}

fn exception_parts(event: &Event) -> Vec<Part> {
    let exceptions = &event.exception.values;
    let traces: Vec<_> = exceptions.iter().map(|exception| exception.stacktrace.as_ref()).collect();
    let selection = frames::Selection::of(traces.iter().flatten().copied());
    let mut parts = Vec::new();
    let mut has_frames = false;
    for (exception, trace) in exceptions.iter().zip(&traces) {
        let frames = trace.map(|trace| selection.parts(trace)).unwrap_or_default();
        if let Some(kind) = exception.kind.as_ref().filter(|_| !exception.is_synthetic()) {
            parts.push(Part::new("exception type", kind.clone()));
        }
        if frames.is_empty()
            && let Some(value) = &exception.value
        {
            parts.push(Part::new("exception value", parameterize::parameterize(value)));
        }
        has_frames |= !frames.is_empty();
        parts.extend(frames);
    }
    if has_frames {
        // An exception without a trace of its own in a chain that has one: its message says little.
        parts.retain(|part| part.source != "exception value");
    }
    parts
}

fn hash(parts: &[Part]) -> GroupHash {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.value.len() as u64).to_le_bytes());
        sha.update(part.value.as_bytes());
    }
    let mut hash = [0; 16];
    hash.copy_from_slice(&sha.finalize()[..16]);
    GroupHash(hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn parts(event: Value) -> Vec<String> {
        let event = Event::from_json(event.to_string().as_bytes()).unwrap();
        fingerprint(&event).parts.into_iter().map(|part| part.value).collect()
    }

    fn trace() -> Value {
        json!({"frames": [
            {"function": "main", "filename": "/srv/App.py", "in_app": true, "lineno": 3},
            {"function": "call", "module": "library.core", "in_app": false},
            {"function": "load", "module": "shop.cart", "filename": "cart.py", "in_app": true},
            {"function": "load", "module": "shop.cart", "filename": "cart.py", "in_app": true},
        ]})
    }

    #[test]
    fn in_app_frames_group_without_lines_and_recursion() {
        let event =
            json!({"exception": [{"type": "KeyError", "value": "'x'", "stacktrace": trace()}]});
        assert_eq!(parts(event), ["KeyError", "app.py main", "shop.cart load"]);
    }

    #[test]
    fn without_in_app_frames_all_frames_group() {
        let frames = json!({"frames": [{"function": "a", "in_app": false}, {"function": "b"}]});
        assert_eq!(
            parts(json!({"exception": {"type": "E", "stacktrace": frames}})),
            ["E", "a", "b"]
        );
    }

    #[test]
    fn frames_without_names_leave_type_and_message() {
        let frames = json!({"frames": [{"instruction_addr": "0x1234", "in_app": true}]});
        let event =
            json!({"exception": [{"type": "panic", "value": "row 17", "stacktrace": frames}]});
        assert_eq!(parts(event), ["panic", "row <int>"]);
    }

    #[test]
    fn the_template_groups_messages() {
        assert_eq!(
            parts(json!({"logentry": {"message": "user %s", "formatted": "user 5"}})),
            ["user %s"]
        );
        assert_eq!(parts(json!({"message": "user 5 left"})), ["user <int> left"]);
    }

    #[test]
    fn the_sdk_can_replace_and_extend_the_default() {
        let exception = json!([{"type": "E", "value": "v"}]);
        let fixed = json!({"fingerprint": ["a", "{{ type }}"], "exception": exception});
        assert_eq!(parts(fixed), ["a", "E"]);
        let mixed = json!({"fingerprint": ["{{default}}", "{{ tags.x }}"], "exception": exception});
        assert_eq!(parts(mixed), ["E", "v", "<no-tags.x>"]);
    }

    #[test]
    fn synthetic_types_do_not_group() {
        let trace = json!({"frames": [{"function": "f", "in_app": true}]});
        let mechanism = json!({"type": "minidump", "synthetic": true});
        let event = json!({"exception": [{"type": "SIGSEGV /0x4", "mechanism": mechanism, "stacktrace": trace}]});
        assert_eq!(parts(event), ["f"]);
    }
}
