//! What symbolicating a whole event costs in the engine, and the first look-up of a process.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use protocol::event::Event;
use serde_json::Value;
use symbolicate::js::JsLookup;
use symbolicate::native::NativeLookup;
use symbolicate::symbolication::{Step, Symbolication};
use symbolicate::wanted::{Found, Wanted};
use symbolicate::{SharedBytes, derive};

use super::mix;
use crate::error::{Context as _, Error, Result};
use crate::symbols::mapping;

/// Frames of an event.
const FRAMES: usize = 50;
/// Different events.
const EVENTS: usize = 20;
/// Events that are measured.
const RUNS: usize = 2_000;
/// Bytes of the made minified script: what a large page loads.
const SCRIPT_BYTES: usize = 1_400_000;
/// First look-ups that are measured.
const OPENINGS: usize = 50;

/// A measured number.
pub(super) struct Measured {
    pub(super) what: String,
    pub(super) median: Duration,
}

/// Measures events and first look-ups; `folder` is where look-up files are written to be mapped.
pub(super) fn measure(folder: &Path) -> Result<Vec<Measured>> {
    let (lookup, native_bytes) = mix::native_lookup()?;
    let native = Found::Native(Arc::new(lookup));
    let mut measured = vec![Measured {
        what: format!("native event of {FRAMES} frames in the engine, warm"),
        median: event(&mix::native_events(EVENTS, FRAMES)?, &native)?,
    }];
    let (script, map) = script(SCRIPT_BYTES);
    let derived = derive::js::derive(Some(script.as_bytes()), &map).map_err(Error::caused_by)?;
    let lookup = JsLookup::open(Arc::new(derived.bytes.clone())).map_err(Error::caused_by)?;
    let events = mix::script_events_over(&mix::page_error()?, &lookup, &script, EVENTS, FRAMES)?;
    let found = Found::SourceMap { lookup: Arc::new(lookup), derived: "js".to_owned() };
    measured.push(Measured {
        what: format!(
            "JavaScript event of {FRAMES} frames over a script of {:.1} MB in the engine, warm",
            script.len() as f64 / 1e6
        ),
        median: event(&events, &found)?,
    });
    measured.extend(first("native", folder, &native_bytes, |bytes| {
        NativeLookup::open(bytes)
            .map(|lookup| {
                black_box(lookup.lookup(0x1000));
            })
            .map_err(Error::caused_by)
    })?);
    measured.extend(first("JavaScript", folder, &derived.bytes, |bytes| {
        JsLookup::open(bytes)
            .map(|lookup| {
                black_box(lookup.lookup(1, 700_000));
            })
            .map_err(Error::caused_by)
    })?);
    Ok(measured)
}

/// Returns the median time of symbolicating one event, whose files are found at once.
fn event(events: &[Value], lookup: &Found) -> Result<Duration> {
    let parse = |event: &Value| Event::from_json(event.to_string().as_bytes());
    let events: Vec<Event> =
        events.iter().map(parse).collect::<Result<_, _>>().map_err(Error::caused_by)?;
    let answer = |wanted: Wanted| {
        let found = match (&wanted, lookup) {
            (Wanted::DebugFile { .. }, Found::Native(_))
            | (Wanted::SourceMap { .. }, Found::SourceMap { .. }) => lookup.clone(),
            _ => Found::Missing,
        };
        (wanted, found)
    };
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..RUNS {
        let event = events[run % events.len()].clone();
        let started = Instant::now();
        let mut symbolication = Symbolication::of_event(event);
        let mut found = Vec::new();
        while let Step::Need(wanted) = symbolication.step(found) {
            found = wanted.into_iter().map(answer).collect();
        }
        times.push(started.elapsed());
    }
    Ok(median(times))
}

