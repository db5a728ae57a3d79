//! Bounds what an event keeps: long texts are cut, deep and large bags are flattened.
//!
//! Limits are Relay's. Nothing that a look-up needs is cut: paths are, at
//! 4 KB, far above what any file system allows.

use protocol::event::Event;
use protocol::lenient::{EventError, FIELD_ERRORS_MAX, Object};
use protocol::stacktrace::{Frame, Stacktrace};
use serde_json::Value;

/// Longest message, in characters.
const MESSAGE_CHARS_MAX: usize = 8_192;
/// Longest name of a function, in characters; C++ templates really are that long.
const FUNCTION_CHARS_MAX: usize = 2_048;
/// Longest path, in characters.
const PATH_CHARS_MAX: usize = 4_096;
/// Longest source line, in characters.
const LINE_CHARS_MAX: usize = 1_024;
/// Longest name (logger, transaction, user field), in characters.
const NAME_CHARS_MAX: usize = 512;
/// Most parts of a fingerprint: as many as `grouping` looks at.
const FINGERPRINT_PARTS_MAX: usize = 32;
/// Most names of integrations.
const INTEGRATIONS_MAX: usize = 200;
/// Most source lines on each side of a frame's own.
const CONTEXT_LINES_MAX: usize = 20;
/// Frames beyond this many of one trace lose variables and source lines, the oldest first.
const RICH_FRAMES_MAX: usize = 50;

/// Size and depth of a free-form bag.
#[derive(Clone, Copy)]
struct Bag {
    bytes_max: usize,
    depth_max: usize,
}

const VARS: Bag = Bag { bytes_max: 4 << 10, depth_max: 5 };
const BREADCRUMB: Bag = Bag { bytes_max: 2 << 10, depth_max: 5 };
const CONTEXT: Bag = Bag { bytes_max: 8 << 10, depth_max: 7 };
const EXTRA: Bag = Bag { bytes_max: 256 << 10, depth_max: 7 };
const CONTEXTS: Bag = Bag { bytes_max: 256 << 10, depth_max: 9 };
const MODULES: Bag = Bag { bytes_max: 32 << 10, depth_max: 2 };

/// Cuts what is too long or too deep, and notes it in the event's errors.
pub(super) fn trim(event: &mut Event) {
    let mut cuts = Cuts::default();
    for name in [&mut event.logger, &mut event.transaction, &mut event.server_name] {
        cuts.text(name, NAME_CHARS_MAX, "name");
    }
    if let Some(entry) = &mut event.logentry {
        cuts.text(&mut entry.message, MESSAGE_CHARS_MAX, "logentry");
        cuts.text(&mut entry.formatted, MESSAGE_CHARS_MAX, "logentry");
        cuts.value(&mut entry.params, BREADCRUMB, "logentry.params");
    }
    for exception in &mut event.exception.values {
        cuts.text(&mut exception.value, MESSAGE_CHARS_MAX, "exception.value");
        cuts.text(&mut exception.kind, NAME_CHARS_MAX, "exception.type");
        cuts.trace(&mut exception.stacktrace);
        if let Some(mechanism) = &mut exception.mechanism {
            cuts.bag(&mut mechanism.data, BREADCRUMB, "mechanism.data");
            cuts.bag(&mut mechanism.meta, BREADCRUMB, "mechanism.meta");
        }
    }
    cuts.trace(&mut event.stacktrace);
    event.threads.values.iter_mut().for_each(|thread| cuts.trace(&mut thread.stacktrace));
    for breadcrumb in &mut event.breadcrumbs.values {
        cuts.text(&mut breadcrumb.message, MESSAGE_CHARS_MAX, "breadcrumbs");
        cuts.bag(&mut breadcrumb.data, BREADCRUMB, "breadcrumbs.data");
    }
    event.contexts.values_mut().for_each(|context| cuts.value(context, CONTEXT, "contexts"));
    cuts.bag(&mut event.extra, EXTRA, "extra");
    cuts.bag(&mut event.modules, MODULES, "modules");
    trim_request(event, &mut cuts);
    if let Some(user) = &mut event.user {
        for field in [&mut user.id, &mut user.email, &mut user.username, &mut user.name] {
            cuts.text(field, NAME_CHARS_MAX, "user");
        }
        cuts.bag(&mut user.data, BREADCRUMB, "user.data");
    }
    trim_names(event, &mut cuts);
    event.errors.truncate(FIELD_ERRORS_MAX - 1);
    event.errors.extend(cuts.error());
}

