//! Counts of issues in the form that pages show.

use pages::address::with_query;
use pages::search::{DEFAULT_QUERY, term};
use pages::tags::{TagShare, TagValue};

use crate::db::issue_count::TagCount;

/// Milliseconds of an hour.
pub(super) const HOUR_MS: i64 = 3_600_000;
/// Hours of a day.
pub(super) const DAY_HOURS: i64 = 24;
/// Days that bars show.
pub(super) const DAYS: i64 = 30;

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

/// Returns tags with their most frequent values, at most `tags_max` and `values_max` of each; `counts` are the most
/// frequent first. `url` leads to what else has a value.
pub(super) fn shares(
    counts: &[TagCount],
    tags_max: usize,
    values_max: usize,
    url: impl Fn(&str, &str) -> String,
) -> Vec<TagShare> {
    let mut keys: Vec<&str> = Vec::new();
    for count in counts {
        if !keys.contains(&count.key.as_str()) {
            keys.push(&count.key);
        }
    }
    let share = |key: &&str| {
        let of_key: Vec<&TagCount> = counts.iter().filter(|count| count.key == **key).collect();
        let all: i64 = of_key.iter().map(|count| count.n).sum();
        let value = |count: &&TagCount| TagValue {
            value: count.value.clone(),
            events: self::count(count.n),
            percent: percent(count.n, all),
            url: url(key, &count.value),
        };
        TagShare {
            key: (*key).to_owned(),
            values: of_key.iter().take(values_max).map(value).collect(),
            hidden: of_key.len().saturating_sub(values_max) as u64,
        }
    };
    let mut shares: Vec<TagShare> = keys.iter().map(share).collect();
    // What tells events apart comes first: where one value is all there is, nothing is to be learned.
    shares.sort_by_key(|share| (share.values.len() < 2, rank(&share.key)));
    shares.truncate(tags_max);
    shares
}

/// What is asked for first; tags of one's own come after that.
fn rank(key: &str) -> usize {
    let first =
        ["environment", "release", "os", "browser", "runtime", "transaction", "server_name"];
    first.iter().position(|known| *known == key).unwrap_or(first.len())
}

/// Returns a part of a whole in percent, rounded.
fn percent(part: i64, all: i64) -> u8 {
    let percent = (part * 100 + all / 2) / all.max(1);
    u8::try_from(percent.clamp(0, 100)).unwrap_or(100)
}

/// Returns the address of the unresolved issues of a project that have a tag.
pub(super) fn tag_url(issues_url: &str, key: &str, value: &str) -> String {
    let query = format!("{DEFAULT_QUERY} {}", term(key, value));
    with_query(issues_url, &[("query", &query)])
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
    fn tags_show_the_shares_of_their_values() {
        let tag = |key: &str, value: &str, n| TagCount {
            key: key.to_owned(),
            value: value.to_owned(),
            n,
            last_seen_ms: 0,
        };
        let counts = [
            tag("os", "Linux", 6),
            tag("region", "eu", 4),
            tag("os", "Windows", 3),
            tag("os", "Mac", 1),
            tag("plan", "a b", 1),
        ];
        let shares = shares(&counts, 2, 2, |key, value| tag_url("/o/p/issues/", key, value));
        let shown: Vec<_> =
            shares.iter().map(|s| (s.key.as_str(), s.values.len(), s.hidden)).collect();
        assert_eq!(shown, [("os", 2, 1), ("region", 1, 0)]);
        let percents: Vec<u8> = shares[0].values.iter().map(|value| value.percent).collect();
        assert_eq!(percents, [60, 30]);
        assert_eq!(shares[1].values[0].url, "/o/p/issues/?query=is%3Aunresolved%20region%3Aeu");
    }
}
