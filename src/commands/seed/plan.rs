//! When what happens: each fault has a course, people sleep at night and work less at the weekend.

use super::fault::Fault;
use super::random::Random;

/// Days that events are spread over.
pub(super) const DAYS: i64 = 30;
const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// How often a time of little traffic is drawn again.
const TRIES_MAX: usize = 8;
/// Part of a spike's events that fall into the spike.
const IN_SPIKE: f64 = 0.85;

/// How often a fault happens over the days; places are parts of the whole time, 1 is now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Course {
    /// All the time.
    Steady,
    /// From a release on.
    Since(f64),
    /// Until it was repaired.
    Until(f64),
    /// Mostly within hours: begin and length.
    Spike(f64, f64),
}

impl Course {
    /// Returns one of them.
    pub(super) fn any(random: &mut Random) -> Self {
        match random.below(20) {
            0..10 => Self::Steady,
            10..15 => Self::Since(random.unit() * 0.95),
            15..17 => Self::Until(0.15 + random.unit() * 0.8),
            _ => Self::Spike(random.unit() * 0.97, 0.002 + random.unit() * 0.02),
        }
    }

    /// Returns a time of it.
    fn at(self, random: &mut Random) -> f64 {
        let unit = random.unit();
        match self {
            Self::Steady => unit,
            Self::Since(begin) => begin + unit * (1.0 - begin),
            Self::Until(end) => unit * end,
            Self::Spike(begin, length) if random.unit() < IN_SPIKE => begin + unit * length,
            Self::Spike(..) => unit,
        }
    }
}

/// One event to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    pub(super) at_ms: i64,
    /// Place of the fault.
    pub(super) fault: usize,
    /// Distinguishes the events of a run.
    pub(super) number: u64,
}

/// Returns `count` moments of the last [`DAYS`] days, oldest first.
pub(super) fn moments(faults: &[Fault], count: u64, now_ms: i64, seed: u64) -> Vec<Moment> {
    let mut random = Random::new(seed, 0);
    let mut sum = 0.0;
    let up_to: Vec<f64> = faults
        .iter()
        .map(|fault| {
            sum += fault.weight;
            sum
        })
        .collect();
    let mut moments: Vec<Moment> = (0..count)
        .map(|number| {
            let drawn = random.unit() * sum;
            let fault = up_to.partition_point(|end| *end <= drawn).min(faults.len() - 1);
            Moment { at_ms: time(faults[fault].course, now_ms, &mut random), fault, number }
        })
        .collect();
    moments.sort_unstable();
    moments
}

fn time(course: Course, now_ms: i64, random: &mut Random) -> i64 {
    let whole_ms = (DAYS * DAY_MS) as f64;
    let mut at_ms = now_ms;
    for _ in 0..TRIES_MAX {
        at_ms = now_ms - ((1.0 - course.at(random)) * whole_ms) as i64;
        if random.unit() < traffic(at_ms) {
            break;
        }
    }
    at_ms.min(now_ms)
}

/// How busy a time is, at most 1: in the afternoon more than at night (UTC), on Sundays least.
fn traffic(at_ms: i64) -> f64 {
    let hour = (at_ms % DAY_MS) as f64 / HOUR_MS as f64;
    let by_hour = 0.55 - 0.45 * ((hour - 2.0) / 24.0 * std::f64::consts::TAU).cos();
    // 1970 began on a Thursday.
    let by_day = match (at_ms / DAY_MS + 3) % 7 {
        5 => 0.6,
        6 => 0.5,
        _ => 1.0,
    };
    by_hour * by_day
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::seed::{catalogue, fault};

    const NOW_MS: i64 = 1_795_247_062_000;

    #[test]
    fn moments_are_ordered_repeatable_and_within_the_days() {
        let (_, faults) = fault::faults(catalogue::programs().unwrap(), 1).unwrap();
        let planned = moments(&faults, 5_000, NOW_MS, 1);
        assert_eq!(planned, moments(&faults, 5_000, NOW_MS, 1));
        assert_ne!(planned, moments(&faults, 5_000, NOW_MS, 2));
        assert!(planned.is_sorted());
        let days: Vec<i64> =
            planned.iter().map(|moment| (NOW_MS - moment.at_ms) / DAY_MS).collect();
        assert!(days.iter().all(|day| (0..=DAYS).contains(day)));
        assert!(days.contains(&0) && days.contains(&(DAYS - 1)));
    }

    #[test]
    fn nights_and_sundays_are_calm() {
        let sunday_3 = 1_795_316_400_000; // 2026-11-22 03:00 UTC
        let monday_15 = sunday_3 + 36 * HOUR_MS;
        assert!(traffic(sunday_3) < 0.1 && traffic(monday_15) > 0.9);
    }
}
