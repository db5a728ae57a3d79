//! What a list of issues is asked for, and the addresses of what could be asked instead.
//!
//! The words in the search field say everything but order and period, so that every filter on the page is a link
//! to the same list with other words.

use crate::address::with_query;
use crate::issue::IssueStatus;

/// What the list shows where the address says nothing.
pub const DEFAULT_QUERY: &str = "is:unresolved";

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Search {
    /// Address of the list, without a query.
    pub path: String,
    /// What stands in the search field.
    pub query: String,
    /// Its terms as they were written; none where it was not understood.
    pub terms: Vec<String>,
    /// The order.
    pub sort: Sort,
    /// How far back.
    pub period: Period,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Last seen first.
    #[default]
    LastSeen,
    /// First seen last first.
    FirstSeen,
    /// Most events first.
    Events,
    /// Most users first.
    Users,
}

impl Sort {
    /// All of them, in the order of the menu.
    pub const ALL: [Self; 4] = [Self::LastSeen, Self::FirstSeen, Self::Events, Self::Users];

    /// Reads Sentry's word for it; anything unknown is [`Sort::LastSeen`].
    pub fn from_query(text: &str) -> Self {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).unwrap_or_default()
    }

    /// Returns Sentry's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LastSeen => "date",
            Self::FirstSeen => "new",
            Self::Events => "freq",
            Self::Users => "user",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::LastSeen => "Last seen",
            Self::FirstSeen => "Newest",
            Self::Events => "Most events",
            Self::Users => "Most users",
        }
    }
}

/// How far back a list looks: issues not seen since are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Period {
    /// A day.
    Day,
    /// A week.
    Week,
    /// Two weeks.
    Fortnight,
    /// Thirty days.
    Month,
    /// For ever; bars show thirty days.
    #[default]
    All,
}

/// Milliseconds of an hour.
const HOUR_MS: i64 = 3_600_000;

impl Period {
    /// All of them, shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Fortnight, Self::Month, Self::All];

    /// Reads the value of `?period=`; anything unknown is [`Period::All`].
    pub fn from_query(text: &str) -> Self {
        Self::ALL.into_iter().find(|period| period.as_str() == text).unwrap_or_default()
    }

    /// Returns the value for `?period=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Fortnight => "14d",
            Self::Month => "30d",
            Self::All => "",
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::All => "All",
            other => other.as_str(),
        }
    }

    /// What bars over the period are headed by.
    pub(crate) fn trend_words(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Fortnight => "14 days",
            Self::Month | Self::All => "30 days",
        }
    }

    /// Returns when the period began, in milliseconds; `None` for ever.
    pub fn since_ms(self, now_ms: i64) -> Option<i64> {
        let days = match self {
            Self::Day => 1,
            Self::Week => 7,
            Self::Fortnight => 14,
            Self::Month => 30,
            Self::All => return None,
        };
        Some(now_ms - days * 24 * HOUR_MS)
    }

    /// Returns how many hours one bar stands for.
    pub fn hours_per_bar(self) -> i64 {
        match self {
            Self::Day => 1,
            Self::Week => 6,
            Self::Fortnight => 12,
            Self::Month | Self::All => 24,
        }
    }

    fn bars(self) -> i64 {
        match self {
            Self::Day => 24,
            Self::Week | Self::Fortnight => 28,
            Self::Month | Self::All => 30,
        }
    }

    /// Returns the first hour of the first bar, counted from 1970.
    pub fn first_hour(self, now_ms: i64) -> i64 {
        let hours = self.hours_per_bar();
        let last = now_ms / HOUR_MS / hours * hours;
        last - (self.bars() - 1) * hours
    }

    /// Spreads `(hour, events)` over the bars, oldest first. What a clock that runs ahead dates into the future
    /// counts as now.
    pub fn spread(self, counts: &[(i64, i64)], now_ms: i64) -> Vec<u64> {
        let first = self.first_hour(now_ms);
        let mut bars = vec![0_u64; usize::try_from(self.bars()).unwrap_or(0)];
        for (hour, n) in counts {
            let place = ((hour - first).div_euclid(self.hours_per_bar())).min(self.bars() - 1);
            if let Some(bar) = usize::try_from(place).ok().and_then(|place| bars.get_mut(place)) {
                *bar += u64::try_from(*n).unwrap_or(0);
            }
        }
        bars
    }
}

