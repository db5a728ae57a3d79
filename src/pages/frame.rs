//! One frame as the trace shows it.

use protocol::stacktrace::{Frame, FrameStatus, FrameTrust, Stacktrace, Symbolicated};

use crate::fold::is_in_app;
use crate::help::UploadHelp;
use crate::owner::file_name;
use crate::path;
use crate::reason::{Reason, Weight, reason};
use crate::source::{FrameContext, Line, lines};
use crate::value::Row;

/// A row of the trace, with what it opens to.
#[derive(Debug, Clone)]
pub(crate) struct FrameRow {
    /// Id of the element, for links.
    pub(crate) anchor: String,
    /// Function, or what stands in for it.
    pub(crate) name: String,
    /// The whole story of the name, on hover.
    pub(crate) name_title: Option<String>,
    pub(crate) in_app: bool,
    /// Name of the function that this call was inlined into.
    pub(crate) inlined_into: Option<String>,
    pub(crate) place: Option<Place>,
    pub(crate) lines: Vec<Line>,
    /// Address, image, minified position…: what a debugger would say.
    pub(crate) facts: Vec<Row>,
    pub(crate) vars: Vec<Row>,
    pub(crate) registers: Vec<Row>,
    pub(crate) why: Option<Why>,
    /// Whether the row starts opened.
    pub(crate) is_open: bool,
}

/// File, line and column; each with its own weight.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) file: String,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    /// The full path or the minified position, on hover.
    pub(crate) title: Option<String>,
}

/// Why the frame is not resolved: in full the first time, later as a reference to that.
#[derive(Debug, Clone)]
pub(crate) enum Why {
    Full(Reason),
    Again { short: String, anchor: String },
}

impl FrameRow {
    /// Says whether there is anything below the row.
    pub(crate) fn has_details(&self) -> bool {
        !(self.lines.is_empty()
            && self.facts.is_empty()
            && self.vars.is_empty()
            && self.registers.is_empty())
    }
}

/// What a frame's row is made from.
pub(crate) struct FrameOf<'a> {
    pub(crate) stack: &'a Stacktrace,
    pub(crate) index: usize,
    pub(crate) anchor: String,
    pub(crate) context: Option<&'a FrameContext>,
    pub(crate) help: &'a UploadHelp,
}

/// Makes the row of one frame; `None` where there is no such frame.
pub(crate) fn row(of: &FrameOf<'_>) -> Option<FrameRow> {
    let frame = of.stack.frames.get(of.index)?;
    let symbolication = frame.symbolication.as_ref();
    let is_crash = of.index + 1 == of.stack.frames.len();
    let registers = if is_crash { registers(of.stack) } else { Vec::new() };
    Some(FrameRow {
        anchor: of.anchor.clone(),
        name: name(frame),
        name_title: frame.raw_function.clone().or_else(|| frame.symbol.clone()),
        in_app: is_in_app(frame),
        inlined_into: inlined_into(of.stack, of.index),
        place: place(frame),
        lines: lines(frame, of.context),
        facts: facts(frame, of.context.is_some()),
        vars: frame.vars.iter().map(|(key, value)| Row::new(key, value)).collect(),
        registers,
        why: why(symbolication, of.help),
        is_open: false,
    })
}

/// A note that asks for nothing stands among the facts, not below the frame.
fn why(symbolication: Option<&Symbolicated>, help: &UploadHelp) -> Option<Why> {
    let reason = reason(&symbolication?.status, help)?;
    let asks = reason.weight == Weight::Unresolved || reason.command.is_some();
    asks.then_some(Why::Full(reason))
}

/// Function, else address, else file: never nothing.
pub(crate) fn name(frame: &Frame) -> String {
    let function = frame.function.as_deref().filter(|name| !is_placeholder(name));
    if let Some(function) = function.or(frame.symbol.as_deref()) {
        return function.to_owned();
    }
    if let Some(address) = frame.instruction_addr {
        return address.to_string();
    }
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref()).or(frame.module.as_deref());
    match file {
        Some(_) => "(anonymous)".to_owned(),
        None => "(no name)".to_owned(),
    }
}

fn is_placeholder(name: &str) -> bool {
    matches!(name, "" | "?" | "<unknown>" | "<redacted>")
}

/// Name of the function that the call at `index` was inlined into: its next older frame.
pub(crate) fn inlined_into(stack: &Stacktrace, index: usize) -> Option<String> {
    let is_inlined = |s: &Symbolicated| s.inlined;
    stack.frames.get(index)?.symbolication.as_ref().filter(|s| is_inlined(s))?;
    Some(name(stack.frames.get(index.checked_sub(1)?)?))
}

