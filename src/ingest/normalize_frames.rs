//! Makes stack traces consistent: one place for each trace, paths in both fields, nothing of ours in them.

use protocol::addr::Addr;
use protocol::event::Event;
use protocol::stacktrace::{Frame, Stacktrace};

/// Most frames of all traces of one event together; threads beyond lose their traces.
const FRAMES_MAX: usize = 10_000;

/// Normalizes every trace of an event.
pub(super) fn normalize(event: &mut Event) {
    event.raw_stacktrace = None;
    if let [exception] = event.exception.values.as_mut_slice()
        && exception.stacktrace.is_none()
    {
        // Old SDKs send the trace of the only exception beside it.
        exception.stacktrace = event.stacktrace.take();
    }
    let mut frames_left = FRAMES_MAX;
    for exception in &mut event.exception.values {
        exception.raw_stacktrace = None;
        bounded(&mut exception.stacktrace, &mut frames_left);
    }
    bounded(&mut event.stacktrace, &mut frames_left);
    for thread in &mut event.threads.values {
        thread.raw_stacktrace = None;
        bounded(&mut thread.stacktrace, &mut frames_left);
    }
    if let Some(meta) = &mut event.debug_meta {
        for image in &mut meta.images {
            // Ours, like `symbolication` below: no client may claim what a look-up found.
            image.debug_status = None;
            image.features.clear();
        }
    }
}

fn bounded(trace: &mut Option<Stacktrace>, frames_left: &mut usize) {
    let Some(frames) = trace.as_mut().map(|trace| &mut trace.frames) else { return };
    if frames.len() > *frames_left {
        *trace = None;
        return;
    }
    *frames_left -= frames.len();
    drop_end_mark(frames);
    frames.iter_mut().for_each(frame);
}

/// Unwinders that find no caller any more note the address 0 (the Rust SDK sends it, as the oldest frame of
/// every panic). It is no call, and nothing could ever resolve it.
fn drop_end_mark(frames: &mut Vec<Frame>) {
    let is_mark = |frame: &Frame| {
        let function = frame.function.as_deref().unwrap_or("<unknown>");
        frame.instruction_addr == Some(Addr(0)) && function == "<unknown>"
    };
    if frames.len() > 1 && frames.first().is_some_and(is_mark) {
        frames.remove(0);
    }
}

fn frame(frame: &mut Frame) {
    frame.symbolication = None;
    if frame.function.as_deref().is_some_and(|name| name.is_empty() || name == "?") {
        frame.function = None;
    }
    if frame.abs_path.as_deref().is_none_or(str::is_empty) {
        frame.abs_path = frame.filename.clone();
    }
    if frame.filename.as_deref().is_none_or(str::is_empty) {
        frame.filename = frame.abs_path.as_deref().map(|path| url_path(path).to_owned());
    }
    if frame.context_line.is_none() {
        frame.pre_context.clear();
        frame.post_context.clear();
    }
}

/// Returns the path of a URL, where it has one; anything else stays as it is.
fn url_path(path: &str) -> &str {
    let rest =
        ["http://", "https://", "file://"].iter().find_map(|scheme| path.strip_prefix(scheme));
    let Some(start) =
        rest.and_then(|rest| rest.find('/').map(|slash| path.len() - rest.len() + slash))
    else {
        return path;
    };
    if path.len() > start + 1 { &path[start..] } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn frames(frame: serde_json::Value) -> Frame {
        let event = json!({"exception": [{"type": "E", "stacktrace": {"frames": [frame]}}]});
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        normalize(&mut event);
        event.exception.values.remove(0).stacktrace.unwrap().frames.remove(0)
    }

    #[test]
    fn paths_fill_each_other() {
        assert_eq!(frames(json!({"filename": "/a.js"})).abs_path.as_deref(), Some("/a.js"));
        let url = frames(json!({"abs_path": "https://h/x/a.js", "function": "?"}));
        assert_eq!((url.filename.as_deref(), url.function), (Some("/x/a.js"), None));
    }

    #[test]
    fn the_mark_at_the_end_of_the_stack_is_no_frame() {
        let null = json!({"instruction_addr": "0x0", "function": "<unknown>"});
        let real = json!({"instruction_addr": "0x1000"});
        let count = |frames: &[&serde_json::Value]| {
            let event = json!({"exception": [{"type": "E", "stacktrace": {"frames": frames}}]});
            let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
            normalize(&mut event);
            event.stacktraces().map(|trace| trace.frames.len()).sum::<usize>()
        };
        assert_eq!(count(&[&null, &real]), 1);
        // A call of address 0 is a crash that people want to see.
        assert_eq!(count(&[&real, &null]), 2);
        assert_eq!(count(&[&null]), 1);
    }

    #[test]
    fn a_client_cannot_claim_to_be_symbolicated() {
        let claimed = json!({"function": "f", "symbolication": {"status": "symbolicated", "original_index": 0}});
        assert_eq!(frames(claimed).symbolication, None);
    }

    #[test]
    fn the_trace_beside_a_single_exception_is_its_trace() {
        let event =
            json!({"exception": [{"type": "E"}], "stacktrace": {"frames": [{"function": "f"}]}});
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        normalize(&mut event);
        assert!(event.stacktrace.is_none() && event.exception.values[0].stacktrace.is_some());
    }
}
