//! Stack traces of the native program: real addresses of the demo's, found by looking at its debug file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use symbolicate::native::{Lookup, NativeLookup};
use symbolicate::{SharedBytes, derive};

use super::random::Random;
use super::stack::Stack;
use crate::commands::demo_files::{CRASH, DEBUG_FILE};
use crate::error::{Context as _, Error, Result};

/// Stack traces that are made.
const STACKS: usize = 16;
/// Distance of the addresses that are looked at, in bytes; few lines are shorter.
const STEP: u64 = 5;
/// Where the program's code certainly ends, as an offset in bytes.
const CODE_BYTES_MAX: u64 = 2 << 20;
/// How the program's own functions begin.
const OWN: &str = "contact_sheet::";
/// Name of its function that calls the others.
const MAIN: &str = "contact_sheet::main";
/// Frames of the recorded crash up to the one in `main`, oldest first.
const RECORDED_BEFORE_MAIN: usize = 6;
/// Frames of the recorded crash from the panic on.
const RECORDED_FROM_PANIC: usize = 9;

/// What all events of the program share.
pub(super) struct Recorded {
    /// Its loaded images, as the SDK sends them.
    pub(super) debug_meta: Value,
    pub(super) stacks: Vec<Stack>,
}

/// Makes stack traces: recorded frames below `main`, own functions at any of their lines, and a panic above.
pub(super) fn recorded(random: &mut Random) -> Result<Recorded> {
    let event = recorded_event()?;
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"].as_array().cloned();
    let frames = frames.unwrap_or_default();
    let image = event["debug_meta"]["images"][0]["image_addr"].as_str().unwrap_or_default();
    let base = u64::from_str_radix(image.trim_start_matches("0x"), 16).map_err(Error::caused_by)?;
    let places = own_places()?;
    let mut stacks = Vec::new();
    for number in 0..STACKS {
        let mut stack = frames.get(..RECORDED_BEFORE_MAIN).unwrap_or_default().to_vec();
        let (functions, last) = call(&places, random);
        stack.extend(functions.iter().map(|offset| frame(base + offset)));
        if number % 4 != 0 {
            stack.extend_from_slice(frames.get(RECORDED_FROM_PANIC..).unwrap_or_default());
        }
        stacks.push(Stack { frames: stack, last, library: None });
    }
    Ok(Recorded { debug_meta: event["debug_meta"].clone(), stacks })
}

/// Reads the event of the demo's envelope.
fn recorded_event() -> Result<Value> {
    let payload = CRASH.splitn(3, |byte| *byte == b'\n').nth(2).unwrap_or_default();
    let payload = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(payload).context("reading the recorded crash")
}

/// Returns offsets in the program's own functions, by the name of the real function.
fn own_places() -> Result<BTreeMap<String, Vec<u64>>> {
    let derived = derive::native::derive(DEBUG_FILE).map_err(Error::caused_by)?;
    let bytes: SharedBytes = Arc::new(derived.bytes);
    let lookup = NativeLookup::open(bytes).map_err(Error::caused_by)?;
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for offset in (0..CODE_BYTES_MAX).step_by(STEP as usize) {
        let Lookup::Frames(chain) = lookup.lookup(offset) else { continue };
        let Some(real) = chain.last().filter(|real| real.display.starts_with(OWN)) else {
            continue;
        };
        places.entry(real.display.to_owned()).or_default().push(offset);
    }
    Ok(places)
}

/// Returns a call from `main` into at most two more own functions, and the name of the last.
fn call(places: &BTreeMap<String, Vec<u64>>, random: &mut Random) -> (Vec<u64>, String) {
    let others: Vec<&String> = places.keys().filter(|name| *name != MAIN).collect();
    let mut names = vec![MAIN.to_owned()];
    for _ in 0..1 + random.below(2) {
        names.extend(random.pick(&others).map(|name| (*name).clone()));
    }
    names.dedup();
    let offsets = names.iter().filter_map(|name| random.pick(places.get(name)?).copied()).collect();
    (offsets, names.pop().unwrap_or_default())
}

fn frame(address: u64) -> Value {
    json!({"function": "<unknown>", "in_app": true, "instruction_addr": format!("{address:#x}")})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_run_through_the_programs_own_functions() {
        let recorded = recorded(&mut Random::new(1, 1)).unwrap();
        assert_eq!(recorded.stacks.len(), STACKS);
        assert!(recorded.stacks.iter().all(|stack| stack.last.starts_with(OWN)));
        assert!(own_places().unwrap().len() >= 4);
        assert!(recorded.debug_meta["images"].as_array().unwrap().len() > 1);
    }
}
