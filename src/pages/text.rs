//! Stack traces as plain text: to copy, for the terminal, for the raw view.
//!
//! Each platform's trace looks as its own runtime prints it: Rust's numbered frames, JavaScript's `at`
//! lines, Python's oldest-first order.

use std::fmt::Write as _;

use protocol::event::Event;
use protocol::exception::Exception;
use protocol::stacktrace::{Frame, Stacktrace};

use crate::frame::{inlined_into, module_offset, name};
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
        (Some(kind), Some(value)) => format!("{}: {}", single_line(kind), printable(value)),
        (Some(text), None) | (None, Some(text)) => printable(text),
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
    let offset = module_offset(frame);
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

/// The same for what may have lines.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        Event::from_json(json.as_bytes()).unwrap()
    }

    fn lines(text: &str, range: std::ops::Range<usize>) -> Vec<&str> {
        text.lines().skip(range.start).take(range.len()).collect()
    }

    #[test]
    fn native_traces_look_like_rusts() {
        let event = event(include_str!("samples/native.json"));
        let text = trace(&event);
        assert_eq!(
            text.lines().next(),
            Some("panic: index out of bounds: the len is 0 but the index is 3")
        );
        let at = text.lines().position(|line| line.contains("14: ")).unwrap();
        assert_eq!(
            lines(&text, at..at + 4),
            [
                "  14: <billing::TieredPricing as billing::Pricing>::price",
                "        at src/billing.rs:42:61",
                "  15: billing::total::{closure}  (inlined into core::iter::adapters::map::map_fold::{closure})",
                "        at src/billing.rs:58:31",
            ]
        );
        assert!(text.contains(
            "  20: 0x7f31a2c04b9e\n        in libpayments.so +0x4b9e\n        not resolved: no debug file for \
             libpayments.so\n"
        ));
    }

    #[test]
    fn traces_as_sent_have_addresses_only() {
        let event = event(include_str!("samples/native.json"));
        let text = trace_as_sent(&event);
        assert!(text.contains("   9: 0x55fc21112281\n        in billing +0x127281\n"), "{text}");
        assert!(!text.contains("src/billing.rs") && !text.contains("not resolved"));
    }

    #[test]
    fn javascript_traces_look_like_v8s() {
        let event = event(include_str!("samples/javascript.json"));
        assert_eq!(
            lines(&trace(&event), 0..4),
            [
                "TypeError: Cannot read properties of undefined (reading 'code')",
                "    at taxFor (src/cart/tax.ts:23:22)",
                "    at Array.reduce (Array.reduce)",
                "    at CartSummary (src/cart/CartSummary.tsx:41:17)",
            ]
        );
        let sent = trace_as_sent(&event);
        assert!(
            sent.contains(
                "    at t (https://shop.example.com/assets/checkout-7f3a9c1e.js:1:48213)\n"
            )
        );
    }

    #[test]
    fn python_traces_are_oldest_first_with_their_cause() {
        let text = trace(&event(include_str!("samples/python.json")));
        assert!(
            text.starts_with("Traceback (most recent call last):\n  File \"django/core/"),
            "{text}"
        );
        assert!(text.contains(
            "in refund\n    raise RefundFailed(order_id) from error\nRefundFailed: 4711\n"
        ));
        assert!(text.contains("\ncaused by: Traceback (most recent call last):\n"));
    }

    #[test]
    fn control_characters_never_reach_a_terminal() {
        let text = trace(&event(
            r#"{"platform":"native","exception":{"values":[{"type":"a\u001b[31m","value":"b\u001b]0;x\u0007",
                "stacktrace":{"frames":[{"function":"f\u001b[2J\nx","filename":"y\u001b"}]}}]}}"#,
        ));
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
        assert_eq!(text.lines().count(), 3, "{text:?}");
    }

    #[test]
    fn an_event_without_any_trace_is_its_message_or_nothing() {
        assert_eq!(trace(&Event::default()), "");
    }
}
