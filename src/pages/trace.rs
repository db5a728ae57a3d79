//! The stack traces of an event as cards: exceptions with their frames, else the crashed thread.

use std::collections::HashMap;

use protocol::event::Event;
use protocol::exception::{Exception, Mechanism, Thread};
use protocol::stacktrace::{Frame, Stacktrace};

use crate::fold::{Run, runs, summary};
use crate::frame::{FrameOf, FrameRow, Why, is_unresolved, name, needed_symbolication, row};
use crate::help::UploadHelp;
use crate::issue::TraceView;
use crate::reason::Weight;
use crate::source::{Contexts, FrameKey, TraceId};
use crate::text;
use crate::threads::{is_main, main_thread, thread_words};
use crate::value::Row;

/// Exceptions of a chain that start opened; the others open with a click.
const OPEN_EXCEPTIONS: usize = 3;

/// How to show an event's traces.
pub(crate) struct Viewing<'a> {
    pub(crate) event: &'a Event,
    pub(crate) view: TraceView,
    /// As the SDK sent them, before symbolication.
    pub(crate) raw: bool,
    pub(crate) contexts: &'a Contexts,
    pub(crate) help: &'a UploadHelp,
}

/// One stack trace with what it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct TraceCard {
    pub(crate) anchor: String,
    /// Class of the exception, or what the trace is.
    pub(crate) title: String,
    pub(crate) module: Option<String>,
    pub(crate) value: Option<String>,
    /// `thread main, crashed`.
    pub(crate) thread: Option<String>,
    /// Whether an exception above it was caused by it.
    pub(crate) is_cause: bool,
    pub(crate) is_open: bool,
    pub(crate) mechanism: Option<MechanismLine>,
    pub(crate) items: Vec<Item>,
    /// The plain text, where that is what is asked for.
    pub(crate) plain: Option<String>,
}

impl TraceCard {
    /// The kind of the mechanism, where it says something that the page does not say already.
    pub(crate) fn mechanism_kind(&self) -> Option<&str> {
        let kind = self.mechanism.as_ref()?.kind.as_str();
        (kind != self.title && kind != "generic" && kind != "chained").then_some(kind)
    }
}

/// How the exception was caught.
#[derive(Debug, Clone)]
pub(crate) struct MechanismLine {
    pub(crate) kind: String,
    pub(crate) description: Option<String>,
    pub(crate) link: Option<String>,
    pub(crate) rows: Vec<Row>,
}

/// A line of the trace.
#[derive(Debug, Clone)]
pub(crate) enum Item {
    Frame(Box<FrameRow>),
    Folded(Folded),
}

/// Library frames in one line.
#[derive(Debug, Clone)]
pub(crate) struct Folded {
    pub(crate) summary: String,
    /// The function that the user's code called, or that called the user's code.
    pub(crate) entry: Option<String>,
    pub(crate) unresolved: usize,
    pub(crate) rows: Vec<FrameRow>,
}

/// Returns the cards of the exceptions (newest first), or of the crashed thread where no exception has a trace.
pub(crate) fn cards(viewing: &Viewing<'_>) -> Vec<TraceCard> {
    let event = viewing.event;
    let mut cards: Vec<TraceCard> = Vec::new();
    for (index, exception) in event.exception.values.iter().enumerate().rev() {
        let stack = pick(viewing, &exception.stacktrace, &exception.raw_stacktrace);
        let mut card = card(viewing, TraceId::Exception(index), stack);
        describe_exception(&mut card, exception, event);
        card.is_cause = !cards.is_empty();
        card.is_open = cards.len() < OPEN_EXCEPTIONS;
        card.plain = plain(viewing, || text::exception(event, exception, stack));
        cards.push(card);
    }
    if let Some(stack) = pick(viewing, &event.stacktrace, &event.raw_stacktrace) {
        let mut card = card(viewing, TraceId::Event, Some(stack));
        card.plain = plain(viewing, || text::stack(event, stack));
        cards.push(card);
    }
    if cards.iter().all(|card| card.items.is_empty())
        && let Some((index, thread)) = main_thread(event)
    {
        let stack = pick(viewing, &thread.stacktrace, &thread.raw_stacktrace);
        let mut card = card(viewing, TraceId::Thread(index), stack);
        card.title = "Stack trace".to_owned();
        card.thread = Some(thread_words(thread));
        card.plain = plain(viewing, || stack.map_or(String::new(), |s| text::stack(event, s)));
        cards.push(card);
    }
    finish(&mut cards);
    cards
}

