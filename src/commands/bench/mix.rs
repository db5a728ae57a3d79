//! Envelopes whose frames are symbolicated: made here, over the demo's files, which are uploaded first.

use std::sync::Arc;

use serde_json::{Value, json};
use symbolicate::bundle::{ArtifactBundle, FileKind};
use symbolicate::derive;
use symbolicate::js::{JsAnswer, JsLookup};
use symbolicate::native::{Lookup, NativeLookup};

use crate::commands::demo_files::{ARTIFACT_BUNDLE, CRASH, DEBUG_FILE, PAGE_ERROR};
use crate::error::{Error, Result};

/// Different stacks, and with them issues.
const STACKS: usize = 16;
/// Frames of each.
const FRAMES: usize = 20;
/// Where the native image is loaded.
const IMAGE_ADDR: u64 = 0x5555_5555_0000;

/// What the events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Mix {
    /// As SDKs sent them; nothing is uploaded.
    Recorded,
    /// 20 native frames each, warm.
    Native,
    /// 20 JavaScript frames each, warm.
    Javascript,
}

/// Returns the envelopes of a mix; none for the recorded ones.
pub(super) fn envelopes(mix: Mix) -> Result<Vec<Vec<u8>>> {
    let events = match mix {
        Mix::Recorded => return Ok(Vec::new()),
        Mix::Native => native_events(STACKS, FRAMES)?,
        Mix::Javascript => script_events(STACKS, FRAMES)?,
    };
    Ok(events.iter().map(envelope).collect())
}

fn envelope(event: &Value) -> Vec<u8> {
    let event = event.to_string();
    format!("{{}}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n", event.len()).into_bytes()
}

/// Returns the payload of a recorded envelope of one event.
fn recorded(envelope: &[u8]) -> Result<Value> {
    let payload = envelope.split(|byte| *byte == b'\n').nth(2).unwrap_or_default();
    Ok(serde_json::from_slice(payload)?)
}

/// Returns the look-up file of the demo's native program.
pub(super) fn native_lookup() -> Result<(NativeLookup, Vec<u8>)> {
    let derived = derive::native::derive(DEBUG_FILE).map_err(Error::caused_by)?;
    let lookup = NativeLookup::open(Arc::new(derived.bytes.clone())).map_err(Error::caused_by)?;
    Ok((lookup, derived.bytes))
}

/// Returns events like the demo's crash, with as many frames that all have an answer.
pub(super) fn native_events(stacks: usize, frames: usize) -> Result<Vec<Value>> {
    let (lookup, _) = native_lookup()?;
    let mut state = 7;
    let offsets = std::iter::repeat_with(|| super::lookup::next(&mut state) % (1 << 20));
    let mut offsets = offsets.filter(|offset| matches!(lookup.lookup(*offset), Lookup::Frames(_)));
    let template = recorded(CRASH)?;
    let mut events = Vec::new();
    for _ in 0..stacks {
        let frame =
            |offset: u64| json!({"instruction_addr": format!("{:#x}", IMAGE_ADDR + offset)});
        let frames: Vec<Value> = offsets.by_ref().take(frames).map(frame).collect();
        let mut event = template.clone();
        event["exception"]["values"][0]["stacktrace"]["frames"] = Value::Array(frames);
        event["debug_meta"]["images"][0]["image_addr"] = json!(format!("{IMAGE_ADDR:#x}"));
        events.push(event);
    }
    Ok(events)
}

fn script_events(stacks: usize, frames: usize) -> Result<Vec<Value>> {
    let bundle = ArtifactBundle::open(ARTIFACT_BUNDLE).map_err(Error::caused_by)?;
    let read = |kind: FileKind| {
        let file = bundle.listing().files.iter().find(|file| file.kind == kind);
        let file = file.ok_or_else(|| Error::internal("the demo's bundle is incomplete"))?;
        bundle.read(&file.entry).map_err(Error::caused_by)
    };
    let (minified, map) = (read(FileKind::MinifiedSource)?, read(FileKind::SourceMap)?);
    let derived = derive::js::derive(Some(&minified), &map).map_err(Error::caused_by)?;
    let lookup = JsLookup::open(Arc::new(derived.bytes)).map_err(Error::caused_by)?;
    let text = String::from_utf8_lossy(&minified).into_owned();
    script_events_over(&recorded(PAGE_ERROR)?, &lookup, &text, stacks, frames)
}

/// Returns events like `template`, with frames at places of the minified `text` that have an answer.
pub(super) fn script_events_over(
    template: &Value,
    lookup: &JsLookup,
    text: &str,
    stacks: usize,
    frames: usize,
) -> Result<Vec<Value>> {
    let lines: Vec<u32> = text.lines().map(|line| line.len() as u32).collect();
    let url = template["exception"]["values"][0]["stacktrace"]["frames"][0]["filename"].clone();
    let mut state = 7;
    let places = std::iter::repeat_with(|| {
        let line = super::lookup::next(&mut state) as usize % lines.len().max(1);
        (line as u32 + 1, super::lookup::next(&mut state) as u32 % lines[line].max(1) + 1)
    });
    let mut places = places
        .filter(|(line, column)| matches!(lookup.lookup(*line, *column), JsAnswer::Mapped(_)));
    let mut events = Vec::new();
    for _ in 0..stacks {
        let frame = |(line, column): (u32, u32)| json!({"filename": url, "abs_path": url, "function": "t", "lineno": line, "colno": column});
        let frames: Vec<Value> = places.by_ref().take(frames).map(frame).collect();
        let mut event = template.clone();
        event["exception"]["values"][0]["stacktrace"]["frames"] = Value::Array(frames);
        events.push(event);
    }
    Ok(events)
}

/// Returns an event like the demo's page error, to be given other frames.
pub(super) fn page_error() -> Result<Value> {
    recorded(PAGE_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_events_have_frames_with_an_answer() {
        for mix in [Mix::Native, Mix::Javascript] {
            let made = envelopes(mix).unwrap();
            assert_eq!(made.len(), STACKS);
            let event = recorded(&made[0]).unwrap();
            let frames = &event["exception"]["values"][0]["stacktrace"]["frames"];
            assert_eq!(frames.as_array().unwrap().len(), FRAMES, "{event}");
        }
    }
}
