//! What stands after the colon of a term: texts with wildcards, numbers and times with operators.

use std::ops::RangeInclusive;

use crate::db::issue_search::Match;

const SECOND_MS: i64 = 1_000;
const MINUTE_MS: i64 = 60 * SECOND_MS;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const DAY_MS: i64 = 24 * HOUR_MS;

/// Returns how texts are compared: `*` stands for anything, `\*` for itself. Of several values one that has a
/// wildcard decides that they are patterns, which a list cannot have: then `None`.
pub(super) fn matching(values: &[String]) -> Option<Match> {
    match values {
        [value] if has_wildcard(value) => Some(Match::Like(pattern(value))),
        values if values.iter().any(|value| has_wildcard(value)) => None,
        values => Some(Match::OneOf(values.iter().map(|value| plain(value)).collect())),
    }
}

fn has_wildcard(value: &str) -> bool {
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '*' => return true,
            _ => {}
        }
    }
    false
}

/// Returns the LIKE pattern (escape character `\`) of a value with wildcards.
pub(super) fn pattern(value: &str) -> String {
    let mut pattern = String::with_capacity(value.len() + 8);
    let mut chars = value.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\\' if chars.peek() == Some(&'*') => pattern.extend(chars.next()),
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', char]),
            other => pattern.push(other),
        }
    }
    pattern
}

fn plain(value: &str) -> String {
    value.replace("\\*", "*")
}

/// Reads `5`, `>1k`, `<=2.5m` as the numbers that are meant.
pub(super) fn numbers(value: &str) -> Option<RangeInclusive<i64>> {
    let (operator, rest) = operator(value);
    let factor = match rest.chars().next_back()? {
        'k' | 'K' => 1_000,
        'm' | 'M' => 1_000_000,
        'b' | 'B' => 1_000_000_000,
        _ => 1,
    };
    let digits = if factor == 1 { rest } else { &rest[..rest.len() - 1] };
    let number = digits.parse::<i64>().ok()?.checked_mul(factor).filter(|number| *number >= 0)?;
    Some(operator.range(number, number))
}

/// Reads a time as Sentry does, as the times in milliseconds that are meant: `-24h` is within the last 24
/// hours, `+7d` longer ago than 7 days, `2026-11-21` that day (UTC), `>=2026-11-21` from then on.
pub(super) fn times(value: &str, now_ms: i64) -> Option<RangeInclusive<i64>> {
    if let Some(age) = value.strip_prefix('-') {
        return Some(now_ms - duration_ms(age)?..=i64::MAX);
    }
    if let Some(age) = value.strip_prefix('+') {
        return Some(0..=now_ms - duration_ms(age)?);
    }
    let (operator, rest) = operator(value);
    if let Ok(date) = rest.parse::<jiff::civil::Date>() {
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_millisecond();
        return Some(operator.range(start, start + DAY_MS - 1));
    }
    let at = rest.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    Some(operator.range(at, at))
}

/// Reads a length of time like `14d` into milliseconds: `s`, `m`, `h`, `d` or `w`.
pub(crate) fn duration_ms(text: &str) -> Option<i64> {
    let (at, unit) = text.char_indices().next_back()?;
    let unit_ms = match unit {
        's' => SECOND_MS,
        'm' => MINUTE_MS,
        'h' => HOUR_MS,
        'd' => DAY_MS,
        'w' => 7 * DAY_MS,
        _ => return None,
    };
    text[..at].parse::<u32>().ok().and_then(|n| unit_ms.checked_mul(i64::from(n)))
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Equal,
    Above,
    From,
    Below,
    UpTo,
}

impl Operator {
    /// Returns what it means for a value that reaches from `first` to `last`, a day for example.
    fn range(self, first: i64, last: i64) -> RangeInclusive<i64> {
        match self {
            Self::Equal => first..=last,
            Self::Above => last.saturating_add(1)..=i64::MAX,
            Self::From => first..=i64::MAX,
            Self::Below => 0..=first - 1,
            Self::UpTo => 0..=last,
        }
    }
}

fn operator(value: &str) -> (Operator, &str) {
    for (sign, operator) in [
        (">=", Operator::From),
        ("<=", Operator::UpTo),
        (">", Operator::Above),
        ("<", Operator::Below),
        ("=", Operator::Equal),
    ] {
        if let Some(rest) = value.strip_prefix(sign) {
            return (operator, rest);
        }
    }
    (Operator::Equal, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_MS: i64 = 1_795_247_062_000;

    #[test]
    fn stars_are_wildcards_unless_escaped() {
        assert_eq!(pattern(r"50%_x"), r"50\%\_x");
        assert_eq!(pattern(r"a*\*b"), "a%*b");
        let one = |value: &str| matching(&[value.to_owned()]);
        assert_eq!(one("a*"), Some(Match::Like("a%".to_owned())));
        assert_eq!(one(r"a\*"), Some(Match::OneOf(vec!["a*".to_owned()])));
        assert_eq!(matching(&["a*".to_owned(), "b".to_owned()]), None);
    }

    #[test]
    fn numbers_have_operators_and_units() {
        assert_eq!(numbers("5"), Some(5..=5));
        assert_eq!(numbers(">1k"), Some(1_001..=i64::MAX));
        assert_eq!(numbers(">=2m"), Some(2_000_000..=i64::MAX));
        assert!(numbers("<0").is_some_and(|none| none.is_empty()));
        assert_eq!(numbers("<=3"), Some(0..=3));
        for bad in ["", ">", "many", "-1", "1.5", "9223372036854775807k"] {
            assert_eq!(numbers(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_are_relative_or_days_or_exact() {
        assert_eq!(times("-24h", NOW_MS), Some(NOW_MS - DAY_MS..=i64::MAX));
        assert_eq!(times("+1w", NOW_MS), Some(0..=NOW_MS - 7 * DAY_MS));
        let day = 1_795_219_200_000;
        assert_eq!(times("2026-11-21", NOW_MS), Some(day..=day + DAY_MS - 1));
        assert_eq!(times(">2026-11-21", NOW_MS), Some(day + DAY_MS..=i64::MAX));
        assert_eq!(times("<=2026-11-21T00:00:01Z", NOW_MS), Some(0..=day + 1_000));
        for bad in ["", "-", "-1y", "yesterday", "2026-13-01", "+é"] {
            assert_eq!(times(bad, NOW_MS), None, "{bad}");
        }
    }
}