/// Cuts the short texts that no look-up needs and nobody sends long.
fn trim_names(event: &mut Event, cuts: &mut Cuts) {
    for exception in &mut event.exception.values {
        let names = [&mut exception.module, &mut exception.thread_id];
        names.into_iter().for_each(|name| cuts.text(name, NAME_CHARS_MAX, "exception"));
        if let Some(mechanism) = &mut exception.mechanism {
            cuts.string(&mut mechanism.kind, NAME_CHARS_MAX, "mechanism");
            let texts =
                [&mut mechanism.description, &mut mechanism.help_link, &mut mechanism.source];
            texts.into_iter().for_each(|text| cuts.text(text, LINE_CHARS_MAX, "mechanism"));
        }
    }
    for thread in &mut event.threads.values {
        let names = [&mut thread.id, &mut thread.name, &mut thread.state];
        names.into_iter().for_each(|name| cuts.text(name, NAME_CHARS_MAX, "threads"));
    }
    for breadcrumb in &mut event.breadcrumbs.values {
        let names = [&mut breadcrumb.kind, &mut breadcrumb.category];
        names.into_iter().for_each(|name| cuts.text(name, NAME_CHARS_MAX, "breadcrumbs"));
    }
    event.fingerprint.truncate(FINGERPRINT_PARTS_MAX);
    event.fingerprint.iter_mut().for_each(|part| cuts.string(part, LINE_CHARS_MAX, "fingerprint"));
    if let Some(sdk) = &mut event.sdk {
        cuts.text(&mut sdk.name, NAME_CHARS_MAX, "sdk");
        cuts.text(&mut sdk.version, NAME_CHARS_MAX, "sdk");
        sdk.integrations.truncate(INTEGRATIONS_MAX);
        sdk.integrations.iter_mut().for_each(|name| cuts.string(name, NAME_CHARS_MAX, "sdk"));
    }
    if let Some(user) = &mut event.user {
        cuts.bag(&mut user.geo, BREADCRUMB, "user.geo");
    }
    cuts.bag(&mut event.contexts, CONTEXTS, "contexts");
    if let Some(meta) = &mut event.debug_meta {
        cuts.bag(&mut meta.sdk_info, BREADCRUMB, "debug_meta");
        for image in &mut meta.images {
            let paths = [&mut image.code_file, &mut image.debug_file, &mut image.arch];
            paths.into_iter().for_each(|path| cuts.text(path, PATH_CHARS_MAX, "debug_meta"));
        }
    }
}

fn trim_request(event: &mut Event, cuts: &mut Cuts) {
    let Some(request) = &mut event.request else { return };
    cuts.text(&mut request.url, PATH_CHARS_MAX, "request.url");
    cuts.value(&mut request.data, CONTEXT, "request.data");
    cuts.bag(&mut request.env, CONTEXT, "request.env");
    for pairs in [&mut request.headers, &mut request.cookies, &mut request.query_string] {
        pairs.truncate(RICH_FRAMES_MAX * 4);
        pairs.iter_mut().for_each(|(_, value)| cuts.string(value, LINE_CHARS_MAX * 2, "request"));
    }
}

/// Cuts texts and remembers which fields it cut.
#[derive(Default)]
struct Cuts {
    fields: Vec<&'static str>,
}

impl Cuts {
    fn text(&mut self, text: &mut Option<String>, chars_max: usize, field: &'static str) {
        if let Some(text) = text {
            self.string(text, chars_max, field);
        }
    }

    fn string(&mut self, text: &mut String, chars_max: usize, field: &'static str) {
        // Bytes bound characters, so most texts are decided without counting.
        if text.len() <= chars_max {
            return;
        }
        let Some((end, _)) = text.char_indices().nth(chars_max - 3) else { return };
        if text.chars().count() > chars_max {
            text.truncate(end);
            text.push_str("...");
            self.note(field);
        }
    }

    fn note(&mut self, field: &'static str) {
        if !self.fields.contains(&field) {
            self.fields.push(field);
        }
    }

    fn trace(&mut self, trace: &mut Option<Stacktrace>) {
        let Some(trace) = trace else { return };
        let poor = trace.frames.len().saturating_sub(RICH_FRAMES_MAX);
        for frame in &mut trace.frames[..poor] {
            frame.vars.clear();
            frame.pre_context.clear();
            frame.post_context.clear();
        }
        trace.frames.iter_mut().for_each(|frame| self.frame(frame));
        self.bag(&mut trace.registers, CONTEXT, "registers");
    }

