//! Which frames take part in grouping, and with what.

use protocol::event::Event;
use protocol::stacktrace::{Frame, Stacktrace};

use super::Part;

/// Most frames of one trace that take part, the newest ones: deep recursion must not hash megabytes.
const FRAMES_MAX: usize = 100;

/// Whether only in-app frames take part, or all because there is no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Selection {
    InApp,
    All,
}

impl Selection {
    /// In-app frames decide as soon as one of them, in any of the traces, has a name.
    pub(super) fn of<'a>(traces: impl Iterator<Item = &'a Stacktrace>) -> Self {
        let is_useful = |frame: &Frame| frame.in_app == Some(true) && value(frame).is_some();
        let mut frames = traces.flat_map(|trace| &trace.frames);
        if frames.any(is_useful) { Self::InApp } else { Self::All }
    }

    /// Returns what the frames of one trace contribute, oldest first.
    pub(super) fn parts(self, trace: &Stacktrace) -> Vec<Part> {
        let first = trace.frames.len().saturating_sub(FRAMES_MAX);
        let frames = trace.frames[first..].iter();
        let chosen = frames.filter(|frame| self == Self::All || frame.in_app == Some(true));
        let mut parts: Vec<Part> = chosen
            .filter_map(|frame| value(frame).map(|value| Part::new("frame", value)))
            .collect();
        // Recursion of another depth is the same error.
        parts.dedup();
        parts
    }
}

/// Returns what the frames of several traces contribute.
pub(super) fn parts(traces: &[&Stacktrace]) -> Vec<Part> {
    let selection = Selection::of(traces.iter().copied());
    traces.iter().flat_map(|trace| selection.parts(trace)).collect()
}

/// Returns the trace that speaks for an event without exceptions: the event's own, else the crashed
/// thread's, else the current one's, else that of the only thread.
pub(super) fn without_exception(event: &Event) -> Vec<&Stacktrace> {
    if let Some(trace) = &event.stacktrace {
        return vec![trace];
    }
    let threads = &event.threads.values;
    let crashed = threads.iter().find(|thread| thread.crashed == Some(true));
    let current = threads.iter().find(|thread| thread.current == Some(true));
    let only = threads.first().filter(|_| threads.len() == 1);
    let thread = crashed.or(current).or(only);
    thread.and_then(|thread| thread.stacktrace.as_ref()).into_iter().collect()
}

/// Returns what one frame contributes: module or file name, and function; `None` where it has no name.
fn value(frame: &Frame) -> Option<String> {
    let function = function(frame);
    let place = place(frame);
    match (place, function) {
        (Some(place), Some(function)) => Some(format!("{place} {function}")),
        (Some(place), None) if !is_native(frame) => Some(place),
        (None, Some(function)) => Some(function.to_owned()),
        _ => None,
    }
}

fn is_native(frame: &Frame) -> bool {
    frame.instruction_addr.is_some()
}

/// The function's name, where it says something that survives the next build.
fn function(frame: &Frame) -> Option<&str> {
    let name = frame.function.as_deref()?.trim();
    let meaningless =
        ["", "?", "<anonymous>", "<unknown>", "<redacted>", "<lambda>", "eval", "anonymous"];
    if meaningless.contains(&name) || is_unresolved_minified(frame) {
        return None;
    }
    Some(name)
}

/// Minified names change with every build, so an unresolved frame contributes none.
fn is_unresolved_minified(frame: &Frame) -> bool {
    frame.symbolication.as_ref().is_some_and(|s| !s.status.is_resolved()) && !is_native(frame)
}

/// The module, else the file's name; URLs say nothing (hashes, hosts).
fn place(frame: &Frame) -> Option<String> {
    if is_unresolved_minified(frame) {
        return None;
    }
    if let Some(module) = frame.module.as_deref().filter(|module| !module.is_empty()) {
        return Some(module.to_owned());
    }
    let is_url = |path: &str| ["http:", "https:", "blob:"].iter().any(|s| path.starts_with(s));
    if frame.abs_path.as_deref().is_some_and(is_url) && !is_source_mapped(frame) {
        return None;
    }
    let path = frame.filename.as_deref().or(frame.abs_path.as_deref())?;
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let is_named = !name.is_empty() && !name.starts_with('<') && name != "[native code]";
    is_named.then(|| name.to_lowercase())
}

fn is_source_mapped(frame: &Frame) -> bool {
    frame.symbolication.as_ref().is_some_and(|symbolication| symbolication.minified.is_some())
}