/// Returns the median time from a file by name to its first answer: with its pages in the system's cache, as after
/// a restart of the server, and without, as after one of the machine.
fn first(
    kind: &str,
    folder: &Path,
    bytes: &[u8],
    ask: impl Fn(SharedBytes) -> Result<()>,
) -> Result<Vec<Measured>> {
    let path = folder.join(format!("first-{kind}"));
    let context = || format!("writing {}", path.display());
    let mut file = File::create(&path).context(context())?;
    file.write_all(bytes).and_then(|()| file.sync_all()).context(context())?;
    let mut measured = Vec::new();
    for is_cached in [true, false] {
        let mut times = Vec::with_capacity(OPENINGS);
        for _ in 0..OPENINGS {
            if !is_cached {
                rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)
                    .map_err(|error| Error::caused_by(std::io::Error::from(error)))?;
            }
            let started = Instant::now();
            let opened = File::open(&path).context(context())?;
            ask(mapping::map(&opened).context(context())?)?;
            times.push(started.elapsed());
        }
        let what = format!(
            "first {kind} look-up of a process ({:.1} MB look-up file, {} the page cache)",
            bytes.len() as f64 / 1e6,
            if is_cached { "in" } else { "not in" }
        );
        measured.push(Measured { what, median: median(times) });
    }
    std::fs::remove_file(&path).context(context())?;
    Ok(measured)
}

/// Returns the time from the file of a look-up that a server derived to its first answer.
pub(super) fn first_of_server(path: &Path) -> Result<Vec<Measured>> {
    let bytes = std::fs::read(path).context(format!("reading {}", path.display()))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    first("native", folder, &bytes, |bytes| {
        NativeLookup::open(bytes)
            .map(|lookup| {
                black_box(lookup.lookup(0x1000));
            })
            .map_err(Error::caused_by)
    })
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Makes a minified script on one line, and its map: a function per 44 bytes or so, five segments each.
fn script(bytes: usize) -> (String, Vec<u8>) {
    let (mut text, mut source, mut mappings) = (String::new(), String::new(), String::new());
    let mut segments = Segments::default();
    let mut number = 0;
    while text.len() < bytes {
        let start = text.len() as i64;
        let _ = write!(text, "function a{number}(b,c){{return b.d{number}(c,{number})}}");
        let line = number * 3;
        let _ = write!(
            source,
            "function price{number}(cart, count) {{\n  return cart.total{number}(count, {number});\n}}\n"
        );
        let body = text[start as usize..].find("return").map_or(0, |at| at as i64);
        for (column, line, original) in [
            (0, line, 0),
            (9, line, 9),
            (body, line + 1, 2),
            (body + 7, line + 1, 9),
            (body + 9, line + 1, 14),
        ] {
            segments.push(&mut mappings, start + column, line, original);
        }
        number += 1;
    }
    let map = serde_json::json!({
        "version": 3, "sources": ["shop.js"], "sourcesContent": [source], "names": [], "mappings": mappings,
    });
    (text, map.to_string().into_bytes())
}

/// The last segment, which the next one is a difference to.
#[derive(Default)]
struct Segments {
    last: [i64; 3],
    has_any: bool,
}

impl Segments {
    fn push(&mut self, mappings: &mut String, column: i64, line: i64, original: i64) {
        if std::mem::replace(&mut self.has_any, true) {
            mappings.push(',');
        }
        let next = [column, line, original];
        vlq(mappings, next[0] - self.last[0]);
        vlq(mappings, 0);
        vlq(mappings, next[1] - self.last[1]);
        vlq(mappings, next[2] - self.last[2]);
        self.last = next;
    }
}

/// Base64 VLQ, as source maps write numbers.
fn vlq(text: &mut String, number: i64) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = number.unsigned_abs() << 1 | u64::from(number < 0);
    loop {
        let more = u64::from(rest > 31) << 5;
        text.push(char::from(DIGITS[(rest & 31 | more) as usize]));
        rest >>= 5;
        if more == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolicate::js::JsAnswer;

    #[test]
    fn the_made_script_is_mapped() {
        let (script, map) = script(5_000);
        let derived = derive::js::derive(Some(script.as_bytes()), &map).unwrap();
        let lookup = JsLookup::open(Arc::new(derived.bytes)).unwrap();
        let column = script.find("b.d7(").unwrap() as u32 + 1;
        let JsAnswer::Mapped(mapped) = lookup.lookup(1, column) else { panic!("not mapped") };
        assert_eq!((mapped.source, mapped.line), ("shop.js", 23));
    }
}
