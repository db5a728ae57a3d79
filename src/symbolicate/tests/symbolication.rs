use std::sync::Arc;

use protocol::event::Event;
use protocol::stacktrace::FrameStatus;
use serde_json::{Value, json};

use super::*;
use crate::derive::native::derive;
use crate::native::NativeLookup;

const DEBUG_ID: &str = "00000000-0000-4000-8000-000000000001";

fn event(frames: &Value) -> Event {
    let event = json!({
        "platform": "native",
        "exception": [{"type": "panic", "stacktrace": {"frames": frames}}],
        "debug_meta": {"images": [
            {"type": "elf", "debug_id": DEBUG_ID, "image_addr": "0x10000", "image_size": 65536}]},
    });
    Event::from_json(event.to_string().as_bytes()).unwrap()
}

/// Symbolicates an event whose only image is the named fixture; without a name nothing is there.
fn outcome(frames: &Value, fixture: Option<&str>) -> Outcome {
    let found = fixture.map_or(Found::Missing, |name| {
        let path = format!("{}/../../fixtures/elf/{name}", env!("CARGO_MANIFEST_DIR"));
        let bytes = derive(&std::fs::read(path).unwrap()).unwrap().bytes;
        Found::Native(Arc::new(NativeLookup::open(Arc::new(bytes)).unwrap()))
    });
    let mut symbolication = Symbolication::of_event(event(frames));
    let mut answers = Vec::new();
    loop {
        let wanted = match symbolication.step(answers) {
            Step::Done(outcome) => return *outcome,
            Step::Need(wanted) => wanted,
        };
        let answer = |wanted: Wanted| match wanted {
            Wanted::DebugFile { .. } => (wanted, found.clone()),
            _ => (wanted, Found::Missing),
        };
        answers = wanted.into_iter().map(answer).collect();
    }
}

fn functions(outcome: &Outcome) -> Vec<&str> {
    let trace = outcome.event.exception.values[0].stacktrace.as_ref().unwrap();
    trace.frames.iter().map(|frame| frame.function.as_deref().unwrap_or("?")).collect()
}

#[test]
fn end_of_stack_markers_are_no_frames() {
    let frames = json!([{"instruction_addr": "0x0"}, {"instruction_addr": "0x11065"}]);
    assert_eq!(functions(&outcome(&frames, Some("inlined-dwarf5"))), ["plain"]);
    let alone = json!([{"instruction_addr": "0x0"}]);
    assert_eq!(functions(&outcome(&alone, None)), ["?"]);
    // A call through a null pointer is the newest frame, and says so.
    let jump = json!([{"instruction_addr": "0x11065"}, {"instruction_addr": "0x0"}]);
    assert_eq!(functions(&outcome(&jump, Some("inlined-dwarf5"))), ["plain", "?"]);
}

#[test]
fn what_the_sdk_inlined_is_not_inlined_again() {
    let sent: Vec<Value> = ["outer", "middle", "inner", "leaf"]
        .map(|function| json!({"function": function, "lineno": 1, "instruction_addr": "0x11021"}))
        .to_vec();
    let made = outcome(&json!(sent), Some("inlined-dwarf5"));
    assert_eq!(functions(&made), ["outer", "middle", "inner", "leaf"]);
    assert_eq!(functions(&outcome(&json!(sent), None)), ["outer", "middle", "inner", "leaf"]);
}

#[test]
fn recursion_keeps_its_depth() {
    let frame = json!({"function": "<unknown>", "instruction_addr": "0x11065"});
    let made = outcome(&json!([frame, frame, frame]), Some("inlined-dwarf5"));
    assert_eq!(functions(&made), ["plain", "plain", "plain"]);
}

#[test]
fn a_file_that_gave_no_line_is_still_wanted() {
    let frames = json!([{"instruction_addr": "0x11065"}]);
    let key = format!("debug-id:{DEBUG_ID}");
    let poor = outcome(&frames, Some("symbols-only"));
    let trace = poor.event.exception.values[0].stacktrace.as_ref().unwrap();
    let status = &trace.frames[0].symbolication.as_ref().unwrap().status;
    assert!(matches!(status, FrameStatus::SymbolicatedWithoutLine { .. }), "{status:?}");
    assert!(poor.missing.contains(&key));
    assert!(!outcome(&frames, Some("inlined-dwarf5")).missing.contains(&key));
    assert!(outcome(&frames, None).missing.contains(&key));
}

#[test]
fn the_name_of_a_signal_says_that_the_newest_frame_is_exact() {
    let named =
        |kind: &str| is_crash(&Exception { kind: Some(kind.to_owned()), ..Exception::default() });
    for kind in ["SIGSEGV", "EXC_BAD_ACCESS", "EXCEPTION_ACCESS_VIOLATION"] {
        assert!(named(kind), "{kind}");
    }
    for kind in ["panic", "SignalError", "Exception", "EXCEPTION", "Sigma"] {
        assert!(!named(kind), "{kind}");
    }
}
