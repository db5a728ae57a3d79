//! One event's way from raw to readable frames: the core asks, the shell fetches.
//!
//! [`Symbolication::step`] is called with what was found until it says it is done. Nothing here reads a
//! file or waits; two rounds suffice for what is known today (look-up files, then source texts).

use std::collections::{BTreeMap, BTreeSet};

use protocol::event::Event;
use protocol::exception::Exception;
use protocol::id::DebugId;
use protocol::stacktrace::{Frame, FrameStatus, Stacktrace, Symbolicated};

use crate::images::Images;
use crate::wanted::{Found, Wanted};
use crate::{js_frames, native_frames};

/// Most look-up files one event may ask for in a round; further ones count as missing.
const WANTED_MAX: usize = 500;

/// What is known about everything that was asked for.
pub(crate) type Findings = BTreeMap<Wanted, Found>;

/// The symbolication of one event.
pub struct Symbolication {
    event: Event,
    findings: Findings,
    has_asked_for_sources: bool,
    /// Minified files that ran as another build than the uploaded one.
    strays: BTreeSet<DebugId>,
}

/// What to do next.
pub enum Step {
    /// Find these, then call [`Symbolication::step`] again.
    Need(Vec<Wanted>),
    /// Nothing more to find.
    Done(Box<Outcome>),
}

/// A symbolicated event.
pub struct Outcome {
    /// The event with readable frames, each with its verdict; raw traces beside the changed ones.
    pub event: Event,
    /// Keys of what was not there, or was there and did not help: another file may.
    pub missing: BTreeSet<String>,
}

impl Symbolication {
    /// Starts with an event as it was normalized and scrubbed.
    pub fn of_event(event: Event) -> Self {
        Self {
            event,
            findings: Findings::new(),
            has_asked_for_sources: false,
            strays: BTreeSet::new(),
        }
    }

    /// Takes what was found for the last [`Step::Need`] (nothing at first) and says what to do next.
    pub fn step(&mut self, found: Vec<(Wanted, Found)>) -> Step {
        self.findings.extend(found);
        let mut wanted = self.wanted_lookups();
        wanted.retain(|wanted| !self.findings.contains_key(wanted));
        if wanted.is_empty() && !self.has_asked_for_sources {
            self.has_asked_for_sources = true;
            wanted = self.wanted_sources();
        }
        if wanted.is_empty() {
            return Step::Done(Box::new(self.finish()));
        }
        // What is over the limit stays unanswered, which the frames show as missing.
        let asked: Vec<Wanted> = wanted.iter().take(WANTED_MAX).cloned().collect();
        for beyond in wanted.into_iter().skip(WANTED_MAX) {
            self.findings.insert(beyond, Found::Missing);
        }
        Step::Need(asked)
    }

    fn wanted_lookups(&self) -> BTreeSet<Wanted> {
        let images = Images::of_event(&self.event);
        let mut wanted = BTreeSet::new();
        for trace in self.event.stacktraces() {
            for frame in &trace.frames {
                wanted.extend(native_frames::wanted(frame, &self.event, &images));
                wanted.extend(js_frames::wanted(frame, &self.event, &images));
            }
        }
        wanted
    }

    /// Source texts are asked for where an image's functions were found.
    fn wanted_sources(&self) -> BTreeSet<Wanted> {
        let has_lookup = |(wanted, found): (&Wanted, &Found)| match (wanted, found) {
            (Wanted::DebugFile { debug_id: Some(debug_id), .. }, Found::Native(_)) => {
                Some(*debug_id)
            }
            _ => None,
        };
        let found = self.findings.iter().filter_map(has_lookup);
        found.map(|debug_id| Wanted::Sources { debug_id }).collect()
    }

    fn finish(&mut self) -> Outcome {
        let mut event = std::mem::take(&mut self.event);
        if self.wants_nothing(&event) {
            mark_in_place(&mut event);
            self.mark_images(&mut event);
            return Outcome { missing: BTreeSet::new(), event };
        }
        self.strays = js_frames::strays(&event, &self.findings);
        let traces = self.symbolicated_traces(&event);
        let missing = self.missing(&event, &traces);
        replace_traces(&mut event, traces);
        self.mark_images(&mut event);
        Outcome { missing, event }
    }

    /// Says whether no frame of the event is one that files are looked up for, as in most languages.
    fn wants_nothing(&self, event: &Event) -> bool {
        let mut frames = event.stacktraces().flat_map(|trace| &trace.frames);
        self.findings.is_empty()
            && frames.all(|frame| native_frames::native_addr(frame, event).is_none())
    }

