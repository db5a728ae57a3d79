//! Where an event comes from, in one line.

use protocol::event::Event;
use protocol::stacktrace::{Frame, Stacktrace};

/// Longest culprit in characters.
const CULPRIT_CHARS_MAX: usize = 200;

/// Returns the trace that people look at first: that of the last exception that has one, else the event's,
/// else the crashed thread's.
pub(crate) fn main_trace(event: &Event) -> Option<&Stacktrace> {
    let exceptions = event.exception.values.iter().rev();
    let of_exception = exceptions.filter_map(|exception| exception.stacktrace.as_ref()).next();
    of_exception.or(event.stacktrace.as_ref()).or_else(|| {
        let threads = &event.threads.values;
        let crashed = threads.iter().find(|thread| thread.crashed == Some(true));
        crashed.or(threads.first()).and_then(|thread| thread.stacktrace.as_ref())
    })
}

/// Returns the newest in-app frame with a name, else the newest frame with a name.
pub(crate) fn crash_frame(event: &Event) -> Option<&Frame> {
    let frames = || main_trace(event).into_iter().flat_map(|trace| trace.frames.iter().rev());
    let has_name = |frame: &&Frame| {
        frame
            .function
            .as_deref()
            .is_some_and(|name| !["", "<unknown>", "<redacted>"].contains(&name))
    };
    let in_app = frames().filter(has_name).find(|frame| frame.in_app == Some(true));
    in_app.or_else(|| frames().find(has_name)).or_else(|| frames().next())
}

/// Makes the culprit: the transaction, else function and place of the crash frame, else the request's URL.
pub(crate) fn culprit(event: &Event) -> String {
    let culprit = event.transaction.clone().filter(|transaction| !transaction.is_empty());
    let culprit = culprit.or_else(|| crash_frame(event).map(of_frame));
    let url = || event.request.as_ref().and_then(|request| request.url.clone());
    let culprit = culprit.filter(|culprit| !culprit.is_empty()).or_else(url).unwrap_or_default();
    culprit.chars().take(CULPRIT_CHARS_MAX).collect()
}

fn of_frame(frame: &Frame) -> String {
    let function = frame.function.as_deref().unwrap_or_default();
    let place = frame.module.as_deref().or(frame.filename.as_deref()).unwrap_or_default();
    match (function, place) {
        ("", place) => place.to_owned(),
        (function, "") => function.to_owned(),
        (function, _) if frame.instruction_addr.is_some() => function.to_owned(),
        (function, place) => format!("{function} ({place})"),
    }
}
