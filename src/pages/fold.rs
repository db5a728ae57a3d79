//! Which frames of a trace are shown, and which fold into one line.

use protocol::stacktrace::Frame;

use crate::figure::counted;
use crate::owner::owner;

/// Fewest library frames in a row that fold; one alone is shorter than the line about it.
const FOLDED_MIN: usize = 2;
/// Owners that a folded line names.
const OWNERS_MAX: usize = 3;

/// A run of frames, as indexes into `frames`, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Run {
    /// Shown one by one.
    Shown(Vec<usize>),
    /// Folded into one line.
    Folded(Vec<usize>),
}

/// Splits a trace into what is shown and what folds, newest call first.
///
/// The user's own frames are always shown. Where no frame is the user's, all are: a trace of nothing but
/// a folded line says nothing.
pub(crate) fn runs(frames: &[Frame]) -> Vec<Run> {
    if !frames.iter().any(is_in_app) {
        return vec![Run::Shown((0..frames.len()).rev().collect())];
    }
    let mut runs: Vec<Run> = Vec::new();
    let mut rest: Vec<usize> = (0..frames.len()).rev().collect();
    while let Some(first) = rest.first() {
        let in_app = frames.get(*first).is_some_and(is_in_app);
        let is_same = |index: &&usize| frames.get(**index).is_some_and(is_in_app) == in_app;
        let length = rest.iter().take_while(is_same).count();
        let later = rest.split_off(length);
        push(&mut runs, in_app, rest);
        rest = later;
    }
    runs
}

fn push(runs: &mut Vec<Run>, in_app: bool, indexes: Vec<usize>) {
    if !in_app && indexes.len() >= FOLDED_MIN {
        return runs.push(Run::Folded(indexes));
    }
    match runs.last_mut() {
        Some(Run::Shown(shown)) => shown.extend(indexes),
        _ => runs.push(Run::Shown(indexes)),
    }
}

/// Says whether a frame is the user's own code.
pub(crate) fn is_in_app(frame: &Frame) -> bool {
    frame.in_app == Some(true)
}

/// `14 frames of std, core and sentry`: owners by number of frames, most first.
pub(crate) fn summary<'a>(frames: impl Iterator<Item = &'a Frame>) -> String {
    let mut number = 0;
    let mut owners: Vec<(String, usize)> = Vec::new();
    for frame in frames {
        number += 1;
        let Some(name) = owner(frame) else { continue };
        match owners.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => owners.push((name, 1)),
        }
    }
    owners.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let names: Vec<String> = owners.into_iter().map(|(name, _)| name).collect();
    let frames = counted(number, "frame", "frames");
    match listed(&names) {
        Some(names) => format!("{frames} of {names}"),
        None => format!("{number} library frames"),
    }
}

/// `a`, `a and b`, `a, b and c`, `a, b, c and 2 more`.
fn listed(names: &[String]) -> Option<String> {
    let (last, first) = match names {
        [] => return None,
        [only] => return Some(only.clone()),
        names if names.len() > OWNERS_MAX => {
            let more = format!("{} more", names.len() - OWNERS_MAX);
            (more, names.get(..OWNERS_MAX)?)
        }
        [first @ .., last] => (last.clone(), first),
    };
    Some(format!("{} and {last}", first.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `A` is a frame of the user, `l` one of a library; newest first.
    #[track_caller]
    fn check(trace: &str, expected: &str) {
        let frames: Vec<Frame> = trace
            .chars()
            .rev()
            .map(|c| Frame { in_app: Some(c == 'A'), ..Frame::default() })
            .collect();
        let shown = runs(&frames).into_iter().map(|run| match run {
            Run::Shown(indexes) => indexes
                .iter()
                .map(|index| if is_in_app(&frames[*index]) { 'A' } else { 'l' })
                .collect::<String>(),
            Run::Folded(indexes) => format!("({})", indexes.len()),
        });
        assert_eq!(shown.collect::<String>(), expected, "{trace}");
    }

    #[test]
    fn library_frames_fold_between_the_users() {
        check("llllAAllAlll", "(4)AA(2)A(3)");
        check("AAA", "AAA");
        check("llA", "(2)A");
        check("All", "A(2)");
    }

    #[test]
    fn a_single_library_frame_is_shown() {
        check("lAlAl", "lAlAl");
    }

    #[test]
    fn a_trace_without_the_users_code_is_shown_whole() {
        check("llll", "llll");
        check("", "");
    }

    #[test]
    fn every_frame_is_in_exactly_one_run() {
        let frames: Vec<Frame> =
            (0..20).map(|i| Frame { in_app: Some(i % 5 == 0), ..Frame::default() }).collect();
        let mut seen: Vec<usize> = Vec::new();
        for run in runs(&frames) {
            let (Run::Shown(indexes) | Run::Folded(indexes)) = run;
            seen.extend(indexes);
        }
        assert_eq!(seen, (0..20).rev().collect::<Vec<_>>());
    }

    #[track_caller]
    fn check_summary(functions: &[&str], expected: &str) {
        let frames: Vec<Frame> = functions
            .iter()
            .map(|&name| Frame { function: Some(name.to_owned()), ..Frame::default() })
            .collect();
        assert_eq!(summary(frames.iter()), expected);
    }

    #[test]
    fn folded_lines_say_whose_frames_they_are() {
        check_summary(&["core::a"], "1 frame of core");
        check_summary(&["core::a", "std::b", "std::c"], "3 frames of std and core");
        check_summary(&["a::x", "b::x", "c::x"], "3 frames of a, b and c");
        check_summary(&["a::x", "b::x", "c::x", "d::x", "e::x"], "5 frames of a, b, c and 2 more");
        check_summary(&["main", "start"], "2 library frames");
    }
}
