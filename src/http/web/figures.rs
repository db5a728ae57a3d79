//! Counts of issues in the form that pages show.

use pages::issue::TagShare;

use crate::db::issue_count::TagCount;

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Hours of a day.
pub(super) const DAY_HOURS: i64 = 24;
/// Days that bars show.
pub(super) const DAYS: i64 = 30;
/// Tags whose most frequent value is shown.
const TAGS_SHOWN_MAX: usize = 8;

/// Returns a count of the database as pages have them.
pub(super) fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// Returns the first hour of the days that bars show, counted from 1970.
pub(super) fn first_hour(now_ms: i64) -> i64 {
    (today(now_ms) - (DAYS - 1)) * DAY_HOURS
}

/// Sums hours into days (UTC), oldest first, the last is today.
pub(super) fn daily(hours: &[(i64, i64)], now_ms: i64) -> Vec<u64> {
    let first_day = today(now_ms) - (DAYS - 1);
    let mut days = vec![0_u64; usize::try_from(DAYS).unwrap_or(0)];
    for (hour, n) in hours {
        // An event from the near future, by a clock that runs ahead, counts as today's.
        let place = (hour / DAY_HOURS - first_day).min(DAYS - 1);
        if let Some(day) = usize::try_from(place).ok().and_then(|place| days.get_mut(place)) {
            *day += count(*n);
        }
    }
    days
}

fn today(now_ms: i64) -> i64 {
    now_ms / HOUR_MS / DAY_HOURS
}

/// Returns the most frequent value of each tag with its share; `counts` are the most frequent first.
pub(super) fn shares(counts: &[TagCount]) -> Vec<TagShare> {
    let mut shares: Vec<TagShare> = Vec::new();
    for top in counts {
        if shares.len() == TAGS_SHOWN_MAX || shares.iter().any(|share| share.key == top.key) {
            continue;
        }
        let all: i64 = counts.iter().filter(|count| count.key == top.key).map(|c| c.n).sum();
        let percent = (top.n * 100 + all / 2) / all.max(1);
        shares.push(TagShare {
            key: top.key.clone(),
            value: top.value.clone(),
            percent: u8::try_from(percent.clamp(0, 100)).unwrap_or(100),
        });
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_become_days_and_today_is_last() {
        let now_ms = 20_000 * DAY_HOURS * HOUR_MS + HOUR_MS;
        let (today, yesterday) = (20_000 * DAY_HOURS, 20_000 * DAY_HOURS - 1);
        let days = daily(&[(yesterday, 2), (today, 3), (today + 40, 1)], now_ms);
        assert_eq!(days.len(), 30);
        assert_eq!(days[28..], [2, 4]);
        assert_eq!(first_hour(now_ms), 19_971 * DAY_HOURS);
        assert_eq!(daily(&[(first_hour(now_ms) - 1, 9)], now_ms), [0; 30]);
    }

    #[test]
    fn tags_show_the_share_of_their_top_value() {
        let tag = |key: &str, value: &str, n| TagCount {
            key: key.to_owned(),
            value: value.to_owned(),
            n,
            last_seen_ms: 0,
        };
        let counts = [tag("os", "Linux", 6), tag("region", "eu", 4), tag("os", "Windows", 3)];
        let shares = shares(&counts);
        let shown: Vec<_> = shares.iter().map(|s| (s.key.as_str(), s.percent)).collect();
        assert_eq!(shown, [("os", 67), ("region", 100)]);
    }
}
