//! JavaScript frames: from a position in a minified file to the original function, file and line.

use std::collections::BTreeSet;

use protocol::event::Event;
use protocol::id::DebugId;
use protocol::stacktrace::{Frame, FrameStatus, MinifiedPosition, SourceRef, Symbolicated};

use crate::images::Images;
use crate::js::{JsAnswer, JsLookup, Mapped, OutOfRange};
use crate::js::{in_app, source_url_parts};
use crate::native_frames::hex;
use crate::symbolication::Findings;
use crate::wanted::{Found, Wanted};

/// Columns beyond this look minified: nobody writes such lines.
const COLUMN_OF_MINIFIED_CODE: u32 = 300;

/// Returns what a frame needs.
pub(crate) fn wanted(frame: &Frame, event: &Event, images: &Images<'_>) -> Option<Wanted> {
    minified_path(frame, event)?;
    let debug_id = images.minified(frame)?.debug_id?;
    Some(Wanted::SourceMap { debug_id })
}

/// Returns the files of which some frame lies outside the uploaded text.
///
/// Then another build's file is running under the same debug id (it was changed after the injection, or sentry-cli
/// 2.58.6 made the id of the same map), and positions that happen to lie inside say nothing either.
pub(crate) fn strays(event: &Event, findings: &Findings) -> BTreeSet<DebugId> {
    let images = Images::of_event(event);
    let stray = |frame: &Frame| {
        let wanted = wanted(frame, event, &images)?;
        let Wanted::SourceMap { debug_id } = wanted else { return None };
        let Some(Found::SourceMap { lookup, .. }) = findings.get(&wanted) else { return None };
        let answer = lookup.lookup(frame.lineno?, frame.colno.unwrap_or(0));
        matches!(answer, JsAnswer::OutOfRange(_)).then_some(debug_id)
    };
    event.stacktraces().flat_map(|trace| &trace.frames).filter_map(stray).collect()
}

/// Symbolicates a JavaScript frame; `None` where it is none. Nothing is resolved with the files of `strays`.
pub(crate) fn symbolicate(
    frame: &Frame,
    index: usize,
    event: &Event,
    images: &Images<'_>,
    findings: &Findings,
    strays: &BTreeSet<DebugId>,
) -> Option<Vec<Frame>> {
    let abs_path = minified_path(frame, event)?.to_owned();
    let Some(debug_id) = images.minified(frame).and_then(|image| image.debug_id) else {
        let (status, _) = without_files(frame, event);
        return Some(vec![with_status(frame, index, status)]);
    };
    let Some(line) = frame.lineno else {
        return Some(vec![with_status(frame, index, FrameStatus::NoPosition { abs_path })]);
    };
    let (lookup, derived) = match findings.get(&Wanted::SourceMap { debug_id }) {
        Some(Found::SourceMap { lookup, derived }) => (lookup, derived),
        other => return Some(vec![with_status(frame, index, refusal(other, debug_id, abs_path))]),
    };
    let status = match lookup.lookup(line, frame.colno.unwrap_or(0)) {
        JsAnswer::Mapped(_) if strays.contains(&debug_id) => FrameStatus::UnusableSourceMap {
            debug_id,
            abs_path,
            reason: "another frame of this event lies past the end of the uploaded file: what ran is another build"
                .to_owned(),
        },
        JsAnswer::Mapped(mapped) => {
            return Some(vec![mapped_frame(frame, index, &abs_path, lookup, derived, &mapped)]);
        }
        JsAnswer::NoMapping => FrameStatus::PositionUnmapped { debug_id, abs_path },
        JsAnswer::Misfit => FrameStatus::UnusableSourceMap {
            debug_id,
            abs_path,
            reason: "around this position the source map does not fit the minified file: they come from \
                     different builds"
                .to_owned(),
        },
        JsAnswer::NeedsColumn => FrameStatus::NoPosition { abs_path },
        JsAnswer::OutOfRange(out) => {
            let what = out_of_range(out, line, frame.colno);
            FrameStatus::PositionOutOfRange { debug_id, abs_path, what }
        }
    };
    Some(vec![with_status(frame, index, status)])
}

/// Keeps a frame that nothing is looked up for. What the engine itself runs is nobody's application.
pub(crate) fn as_sent(frame: &Frame, index: usize, event: &Event) -> Frame {
    let (_, in_app) = without_files(frame, event);
    let kept = with_status(frame, index, FrameStatus::AsSent);
    Frame { in_app: in_app.or(kept.in_app), ..kept }
}