fn place(frame: &Frame) -> Option<Place> {
    let minified = frame.symbolication.as_ref().and_then(|s| s.minified.as_ref());
    let position = minified.map(|position| {
        let column = position.colno.map(|column| format!(":{column}")).unwrap_or_default();
        format!("minified: {}:{}{column}", position.abs_path, position.lineno)
    });
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref()).or(frame.module.as_deref());
    match file.filter(|file| !is_placeholder(file) && *file != name(frame)) {
        Some(file) => Some(Place {
            file: path::shown(file).to_owned(),
            line: frame.lineno,
            column: frame.colno.filter(|_| frame.lineno.is_some()),
            title: position.or_else(|| frame.abs_path.clone()).or_else(|| Some(file.to_owned())),
        }),
        None => image_place(frame),
    }
}

/// `libpayments.so +0x4b9e`, for native frames without a file.
fn image_place(frame: &Frame) -> Option<Place> {
    let package = frame.package.as_deref()?;
    let offset = module_offset(frame);
    let offset = offset.map(|offset| format!(" +{offset:#x}")).unwrap_or_default();
    Some(Place {
        file: format!("{}{offset}", file_name(package)),
        line: None,
        column: None,
        title: Some(package.to_owned()),
    })
}

fn facts(frame: &Frame, has_source: bool) -> Vec<Row> {
    let symbolication = frame.symbolication.as_ref();
    let mut facts = Vec::new();
    let mut add = |key: &str, value: Option<String>| {
        facts.extend(value.map(|value| Row::text(key, value)));
    };
    add("address", frame.instruction_addr.map(|address| address.to_string()));
    add("image", frame.package.as_deref().map(|package| image_and_offset(package, frame)));
    add("module", frame.module.clone());
    add("line", symbolication.and_then(line_note));
    add("found by", frame.trust.and_then(trust));
    add("symbol", frame.symbol.clone().filter(|symbol| Some(symbol) != frame.function.as_ref()));
    add("path", frame.abs_path.clone().filter(|path| Some(path) != frame.filename.as_ref()));
    add("source", symbolication.filter(|_| !has_source).and_then(|s| no_source(frame, s)));
    if let Some(minified) = symbolication.and_then(|s| s.minified.as_ref()) {
        let function = minified.function.as_deref().map(|f| format!("{f} in ")).unwrap_or_default();
        let column = minified.colno.map(|column| format!(":{column}")).unwrap_or_default();
        add(
            "minified",
            Some(format!("{function}{}:{}{column}", minified.abs_path, minified.lineno)),
        );
    }
    facts
}

/// Why a resolved frame of the user shows no source lines.
fn no_source(frame: &Frame, symbolication: &Symbolicated) -> Option<String> {
    let is_wanted = is_in_app(frame)
        && frame.lineno.is_some()
        && frame.context_line.is_none()
        && symbolication.status == FrameStatus::Symbolicated;
    let words = match (&symbolication.source, &symbolication.minified) {
        (Some(_), _) => "known, but its lines could not be read",
        (None, Some(_)) => "not in the source map (sourcesContent)",
        (None, None) => "not uploaded (debug-files upload --include-sources)",
    };
    is_wanted.then(|| words.to_owned())
}

fn line_note(symbolication: &Symbolicated) -> Option<String> {
    let has_no_line = matches!(
        symbolication.status,
        FrameStatus::SymbolicatedWithoutLine { file_has_lines: true, .. }
    );
    has_no_line.then(|| "the compiler names none here".to_owned())
}

/// Offset of the address in its image: as symbolicated, else from what the SDK says.
pub(crate) fn module_offset(frame: &Frame) -> Option<u64> {
    let known = frame.symbolication.as_ref().and_then(|s| s.module_offset);
    known.or_else(|| frame.instruction_addr?.0.checked_sub(frame.image_addr?.0))
}

fn image_and_offset(package: &str, frame: &Frame) -> String {
    match module_offset(frame) {
        Some(offset) => format!("{} +{offset:#x}", file_name(package)),
        None => file_name(package).to_owned(),
    }
}

fn trust(trust: FrameTrust) -> Option<String> {
    let words = match trust {
        FrameTrust::None | FrameTrust::Prewalked => return None,
        FrameTrust::Scan => "stack scan, may be wrong",
        FrameTrust::CfiScan => "stack scan, checked against unwind information",
        FrameTrust::Fp => "frame pointer",
        FrameTrust::Cfi => "unwind information",
        FrameTrust::Context => "registers",
    };
    Some(words.to_owned())
}

fn registers(stack: &Stacktrace) -> Vec<Row> {
    stack.registers.iter().map(|(name, value)| Row::new(name, value)).collect()
}

/// Says whether the frame's verdict is that a person cannot read it.
pub(crate) fn is_unresolved(frame: &Frame) -> bool {
    frame.symbolication.as_ref().is_some_and(|s| !s.status.is_resolved())
}

/// Says whether the frame was anything for symbolication to do.
pub(crate) fn needed_symbolication(frame: &Frame) -> bool {
    frame.symbolication.as_ref().is_some_and(|s| s.status != FrameStatus::AsSent)
}