impl Search {
    /// Returns the address of this very list, from the top.
    pub fn url(&self) -> String {
        self.address(&self.query, self.sort, self.period, "")
    }

    /// Returns the address of the page of this list that begins at `cursor`.
    pub fn page_url(&self, cursor: &str) -> String {
        self.address(&self.query, self.sort, self.period, cursor)
    }

    fn address(&self, query: &str, sort: Sort, period: Period, cursor: &str) -> String {
        // An empty search is not the same as none.
        let query = match query {
            DEFAULT_QUERY => "",
            "" => "*",
            query => query,
        };
        let sort = if sort == Sort::default() { "" } else { sort.as_str() };
        let pairs =
            [("query", query), ("sort", sort), ("period", period.as_str()), ("cursor", cursor)];
        with_query(&self.path, &pairs)
    }

    pub(crate) fn sort_url(&self, sort: &Sort) -> String {
        self.address(&self.query, *sort, self.period, "")
    }

    pub(crate) fn period_url(&self, period: &Period) -> String {
        self.address(&self.query, self.sort, *period, "")
    }

    /// The status that is listed: `None` is all, and `Err` a choice that no tab stands for.
    pub(crate) fn status(&self) -> Result<Option<IssueStatus>, ()> {
        let named: Vec<&String> = self.terms.iter().filter(|term| is_status(term)).collect();
        match named.as_slice() {
            [] => Ok(None),
            [one] => {
                let word = one.strip_prefix("is:").unwrap_or_default();
                IssueStatus::from_text(word).map(Some).ok_or(())
            }
            _ => Err(()),
        }
    }

    pub(crate) fn status_url(&self, status: Option<&IssueStatus>) -> String {
        let first = status.map(|status| format!("is:{}", status.as_str()));
        let others = self.terms.iter().filter(|term| !is_status(term)).cloned();
        let terms: Vec<String> = first.into_iter().chain(others).collect();
        self.address(&terms.join(" "), self.sort, self.period, "")
    }

    /// The terms beside the status, each with the address of the list without it.
    pub(crate) fn chips(&self) -> Vec<(String, String)> {
        let without = |at: usize| {
            let rest = self.terms.iter().enumerate().filter(|(place, _)| *place != at);
            let rest: Vec<&str> = rest.map(|(_, term)| term.as_str()).collect();
            self.address(&rest.join(" "), self.sort, self.period, "")
        };
        let terms = self.terms.iter().enumerate().filter(|(_, term)| !is_status(term));
        terms.map(|(at, term)| (term.clone(), without(at))).collect()
    }

    /// Whether anything but the status narrows the list.
    pub(crate) fn is_narrow(&self) -> bool {
        self.period != Period::All || self.terms.iter().any(|term| !is_status(term))
    }

    /// Whether some term has this key and value.
    pub(crate) fn has(&self, key: &str, value: &str) -> bool {
        let term = term(key, value);
        self.terms.contains(&term)
    }

    /// Address of the list with `key:value` in place of what it says of the key; without it where it is there.
    pub(crate) fn toggle_url(&self, key: &str, value: &str) -> String {
        let wanted = term(key, value);
        let prefix = format!("{key}:");
        let negated = format!("!{key}:");
        let mut terms: Vec<String> = self
            .terms
            .iter()
            .filter(|term| {
                **term != wanted
                    && (key == "is" || !(term.starts_with(&prefix) || term.starts_with(&negated)))
            })
            .cloned()
            .collect();
        if !self.terms.contains(&wanted) {
            terms.push(wanted);
        }
        self.address(&terms.join(" "), self.sort, self.period, "")
    }

    /// Address of the same search in every status and for ever.
    pub(crate) fn everywhere_url(&self) -> String {
        Self { period: Period::All, ..self.clone() }.status_url(None)
    }

