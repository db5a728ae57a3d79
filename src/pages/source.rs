//! Source lines of frames: whose they are, and how they are shown.

use std::collections::HashMap;

use protocol::event::Event;
use protocol::stacktrace::{Frame, Stacktrace};

/// Longest source line that is shown, in characters; minified context can have megabytes in one line.
const LINE_CHARS_MAX: usize = 400;
/// Characters before the column that stay when a long line is cut.
const CHARS_BEFORE_COLUMN: usize = 120;

/// Which of an event's stack traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TraceId {
    /// That of `exception.values[…]`.
    Exception(usize),
    /// The event's own.
    Event,
    /// That of `threads.values[…]`.
    Thread(usize),
}

/// One frame of an event's result: its trace, and its index in `frames` (oldest first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameKey {
    /// The trace.
    pub trace: TraceId,
    /// Index in the trace's `frames`.
    pub frame: usize,
}

/// Source lines around one frame, read from uploaded files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameContext {
    /// Number of the first line, counted from 1.
    pub first_line: u32,
    /// The lines, in order.
    pub lines: Vec<String>,
    /// Number of the line that the frame stands at.
    pub hit: u32,
}

/// Source lines by frame.
pub type Contexts = HashMap<FrameKey, FrameContext>;

/// Returns all traces of an event in the order pages show them: exceptions newest first, then the
/// event's own, then threads.
pub fn traces(event: &Event) -> impl Iterator<Item = (TraceId, &Stacktrace)> {
    let exceptions = event.exception.values.iter().enumerate().rev();
    let exceptions = exceptions
        .filter_map(|(index, e)| Some((TraceId::Exception(index), e.stacktrace.as_ref()?)));
    let own = event.stacktrace.iter().map(|trace| (TraceId::Event, trace));
    let threads = event.threads.values.iter().enumerate();
    let threads =
        threads.filter_map(|(index, t)| Some((TraceId::Thread(index), t.stacktrace.as_ref()?)));
    exceptions.chain(own).chain(threads)
}

/// Returns every frame of an event with its key, newest call first; what the server looks source lines up for.
pub fn frames(event: &Event) -> impl Iterator<Item = (FrameKey, &Frame)> {
    traces(event).flat_map(|(trace, stack)| {
        let frames = stack.frames.iter().enumerate().rev();
        frames.map(move |(frame, value)| (FrameKey { trace, frame }, value))
    })
}

/// One line of source as a page shows it; for the line of the frame cut at the column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) number: u32,
    pub(crate) before: String,
    /// The word at the column; empty on other lines.
    pub(crate) marked: String,
    pub(crate) after: String,
    pub(crate) is_hit: bool,
}

/// Returns the lines to show: those read from uploaded files, else those that the SDK sent.
pub(crate) fn lines(frame: &Frame, read: Option<&FrameContext>) -> Vec<Line> {
    let Some(context) = read.cloned().or_else(|| sent(frame)) else {
        return Vec::new();
    };
    let indent = common_indent(&context.lines);
    let column = frame.colno.and_then(|column| usize::try_from(column).ok());
    let numbers = context.first_line..;
    numbers
        .zip(&context.lines)
        .map(|(number, text)| {
            let is_hit = number == context.hit;
            let column = if is_hit { column } else { None };
            line(number, text, indent, column, is_hit)
        })
        .collect()
}

fn sent(frame: &Frame) -> Option<FrameContext> {
    let hit = frame.lineno?;
    let line = frame.context_line.clone()?;
    let before = u32::try_from(frame.pre_context.len()).ok()?;
    let kept = before.min(hit.saturating_sub(1));
    let skipped = usize::try_from(before - kept).ok()?;
    let pre = frame.pre_context.iter().skip(skipped).cloned();
    let lines = pre.chain([line]).chain(frame.post_context.iter().cloned()).collect();
    Some(FrameContext { first_line: hit - kept, lines, hit })
}

