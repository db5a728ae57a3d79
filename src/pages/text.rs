//! Stack traces as plain text: to copy, for the terminal, for the raw view.
//!
//! Each platform's trace looks as its own runtime prints it: Rust's numbered frames, JavaScript's `at`
//! lines, Python's oldest-first order.

use std::fmt::Write as _;

use protocol::event::Event;
use protocol::exception::Exception;
use protocol::stacktrace::{Frame, Stacktrace};

use crate::frame::{inlined_into, name};
use crate::help::UploadHelp;
use crate::owner::file_name;
use crate::reason::reason;

/// Whose way of writing a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Native,
    JavaScript,
    Python,
}

/// Writes all traces of an event, as symbolicated: exceptions newest first, then the event's own, else the
/// crashed thread's.
pub fn trace(event: &Event) -> String {
    write_all(event, |result, _| result.as_ref())
}

/// Writes the same traces as the SDK sent them, before symbolication.
pub fn trace_as_sent(event: &Event) -> String {
    write_all(event, |result, sent| sent.as_ref().or(result.as_ref()))
}

type Pick = for<'a> fn(&'a Option<Stacktrace>, &'a Option<Stacktrace>) -> Option<&'a Stacktrace>;

fn write_all(event: &Event, pick: Pick) -> String {
    let mut parts: Vec<String> = Vec::new();
    for exception in event.exception.values.iter().rev() {
        let stack = pick(&exception.stacktrace, &exception.raw_stacktrace);
        parts.push(self::exception(event, exception, stack));
    }
    let own = pick(&event.stacktrace, &event.raw_stacktrace);
    parts.extend(own.map(|stack| self::stack(event, stack)));
    let has_trace = own.is_some() || event.exception.values.iter().any(|e| e.stacktrace.is_some());
    if !has_trace {
        let crashed = |t: &&protocol::exception::Thread| t.crashed == Some(true);
        let threads = &event.threads.values;
        let thread = threads.iter().find(crashed).or_else(|| threads.first());
        let stack = thread.and_then(|t| pick(&t.stacktrace, &t.raw_stacktrace));
        parts.extend(stack.map(|stack| self::stack(event, stack)));
    }
    parts.join("\ncaused by: ")
}

/// Writes one exception with its trace.
pub(crate) fn exception(
    event: &Event,
    exception: &Exception,
    trace: Option<&Stacktrace>,
) -> String {
    let head = match (&exception.kind, &exception.value) {
        (Some(kind), Some(value)) => format!("{kind}: {value}"),
        (Some(text), None) | (None, Some(text)) => text.clone(),
        (None, None) => "exception".to_owned(),
    };
    let frames = trace.map(|trace| stack(event, trace)).unwrap_or_default();
    match style(event) {
        Style::Python if !frames.is_empty() => {
            format!("Traceback (most recent call last):\n{frames}{head}\n")
        }
        _ => format!("{head}\n{frames}"),
    }
}

/// Writes one trace, a line or two per frame.
pub(crate) fn stack(event: &Event, stack: &Stacktrace) -> String {
    let mut text = String::new();
    let style = style(event);
    let indexes: Vec<usize> = match style {
        Style::Python => (0..stack.frames.len()).collect(),
        Style::Native | Style::JavaScript => (0..stack.frames.len()).rev().collect(),
    };
    for (number, index) in indexes.into_iter().enumerate() {
        let Some(frame) = stack.frames.get(index) else { continue };
        let lines = match style {
            Style::Native => native(number, stack, index, frame),
            Style::JavaScript => javascript(frame),
            Style::Python => python(frame),
        };
        text.push_str(&lines);
    }
    text
}

fn style(event: &Event) -> Style {
    match event.platform.as_deref() {
        Some("python") => Style::Python,
        Some("native" | "rust" | "c" | "cocoa" | "objc" | "go") => Style::Native,
        _ => Style::JavaScript,
    }
}

/// ```text
///   3: billing::total::{closure}  (inlined into billing::fold_items)
///        at src/billing.rs:58:9
/// ```
fn native(number: usize, stack: &Stacktrace, index: usize, frame: &Frame) -> String {
    let mut text = format!("{number:>4}: {}", single_line(&name(frame)));
    if let Some(outer) = inlined_into(stack, index) {
        // Writing into a string never fails.
        let _ = write!(text, "  (inlined into {})", single_line(&outer));
    }
    let offset = frame.symbolication.as_ref().and_then(|s| s.module_offset);
    match (&frame.package, position(frame)) {
        (_, Some(position)) => {
            let _ = write!(text, "\n        at {position}");
        }
        (Some(package), None) => {
            let offset = offset.map(|offset| format!(" +{offset:#x}")).unwrap_or_default();
            let _ = write!(text, "\n        in {}{offset}", single_line(file_name(package)));
        }
        (None, None) => {}
    }
    text.push_str(
        &why(frame).map(|why| format!("\n        not resolved: {why}")).unwrap_or_default(),
    );
    text.push('\n');
    text
}

fn javascript(frame: &Frame) -> String {
    let position = position(frame).unwrap_or_else(|| "unknown place".to_owned());
    let why = why(frame).map(|why| format!("  [not resolved: {why}]")).unwrap_or_default();
    format!("    at {} ({position}){why}\n", single_line(&name(frame)))
}

fn python(frame: &Frame) -> String {
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref()).unwrap_or("<unknown>");
    let line = frame.lineno.map(|line| format!(", line {line}")).unwrap_or_default();
    let source = frame.context_line.as_deref().map(|line| format!("    {}\n", line.trim()));
    let function = single_line(&name(frame));
    format!("  File \"{}\"{line}, in {function}\n{}", single_line(file), source.unwrap_or_default())
}

fn position(frame: &Frame) -> Option<String> {
    let file = frame.filename.as_deref().or(frame.abs_path.as_deref())?;
    let line = frame.lineno.map(|line| format!(":{line}")).unwrap_or_default();
    let column = frame.colno.filter(|_| frame.lineno.is_some());
    let column = column.map(|column| format!(":{column}")).unwrap_or_default();
    Some(format!("{}{line}{column}", single_line(file)))
}

fn why(frame: &Frame) -> Option<String> {
    let status = &frame.symbolication.as_ref()?.status;
    if status.is_resolved() {
        return None;
    }
    reason(status, &UploadHelp::default()).map(|reason| reason.short)
}

/// Control characters of an event never reach a terminal.
fn single_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