    /// Address of the list that nobody has narrowed.
    pub(crate) fn plain_url(&self) -> &str {
        &self.path
    }
}

fn is_status(term: &str) -> bool {
    let word = term.strip_prefix('!').unwrap_or(term).strip_prefix("is:");
    word.is_some_and(|word| !matches!(word, "unhandled" | "handled"))
}

/// Writes `key:value`, in quotation marks where the value needs them.
pub fn term(key: &str, value: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "@._-+/:".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) && !value.starts_with(['/', ':']) {
        return format!("{key}:{value}");
    }
    let mut quoted = String::with_capacity(value.len() + 2);
    for char in value.chars() {
        if matches!(char, '"' | '\\' | '*') {
            quoted.push('\\');
        }
        quoted.push(char);
    }
    format!("{key}:\"{quoted}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(query: &str) -> Search {
        Search {
            path: "/o/p/issues/".to_owned(),
            query: query.to_owned(),
            terms: query.split_whitespace().map(str::to_owned).collect(),
            sort: Sort::LastSeen,
            period: Period::All,
        }
    }

    #[test]
    fn the_plain_list_has_the_plain_address() {
        assert_eq!(search(DEFAULT_QUERY).url(), "/o/p/issues/");
        assert_eq!(search("").url(), "/o/p/issues/?query=%2A");
        let frequent = Search { sort: Sort::Events, period: Period::Day, ..search("disk") };
        assert_eq!(
            frequent.page_url("7:1:0"),
            "/o/p/issues/?query=disk&sort=freq&period=24h&cursor=7%3A1%3A0"
        );
    }

    #[test]
    fn tabs_change_the_status_alone() {
        let disk = search("is:resolved disk !level:info is:unhandled");
        assert_eq!(disk.status(), Ok(Some(IssueStatus::Resolved)));
        assert!(disk.status_url(None).ends_with("?query=disk%20%21level%3Ainfo%20is%3Aunhandled"));
        assert_eq!(search("disk").status(), Ok(None));
        assert_eq!(search("!is:ignored").status(), Err(()));
        assert_eq!(search("is:[a]").status(), Err(()));
    }

    #[test]
    fn filters_replace_what_was_said_of_their_key() {
        let one = search("is:unresolved environment:prod !level:info");
        assert!(one.toggle_url("environment", "dev").contains("%20environment%3Adev"));
        assert!(!one.toggle_url("environment", "prod").contains("environment"));
        assert!(!one.toggle_url("level", "error").contains("info"));
        assert!(one.toggle_url("is", "unhandled").contains("is%3Aunresolved"));
        let chips: Vec<String> = one.chips().into_iter().map(|(term, _)| term).collect();
        assert_eq!(chips, ["environment:prod", "!level:info"]);
    }

    #[test]
    fn values_are_quoted_where_they_need_it() {
        assert_eq!(term("release", "shop@2.4.1+7"), "release:shop@2.4.1+7");
        assert_eq!(term("url", "/cart"), "url:\"/cart\"");
        assert_eq!(term("plan", "a \"b\" *"), r#"plan:"a \"b\" \*""#);
        assert_eq!(term("plan", ""), "plan:\"\"");
    }

    #[test]
    fn hours_are_spread_over_the_bars_of_the_period() {
        let now_ms = (20_000 * 24 + 5) * HOUR_MS + 1;
        let now = 20_000 * 24 + 5;
        let day =
            Period::Day.spread(&[(now, 2), (now - 23, 1), (now - 24, 9), (now + 3, 1)], now_ms);
        assert_eq!((day.len(), day[0], day[23]), (24, 1, 3));
        let week = Period::Week.spread(&[(now - 5, 4), (now - 6, 1)], now_ms);
        assert_eq!((week.len(), week[27], week[26]), (28, 4, 1));
        let month = Period::All.spread(&[(now - 5, 4), (now - 6, 1)], now_ms);
        assert_eq!((month.len(), month[29], month[28]), (30, 4, 1));
        assert_eq!(Period::Day.since_ms(now_ms), Some(now_ms - 24 * HOUR_MS));
    }
}