    /// Returns the keys under which another file would be worth another look.
    ///
    /// Beside what nobody uploaded that is what gave no line for any frame: a stripped program whose debug
    /// companion is still to come, a source map of another build.
    fn missing(&self, event: &Event, traces: &[Option<Stacktrace>]) -> BTreeSet<String> {
        let is_found = |found: &Found| {
            matches!(found, Found::Native(_) | Found::Sources { .. } | Found::SourceMap { .. })
        };
        let absent = self.findings.iter().filter(|(_, found)| !is_found(found));
        let mut missing: BTreeSet<&Wanted> = absent.map(|(wanted, _)| wanted).collect();
        let images = Images::of_event(event);
        let (mut helped, mut idle) = (BTreeSet::new(), BTreeSet::new());
        for (raw, made) in raw_traces(event).zip(traces) {
            let (Some(raw), Some(made)) = (raw, made) else { continue };
            for verdict in made.frames.iter().filter_map(|frame| frame.symbolication.as_ref()) {
                let Some(raw) = raw.frames.get(verdict.original_index as usize) else { continue };
                let wanted = native_frames::wanted(raw, event, &images)
                    .or_else(|| js_frames::wanted(raw, event, &images));
                match (&verdict.status, wanted) {
                    (FrameStatus::AsSent, _) | (_, None) => {}
                    (FrameStatus::Symbolicated, Some(wanted)) => drop(helped.insert(wanted)),
                    (_, Some(wanted)) => drop(idle.insert(wanted)),
                }
            }
        }
        missing.extend(idle.difference(&helped));
        missing.into_iter().flat_map(Wanted::keys).collect()
    }

    /// Returns the new trace for each trace of the event, in the order of [`replace_traces`].
    fn symbolicated_traces(&self, event: &Event) -> Vec<Option<Stacktrace>> {
        let images = Images::of_event(event);
        let symbolicate = |trace: &Option<Stacktrace>, is_crash: bool| {
            trace.as_ref().map(|trace| self.trace(trace, event, &images, is_crash))
        };
        let mut traces = Vec::new();
        for exception in &event.exception.values {
            traces.push(symbolicate(&exception.stacktrace, is_crash(exception)));
        }
        traces.push(symbolicate(&event.stacktrace, false));
        for thread in &event.threads.values {
            traces.push(symbolicate(&thread.stacktrace, thread.crashed == Some(true)));
        }
        traces
    }

    fn trace(
        &self,
        trace: &Stacktrace,
        event: &Event,
        images: &Images<'_>,
        is_crash: bool,
    ) -> Stacktrace {
        let mut frames = Vec::with_capacity(trace.frames.len());
        let mut is_run_expanded = false;
        for (index, frame) in trace.frames.iter().enumerate().skip(end_markers(trace, event)) {
            let place = run_place(trace, index);
            if is_run_expanded && place == RunPlace::Inlined {
                // The look-up of the run's first frame gave the whole chain.
                continue;
            }
            let at = native_frames::Place { trace, index, is_crash };
            let made = native_frames::symbolicate(frame, &at, event, images, &self.findings)
                .or_else(|| {
                    let (findings, strays) = (&self.findings, &self.strays);
                    js_frames::symbolicate(frame, index, event, images, findings, strays)
                });
            is_run_expanded = made.iter().flatten().any(is_changed);
            match made {
                Some(made) => frames.extend(made),
                None => frames.push(js_frames::as_sent(frame, index, event)),
            }
        }
        Stacktrace { frames, ..trace.clone() }
    }

    /// Tells for each native image whether its file was there, in Sentry's words.
    fn mark_images(&self, event: &mut Event) {
        let Some(meta) = &mut event.debug_meta else { return };
        for image in &mut meta.images {
            let found =
                crate::images::wanted_for(image).and_then(|wanted| self.findings.get(&wanted));
            let status = match found {
                Some(Found::Native(_)) => "found",
                Some(Found::SourceMap { .. }) => "found",
                Some(Found::Missing | Found::WithoutMap) => "missing",
                Some(Found::Unusable(_) | Found::TooLargeHere(_)) => "malformed",
                Some(Found::Sources { .. }) | None => "unused",
            };
            image.debug_status = Some(status.to_owned());
        }
    }
}

/// Returns how many frames at the oldest end only say that the stack ended: their address is zero.
fn end_markers(trace: &Stacktrace, event: &Event) -> usize {
    let is_marker = |frame: &&Frame| {
        native_frames::native_addr(frame, event) == Some(0)
            && frame.addr_mode.as_deref().is_none_or(|mode| mode == "abs")
    };
    let markers = trace.frames.iter().take_while(is_marker).count();
    // A trace of nothing else is all there is to show.
    if markers < trace.frames.len() { markers } else { 0 }
}

