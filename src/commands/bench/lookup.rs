//! What one look-up costs in the engine, warm, without anything around it.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use symbolicate::bundle::{ArtifactBundle, FileKind};
use symbolicate::js::{JsAnswer, JsLookup};
use symbolicate::native::{Lookup, NativeLookup};
use symbolicate::{SharedBytes, derive};

use crate::commands::demo_files::{ARTIFACT_BUNDLE, DEBUG_FILE};
use crate::error::{Error, Result};

/// Look-ups that are measured.
const LOOKUPS: u64 = 1_000_000;

/// Cost of one kind of look-up.
pub(super) struct Measured {
    pub(super) what: &'static str,
    pub(super) lookups: u64,
    pub(super) ns_per_lookup: f64,
    pub(super) ns_per_frame: f64,
}

/// Measures native and JavaScript look-ups over the demo's files.
///
/// # Errors
/// When those cannot be derived, which a test rules out.
pub(super) fn measure() -> Result<Vec<Measured>> {
    Ok(vec![native()?, javascript()?])
}

/// A small generator, so that every run asks the same.
pub(super) fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

fn native() -> Result<Measured> {
    let derived = derive::native::derive(DEBUG_FILE).map_err(Error::caused_by)?;
    let bytes: SharedBytes = Arc::new(derived.bytes);
    let lookup = NativeLookup::open(bytes).map_err(Error::caused_by)?;
    // Offsets that have an answer, found first.
    let mut state = 7;
    let has_answer = |offset: &u64| matches!(lookup.lookup(*offset), Lookup::Frames(_));
    let offsets: Vec<u64> = std::iter::repeat_with(|| next(&mut state) % (1 << 20))
        .take(200_000)
        .filter(has_answer)
        .take(4096)
        .collect();
    let mut frames = 0_u64;
    let started = Instant::now();
    for place in 0..LOOKUPS {
        let offset = offsets[place as usize % offsets.len().max(1)];
        if let Lookup::Frames(chain) = lookup.lookup(black_box(offset)) {
            for frame in chain {
                black_box((frame.display, frame.file, frame.line));
                frames += 1;
            }
        }
    }
    let ns = started.elapsed().as_nanos() as f64;
    Ok(Measured {
        what: "native look-up with inlined calls",
        lookups: LOOKUPS,
        ns_per_lookup: ns / LOOKUPS as f64,
        ns_per_frame: ns / frames.max(1) as f64,
    })
}

fn javascript() -> Result<Measured> {
    let bundle = ArtifactBundle::open(ARTIFACT_BUNDLE).map_err(Error::caused_by)?;
    let read = |kind: FileKind| {
        let file = bundle.listing().files.iter().find(|file| file.kind == kind);
        let file = file.ok_or_else(|| Error::internal("the demo's bundle is incomplete"))?;
        bundle.read(&file.entry).map_err(Error::caused_by)
    };
    let (minified, map) = (read(FileKind::MinifiedSource)?, read(FileKind::SourceMap)?);
    let derived = derive::js::derive(Some(&minified), &map).map_err(Error::caused_by)?;
    let bytes: SharedBytes = Arc::new(derived.bytes);
    let lookup = JsLookup::open(bytes).map_err(Error::caused_by)?;
    let text = String::from_utf8_lossy(&minified);
    let lines: Vec<u32> = text.lines().map(|line| line.len() as u32).collect();
    let mut state = 7;
    let started = Instant::now();
    for _ in 0..LOOKUPS {
        let line = next(&mut state) as usize % lines.len().max(1);
        let column = next(&mut state) as u32 % lines[line].max(1) + 1;
        if let JsAnswer::Mapped(mapped) =
            lookup.lookup(black_box(line as u32 + 1), black_box(column))
        {
            black_box((mapped.function, mapped.source, mapped.line));
        }
    }
    let ns = started.elapsed().as_nanos() as f64 / LOOKUPS as f64;
    Ok(Measured {
        what: "JavaScript look-up",
        lookups: LOOKUPS,
        ns_per_lookup: ns,
        ns_per_frame: ns,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_files_can_be_looked_up() {
        assert!(derive::native::derive(DEBUG_FILE).is_ok());
        assert_eq!(ArtifactBundle::open(ARTIFACT_BUNDLE).unwrap().listing().files.len(), 2);
    }
}