    fn frame(&mut self, frame: &mut Frame) {
        for name in [&mut frame.function, &mut frame.raw_function, &mut frame.symbol] {
            self.text(name, FUNCTION_CHARS_MAX, "frame.function");
        }
        for path in
            [&mut frame.filename, &mut frame.abs_path, &mut frame.package, &mut frame.module]
        {
            self.text(path, PATH_CHARS_MAX, "frame.path");
        }
        // The nearest lines: before it they are the last ones.
        frame.pre_context.drain(..frame.pre_context.len().saturating_sub(CONTEXT_LINES_MAX));
        frame.post_context.truncate(CONTEXT_LINES_MAX);
        self.text(&mut frame.context_line, LINE_CHARS_MAX, "frame.context");
        for line in frame.pre_context.iter_mut().chain(&mut frame.post_context) {
            self.string(line, LINE_CHARS_MAX, "frame.context");
        }
        self.bag(&mut frame.vars, VARS, "frame.vars");
        self.bag(&mut frame.data, VARS, "frame.data");
    }

    fn value(&mut self, value: &mut Value, bag: Bag, field: &'static str) {
        let mut left = bag.bytes_max;
        if !fit(value, &mut left, bag.depth_max) {
            self.note(field);
        }
    }

    fn bag(&mut self, object: &mut Object, bag: Bag, field: &'static str) {
        if object.is_empty() {
            return;
        }
        let mut left = bag.bytes_max;
        if !fit_object(object, &mut left, bag.depth_max) {
            self.note(field);
        }
    }

    fn error(self) -> Option<EventError> {
        let name = self.fields.join(", ");
        (!name.is_empty()).then(|| EventError::new("value_too_long", &name, None))
    }
}

/// Makes a value fit into what is left; says no where it had to cut.
fn fit(value: &mut Value, left: &mut usize, depth: usize) -> bool {
    match value {
        Value::String(text) => {
            if text.len() <= *left {
                *left -= text.len();
                return true;
            }
            text.truncate(text.floor_char_boundary(*left));
            text.push_str("...");
            *left = 0;
            false
        }
        Value::Array(_) | Value::Object(_) if depth == 0 => {
            // What lies too deep is kept as text.
            *value = Value::String(value.to_string());
            fit(value, left, depth)
        }
        Value::Array(values) => {
            let mut fits = true;
            values.retain_mut(|value| {
                let keep = *left > 0;
                fits &= keep && fit(value, left, depth - 1);
                keep
            });
            fits
        }
        Value::Object(object) => fit_object(object, left, depth - 1),
        _ => {
            *left = left.saturating_sub(8);
            true
        }
    }
}

fn fit_object(object: &mut Object, left: &mut usize, depth: usize) -> bool {
    let mut fits = true;
    object.retain(|key, value| {
        let keep = *left > 0;
        *left = left.saturating_sub(key.len());
        fits &= keep && fit(value, left, depth);
        keep
    });
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_texts_are_cut_and_named() {
        let event =
            json!({"message": "ä".repeat(9_000), "extra": {"a": "x".repeat(300_000), "b": 1}});
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        trim(&mut event);
        assert_eq!(event.logentry.unwrap().text().chars().count(), MESSAGE_CHARS_MAX);
        assert!(serde_json::to_string(&event.extra).unwrap().len() < 262_400);
        assert_eq!(event.errors[0].name, "logentry, extra");
    }

    #[test]
    fn no_field_is_as_large_as_the_event_may_be() {
        let long = "x".repeat(500_000);
        let event = json!({
            "exception": [{"type": "E", "module": long, "mechanism": {"type": long, "description": long}}],
            "threads": [{"id": 1, "name": long, "state": long}],
            "breadcrumbs": [{"category": long, "type": long}],
            "sdk": {"name": long, "version": long, "integrations": [long, long]},
            "fingerprint": vec![long.clone(); 50],
            "user": {"id": 1, "geo": {"city": long}},
        });
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        trim(&mut event);
        assert!(serde_json::to_vec(&event).unwrap().len() < 64 << 10);
    }

    #[test]
    fn deep_bags_become_text() {
        let mut value = json!({"a": {"b": {"c": {"d": 1}}}});
        assert!(fit(&mut value, &mut 1_000, 3));
        assert_eq!(value, json!({"a": {"b": {"c": "{\"d\":1}"}}}));
    }
}