/// Blank columns that all lines share; taking them away keeps code readable on a narrow screen.
fn common_indent(lines: &[String]) -> usize {
    let indents = lines.iter().filter(|line| !line.trim().is_empty());
    indents
        .map(|line| line.chars().take_while(|c| *c == ' ' || *c == '\t').count())
        .min()
        .unwrap_or(0)
}

fn line(number: u32, text: &str, indent: usize, column: Option<usize>, is_hit: bool) -> Line {
    let text = text.trim_end_matches(['\n', '\r']);
    let chars: Vec<char> = text.chars().skip(indent).collect();
    let at =
        column.and_then(|column| column.checked_sub(1 + indent)).filter(|at| *at < chars.len());
    let start = match at {
        Some(at) if chars.len() > LINE_CHARS_MAX => at.saturating_sub(CHARS_BEFORE_COLUMN),
        _ => 0,
    };
    let end = chars.len().min(start + LINE_CHARS_MAX);
    let word = at.map_or(end..end, |at| at..word_end(&chars, at).min(end));
    let piece = |range: std::ops::Range<usize>| -> String {
        chars.get(range).unwrap_or_default().iter().collect()
    };
    let ellipsis = |is_cut: bool| if is_cut { "…" } else { "" };
    Line {
        number,
        before: format!("{}{}", ellipsis(start > 0), piece(start..word.start)),
        marked: piece(word.clone()),
        after: format!("{}{}", piece(word.end..end), ellipsis(end < chars.len())),
        is_hit,
    }
}

/// The end of the word at `at`, or of the single character there.
fn word_end(chars: &[char], at: usize) -> usize {
    let is_word = |c: &char| c.is_alphanumeric() || *c == '_' || *c == '$';
    let length = chars.iter().skip(at).take_while(|c| is_word(c)).count();
    at + length.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(lineno: u32, colno: Option<u32>, pre: &[&str], line: &str) -> Frame {
        Frame {
            lineno: Some(lineno),
            colno,
            pre_context: pre.iter().map(|&line| line.to_owned()).collect(),
            context_line: Some(line.to_owned()),
            post_context: vec!["    }".to_owned()],
            ..Frame::default()
        }
    }

    #[test]
    fn sent_lines_are_numbered_and_dedented() {
        let shown = lines(&frame(10, Some(13), &["    if (x) {"], "        fail(x);"), None);
        assert_eq!(shown.iter().map(|l| l.number).collect::<Vec<_>>(), [9, 10, 11]);
        assert_eq!(shown[0].before, "if (x) {");
        assert_eq!((shown[1].before.as_str(), shown[1].after.as_str()), ("    fail", "x);"));
        assert_eq!(shown[1].marked, "(");
        assert!(shown[1].is_hit && !shown[0].is_hit);
    }

    #[test]
    fn the_word_at_the_column_is_marked() {
        let shown = lines(&frame(10, Some(5), &[], "    fail(x);"), None);
        assert_eq!(shown[0].marked, "fail");
        let beyond = lines(&frame(10, Some(500), &[], "    fail(x);"), None);
        assert_eq!(beyond[0].marked, "");
    }

    #[test]
    fn long_lines_are_cut_around_the_column() {
        let long = "x".repeat(5_000);
        let shown = lines(&frame(1, Some(2_001), &[], &long), None);
        let length = shown[0].before.len() + shown[0].marked.len() + shown[0].after.len();
        assert!(length < LINE_CHARS_MAX + 10, "{length}");
        assert!(shown[0].before.starts_with('…'));
    }

    #[test]
    fn lines_before_the_first_are_dropped() {
        let shown = lines(&frame(1, None, &["a", "b"], "c"), None);
        assert_eq!(shown[0].number, 1);
        assert_eq!(shown[0].before, "c");
    }

    #[test]
    fn uploaded_lines_win_over_sent_ones() {
        let read = FrameContext { first_line: 41, lines: vec!["a".into(), "b".into()], hit: 42 };
        let shown = lines(&frame(10, None, &[], "sent"), Some(&read));
        assert_eq!(shown.iter().map(|l| l.number).collect::<Vec<_>>(), [41, 42]);
        assert!(shown[1].is_hit);
    }
}
