//! The server's memory over time.

use std::time::{Duration, Instant};

/// Points of a line that is printed.
const POINTS: usize = 10;

/// Private resident memory, as it was seen, oldest first.
#[derive(Debug)]
pub(super) struct Timeline {
    started: Instant,
    seen: Vec<(Duration, u64)>,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), seen: Vec::new() }
    }

    /// Notes what the process has now.
    pub(super) fn note(&mut self, bytes: u64) {
        self.seen.push((self.started.elapsed(), bytes));
    }

    /// Returns the time that a look now would have.
    pub(super) fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Returns the most that was seen between two times, in bytes.
    pub(super) fn most(&self, from: Duration, to: Duration) -> u64 {
        let within = self.seen.iter().filter(|(at, _)| (from..=to).contains(at));
        within.map(|(_, bytes)| *bytes).max().unwrap_or_default()
    }

    /// Returns ten parts of the time, each with the most that was seen in it, as text.
    pub(super) fn text(&self) -> String {
        let Some((last, _)) = self.seen.last() else { return String::new() };
        let part = *last / POINTS as u32;
        let point = |number: usize| {
            let (from, to) = (part * number as u32, part * (number as u32 + 1));
            let mib = self.most(from, to) as f64 / f64::from(1 << 20);
            format!("{:.0} s {mib:.1}", to.as_secs_f64())
        };
        (0..POINTS).map(point).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_parts_tell_the_most_of_each() {
        let mut timeline = Timeline::new();
        timeline.seen = (0..=100).map(|s| (Duration::from_secs(s), (s % 10 + 1) << 20)).collect();
        assert!(timeline.text().starts_with("10 s 10.0, 20 s 10.0"), "{}", timeline.text());
        let (from, to) = (Duration::from_secs(10), Duration::from_secs(12));
        assert_eq!(timeline.most(from, to), 3 << 20);
    }
}