/// Returns what there is to say about a frame that wants no file: its status, and whether it is the
/// application's where the path tells.
pub(crate) fn without_files(frame: &Frame, event: &Event) -> (FrameStatus, Option<bool>) {
    match path(frame, event) {
        Some(path) if is_builtin(path) => (FrameStatus::AsSent, Some(false)),
        Some(path) if looks_minified(frame) => {
            (FrameStatus::NoDebugId { abs_path: path.to_owned() }, None)
        }
        _ => (FrameStatus::AsSent, None),
    }
}

/// Returns the path of a frame that may come from a minified file.
fn minified_path<'a>(frame: &'a Frame, event: &Event) -> Option<&'a str> {
    path(frame, event).filter(|path| !is_builtin(path))
}

/// Returns the path of a JavaScript frame.
fn path<'a>(frame: &'a Frame, event: &Event) -> Option<&'a str> {
    let platform = frame.platform.as_deref().or(event.platform.as_deref())?;
    let is_js = ["javascript", "node"].contains(&platform);
    frame.abs_path.as_deref().or(frame.filename.as_deref()).filter(|_| is_js)
}

/// Says whether a path is the engine's own: node's modules (`node:internal/…`), built-in functions.
fn is_builtin(path: &str) -> bool {
    ["native", "[native code]", "<anonymous>"].contains(&path)
        || path.starts_with("node:")
        || path.starts_with("internal/")
}

/// Says whether a frame without debug id deserves a word about it: most servers run code as written.
fn looks_minified(frame: &Frame) -> bool {
    let path = frame.abs_path.as_deref().unwrap_or_default();
    path.contains(".min.") || frame.colno.is_some_and(|column| column > COLUMN_OF_MINIFIED_CODE)
}

fn refusal(found: Option<&Found>, debug_id: DebugId, abs_path: String) -> FrameStatus {
    match found {
        Some(Found::Unusable(reason)) => {
            FrameStatus::UnusableSourceMap { debug_id, abs_path, reason: reason.clone() }
        }
        Some(Found::TooLargeHere(reason)) => {
            FrameStatus::TooLargeHere { debug_id, reason: reason.clone() }
        }
        Some(Found::WithoutMap) => FrameStatus::BundleWithoutMap { debug_id, abs_path },
        _ => FrameStatus::MissingSourceMap { debug_id, abs_path },
    }
}

fn out_of_range(out: OutOfRange, line: u32, column: Option<u32>) -> String {
    match out {
        OutOfRange::Line { line_count } => {
            format!("line {line} is past the end: the uploaded file has {line_count} lines")
        }
        OutOfRange::Column { column_count } => format!(
            "column {} is past the end of line {line}: it has {column_count} columns in the uploaded file",
            column.unwrap_or(0)
        ),
    }
}

fn with_status(frame: &Frame, index: usize, status: FrameStatus) -> Frame {
    let original_index = u32::try_from(index).unwrap_or(u32::MAX);
    let symbolication = Symbolicated { status, original_index, ..Symbolicated::default() };
    Frame { symbolication: Some(symbolication), ..frame.clone() }
}

fn mapped_frame(
    frame: &Frame,
    index: usize,
    minified: &str,
    lookup: &JsLookup,
    derived: &str,
    mapped: &Mapped<'_>,
) -> Frame {
    let parts = source_url_parts(mapped.source, Some(minified));
    let function = mapped.function.map(str::to_owned);
    let hash = lookup.sources().hash(mapped.source_index);
    let has_text = lookup.sources().has_line(mapped.source_index, mapped.line);
    let source = hash.filter(|_| has_text).map(|hash| SourceRef {
        derived: derived.to_owned(),
        hash: hex(&hash),
        line: mapped.line,
    });
    Frame {
        function: function.or_else(|| unminified_name(frame)),
        module: parts.module,
        filename: Some(parts.filename),
        abs_path: Some(parts.abs_path),
        lineno: Some(mapped.line),
        colno: Some(mapped.column),
        in_app: Some(frame.in_app != Some(false) && in_app(mapped.source).unwrap_or(true)),
        pre_context: Vec::new(),
        context_line: None,
        post_context: Vec::new(),
        symbolication: Some(Symbolicated {
            status: FrameStatus::Symbolicated,
            original_index: u32::try_from(index).unwrap_or(u32::MAX),
            source,
            minified: Some(MinifiedPosition {
                function: frame.function.clone(),
                abs_path: minified.to_owned(),
                lineno: frame.lineno.unwrap_or(0),
                colno: frame.colno,
            }),
            ..Symbolicated::default()
        }),
        ..frame.clone()
    }
}

/// Keeps names that engines give to code outside of functions; a minified name would be a wrong one.
fn unminified_name(frame: &Frame) -> Option<String> {
    let engine_names = ["<anonymous>", "Object.<anonymous>", "global code", "module code", "eval"];
    frame.function.clone().filter(|name| engine_names.contains(&name.as_str()))
}
