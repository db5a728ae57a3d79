//! Threads: which one the event is about, and the others beside it.

use protocol::event::Event;
use protocol::exception::Thread;

use crate::fold::is_in_app;
use crate::frame::{FrameRow, name};
use crate::source::TraceId;
use crate::trace::{Viewing, frame_row, pick};

/// Most threads beside the crashed one that are shown.
const OTHER_THREADS_MAX: usize = 100;
/// Most frames of each of those threads that are shown, the newest.
const OTHER_FRAMES_MAX: usize = 60;
/// A thread beside the crashed one.
#[derive(Debug, Clone)]
pub(crate) struct ThreadCard {
    pub(crate) title: String,
    pub(crate) state: Option<String>,
    /// Its newest function, the user's where there is one.
    pub(crate) top: Option<String>,
    pub(crate) rows: Vec<FrameRow>,
    pub(crate) hidden: usize,
}

/// The thread that the event is about: crashed, else current, else the first with a trace.
pub(crate) fn main_thread(event: &Event) -> Option<(usize, &Thread)> {
    let threads =
        || event.threads.values.iter().enumerate().filter(|(_, t)| t.stacktrace.is_some());
    threads()
        .find(|(_, thread)| thread.crashed == Some(true))
        .or_else(|| threads().find(|(_, thread)| thread.current == Some(true)))
        .or_else(|| threads().next())
}

/// Returns the threads beside the one that [`cards`](crate::trace::cards) shows, and how many there are beyond the limit.
pub(crate) fn other_threads(viewing: &Viewing<'_>) -> (Vec<ThreadCard>, usize) {
    let event = viewing.event;
    let has_trace = event.exception.values.iter().any(|e| e.stacktrace.is_some());
    let shown = if has_trace || event.stacktrace.is_some() { None } else { main_thread(event) };
    let others = event.threads.values.iter().enumerate().filter(|(index, thread)| match shown {
        Some((main, _)) => *index != main,
        None => !is_main(thread),
    });
    let hidden = others.clone().count().saturating_sub(OTHER_THREADS_MAX);
    let cards = others
        .take(OTHER_THREADS_MAX)
        .map(|(index, thread)| thread_card(viewing, index, thread))
        .collect();
    (cards, hidden)
}

fn thread_card(viewing: &Viewing<'_>, index: usize, thread: &Thread) -> ThreadCard {
    let stack = pick(viewing, &thread.stacktrace, &thread.raw_stacktrace);
    let frames = stack.map(|stack| stack.frames.as_slice()).unwrap_or_default();
    let top = frames.iter().rev().find(|frame| is_in_app(frame)).or_else(|| frames.last());
    let newest = (0..frames.len()).rev().take(OTHER_FRAMES_MAX);
    let rows = stack.into_iter().flat_map(|stack| {
        newest.clone().filter_map(|at| frame_row(viewing, TraceId::Thread(index), stack, at))
    });
    ThreadCard {
        title: thread_title(thread),
        state: thread.state.clone(),
        top: top.map(name),
        rows: rows.map(without_details).collect(),
        hidden: frames.len().saturating_sub(OTHER_FRAMES_MAX),
    }
}

/// Threads beside the crashed one are an overview: one line per frame.
fn without_details(row: FrameRow) -> FrameRow {
    FrameRow { lines: Vec::new(), facts: Vec::new(), vars: Vec::new(), why: None, ..row }
}

pub(crate) fn is_main(thread: &Thread) -> bool {
    thread.crashed == Some(true) || thread.current == Some(true)
}

pub(crate) fn thread_words(thread: &Thread) -> String {
    let crashed = if thread.crashed == Some(true) { ", crashed" } else { "" };
    format!("{}{crashed}", thread_title(thread))
}

fn thread_title(thread: &Thread) -> String {
    match (&thread.name, &thread.id) {
        (Some(name), _) => format!("thread {name}"),
        (None, Some(id)) => format!("thread {id}"),
        (None, None) => "a thread".to_owned(),
    }
}