fn plain(viewing: &Viewing<'_>, write: impl FnOnce() -> String) -> Option<String> {
    (viewing.view == TraceView::Raw).then(write)
}

pub(crate) fn pick<'a>(
    viewing: &Viewing<'_>,
    result: &'a Option<Stacktrace>,
    sent: &'a Option<Stacktrace>,
) -> Option<&'a Stacktrace> {
    if viewing.raw { sent.as_ref().or(result.as_ref()) } else { result.as_ref() }
}

fn card(viewing: &Viewing<'_>, trace: TraceId, stack: Option<&Stacktrace>) -> TraceCard {
    TraceCard {
        anchor: anchor(trace),
        title: "Stack trace".to_owned(),
        module: None,
        value: None,
        thread: None,
        is_cause: false,
        is_open: true,
        mechanism: None,
        items: stack.map(|stack| items(viewing, trace, stack)).unwrap_or_default(),
        plain: None,
    }
}

fn anchor(trace: TraceId) -> String {
    match trace {
        TraceId::Exception(index) => format!("exception-{index}"),
        TraceId::Event => "event-trace".to_owned(),
        TraceId::Thread(index) => format!("thread-{index}"),
    }
}

fn items(viewing: &Viewing<'_>, trace: TraceId, stack: &Stacktrace) -> Vec<Item> {
    let rows = |indexes: Vec<usize>| -> Vec<FrameRow> {
        indexes.into_iter().filter_map(|index| frame_row(viewing, trace, stack, index)).collect()
    };
    match viewing.view {
        TraceView::Raw | TraceView::Full => rows((0..stack.frames.len()).rev().collect())
            .into_iter()
            .map(Box::new)
            .map(Item::Frame)
            .collect(),
        TraceView::Relevant => runs(&stack.frames)
            .into_iter()
            .flat_map(|run| match run {
                Run::Shown(indexes) => {
                    rows(indexes).into_iter().map(Box::new).map(Item::Frame).collect()
                }
                Run::Folded(indexes) => {
                    let folded = folded(stack, &indexes, rows(indexes.clone()));
                    vec![Item::Folded(folded)]
                }
            })
            .collect(),
    }
}

fn folded(stack: &Stacktrace, indexes: &[usize], rows: Vec<FrameRow>) -> Folded {
    let frames = || indexes.iter().filter_map(|index| stack.frames.get(*index));
    // The oldest frame of the run is the one that the user's code called.
    let oldest = indexes.last().copied().filter(|oldest| *oldest > 0);
    Folded {
        summary: summary(frames()),
        entry: oldest.and_then(|oldest| stack.frames.get(oldest)).map(name),
        unresolved: frames().filter(|frame| is_unresolved(frame)).count(),
        rows,
    }
}

pub(crate) fn frame_row(
    viewing: &Viewing<'_>,
    trace: TraceId,
    stack: &Stacktrace,
    index: usize,
) -> Option<FrameRow> {
    let key = FrameKey { trace, frame: index };
    let context = if viewing.raw { None } else { viewing.contexts.get(&key) };
    let anchor = format!("{}-frame-{index}", anchor(trace));
    row(&FrameOf { stack, index, anchor, context, help: viewing.help })
}

fn describe_exception(card: &mut TraceCard, exception: &Exception, event: &Event) {
    let kind = exception.kind.clone().filter(|_| !exception.is_synthetic());
    let value = exception.value.clone();
    (card.title, card.value) = match (kind, value) {
        (Some(kind), value) => (kind, value),
        (None, Some(value)) => (value, None),
        (None, None) => ("Exception".to_owned(), None),
    };
    card.module = exception.module.clone();
    card.mechanism = exception.mechanism.as_ref().map(mechanism);
    card.thread = thread_of(exception, event).map(thread_words);
}

fn thread_of<'a>(exception: &Exception, event: &'a Event) -> Option<&'a Thread> {
    let threads = &event.threads.values;
    match &exception.thread_id {
        Some(id) => threads.iter().find(|thread| thread.id.as_ref() == Some(id)),
        None => threads.iter().find(|thread| is_main(thread)),
    }
}