/// What a frame is in its run of neighbours with the same address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RunPlace {
    /// A frame of the machine's stack: the first of its run, or one of its recursion.
    Physical,
    /// An inlined call that the SDK, which symbolicated by itself, put behind it.
    Inlined,
}

fn run_place(trace: &Stacktrace, index: usize) -> RunPlace {
    let frame = &trace.frames[index];
    let same = |other: &&Frame| other.instruction_addr == frame.instruction_addr;
    let first = trace.frames[..=index].iter().rev().take_while(same).last();
    let is_inlined = frame.instruction_addr.is_some()
        && first.is_some_and(|first| first.function != frame.function);
    if is_inlined { RunPlace::Inlined } else { RunPlace::Physical }
}

/// Says whether the newest frame is where the program was: by the mechanism, and where an SDK sends none by the
/// name of a signal, a Mach exception or a Windows exception.
fn is_crash(exception: &Exception) -> bool {
    let by_mechanism = exception.mechanism.as_ref().is_some_and(|mechanism| {
        mechanism.signal().is_some() || CRASH_MECHANISMS.contains(&mechanism.kind.as_str())
    });
    let kind = exception.kind.as_deref().unwrap_or_default();
    let is_name = kind.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let by_name =
        is_name && ["SIG", "EXC_", "EXCEPTION_"].iter().any(|start| kind.starts_with(start));
    by_mechanism || by_name
}

/// Mechanisms whose newest frame is where the program was, not where a call returns to.
const CRASH_MECHANISMS: &[&str] = &[
    "signalhandler",
    "minidump",
    "mach",
    "applecrashreport",
    "seh",
    "UnhandledException",
    "breakpad",
];

/// Returns the traces of an event in the order of [`replace_traces`].
fn raw_traces(event: &Event) -> impl Iterator<Item = Option<&Stacktrace>> {
    let exceptions = event.exception.values.iter().map(|e| e.stacktrace.as_ref());
    let threads = event.threads.values.iter().map(|t| t.stacktrace.as_ref());
    exceptions.chain(std::iter::once(event.stacktrace.as_ref())).chain(threads)
}

/// Gives every frame its verdict where no frame changes, without copying a single one.
fn mark_in_place(event: &mut Event) {
    let frames = event.stacktraces().flat_map(|trace| trace.frames.iter().enumerate());
    let verdicts: Vec<_> =
        frames.map(|(index, frame)| (index, js_frames::without_files(frame, event))).collect();
    let exceptions = event.exception.values.iter_mut().map(|e| &mut e.stacktrace);
    let threads = event.threads.values.iter_mut().map(|t| &mut t.stacktrace);
    let traces = exceptions.chain(std::iter::once(&mut event.stacktrace)).chain(threads);
    let frames = traces.flatten().flat_map(|trace| &mut trace.frames);
    for (frame, (index, (status, in_app))) in frames.zip(verdicts) {
        let original_index = u32::try_from(index).unwrap_or(u32::MAX);
        frame.symbolication =
            Some(Symbolicated { status, original_index, ..Symbolicated::default() });
        frame.in_app = in_app.or(frame.in_app);
    }
}

/// Puts the new traces in and keeps the old ones beside those that changed.
fn replace_traces(event: &mut Event, traces: Vec<Option<Stacktrace>>) {
    let mut traces = traces.into_iter();
    let mut replace = |old: &mut Option<Stacktrace>, raw: &mut Option<Stacktrace>| {
        let Some(new) = traces.next().flatten() else { return };
        let is_changed = new.frames.iter().any(is_changed);
        let old = old.replace(new);
        *raw = old.filter(|_| is_changed);
    };
    for exception in &mut event.exception.values {
        replace(&mut exception.stacktrace, &mut exception.raw_stacktrace);
    }
    replace(&mut event.stacktrace, &mut event.raw_stacktrace);
    for thread in &mut event.threads.values {
        replace(&mut thread.stacktrace, &mut thread.raw_stacktrace);
    }
}

fn is_changed(frame: &Frame) -> bool {
    frame.symbolication.as_ref().is_some_and(|symbolication| {
        matches!(
            symbolication.status,
            FrameStatus::Symbolicated | FrameStatus::SymbolicatedWithoutLine { .. }
        )
    })
}

#[cfg(test)]
#[path = "tests/symbolication.rs"]
mod tests;