fn mechanism(mechanism: &Mechanism) -> MechanismLine {
    let mut rows: Vec<Row> = Vec::new();
    for (name, value) in &mechanism.meta {
        rows.push(Row::text(name, meta(value)));
    }
    rows.extend(mechanism.data.iter().map(|(key, value)| Row::new(key, value)));
    MechanismLine {
        kind: mechanism.kind.clone(),
        description: mechanism.description.clone(),
        link: mechanism.help_link.clone(),
        rows,
    }
}

/// `SIGSEGV (11)`, `SEGV_MAPERR`: names of a signal or Mach exception before its numbers.
fn meta(value: &serde_json::Value) -> String {
    let field = |name: &str| value.get(name).map(crate::value::shown);
    let code = field("code_name").map(|code| format!(", {code}")).unwrap_or_default();
    match (field("name"), field("number")) {
        (Some(name), Some(number)) => format!("{name} ({number}){code}"),
        (Some(name), None) => format!("{name}{code}"),
        _ => crate::value::shown(value),
    }
}

/// Opens the first frame worth reading, and says each reason in full only once.
fn finish(cards: &mut [TraceCard]) {
    if let Some(first) = cards.first_mut() {
        open_one(&mut first.items);
    }
    let mut said: HashMap<String, String> = HashMap::new();
    for card in cards {
        // What stands in the open comes first, so that a reference never points into a folded line.
        let (mut shown, mut hidden): (Vec<&mut FrameRow>, Vec<&mut FrameRow>) = (vec![], vec![]);
        for item in &mut card.items {
            match item {
                Item::Frame(row) => shown.push(row),
                Item::Folded(folded) => hidden.extend(&mut folded.rows),
            }
        }
        shown.into_iter().chain(hidden).for_each(|row| say_once(row, &mut said));
    }
}

fn say_once(row: &mut FrameRow, said: &mut HashMap<String, String>) {
    let Some(Why::Full(reason)) = &row.why else { return };
    let key = format!("{:?}{}", reason.command, reason.short);
    match said.get(&key) {
        Some(_) if reason.weight == Weight::Note => row.why = None,
        Some(anchor) => {
            row.why = Some(Why::Again { short: reason.short.clone(), anchor: anchor.clone() });
        }
        None => {
            said.insert(key, row.anchor.clone());
        }
    }
}

fn open_one(items: &mut [Item]) {
    let mut rows: Vec<&mut FrameRow> = items
        .iter_mut()
        .filter_map(|item| match item {
            Item::Frame(row) => Some(row.as_mut()),
            Item::Folded(_) => None,
        })
        .collect();
    let own = rows.iter().position(|row| row.in_app && !row.lines.is_empty());
    let any = || rows.iter().position(|row| !row.lines.is_empty());
    if let Some(row) = own.or_else(any).and_then(|index| rows.get_mut(index)) {
        row.is_open = true;
    }
}

/// The frames that [`cards`] shows: of exceptions and the event, else of the crashed thread.
pub(crate) fn shown_frames(event: &Event) -> impl Iterator<Item = &Frame> {
    let exceptions = event.exception.values.iter().filter_map(|e| e.stacktrace.as_ref());
    let own: Vec<&Stacktrace> = exceptions.chain(event.stacktrace.as_ref()).collect();
    let thread = match own.is_empty() {
        true => main_thread(event).and_then(|(_, thread)| thread.stacktrace.as_ref()),
        false => None,
    };
    own.into_iter().chain(thread).flat_map(|stack| &stack.frames)
}

/// Counts the shown frames that a person can read, and all of them; `None` where there was nothing to do.
pub(crate) fn resolved(event: &Event) -> Option<(usize, usize)> {
    if !shown_frames(event).any(needed_symbolication) {
        return None;
    }
    let unresolved = shown_frames(event).filter(|frame| is_unresolved(frame)).count();
    let all = shown_frames(event).count();
    Some((all - unresolved, all))
}

/// Returns the anchor of the first frame that misses something, for a link from the facts above.
pub(crate) fn first_missing(cards: &[TraceCard]) -> Option<String> {
    let rows = cards.iter().flat_map(|card| &card.items).flat_map(|item| match item {
        Item::Frame(row) => std::slice::from_ref(row.as_ref()),
        Item::Folded(folded) => folded.rows.as_slice(),
    });
    let mut rows = rows.filter(
        |row| matches!(&row.why, Some(Why::Full(reason)) if reason.weight == Weight::Unresolved),
    );
    rows.next().map(|row| row.anchor.clone())
}
