//! Sentry's search language, as far as this server can answer it: one parser for the pages and the REST API.
//!
//! What it does not know is refused by name: a filter that is silently dropped shows the wrong issues. A key that
//! is no word of the language is a tag's. Tags are counted per issue, so two terms about tags may be true of two
//! different events of one issue.

mod value;
mod words;

use pages::issue::IssueStatus;
use protocol::id::EventId;
use protocol::level::Level;
use protocol::short_id::ShortId;

pub(crate) use self::value::duration_ms;
use self::value::{matching, numbers, pattern, times};
use self::words::{Meaning, terms};
use crate::db::issue_search::{Column, Filter, Holds, Match, TESTS_MAX, Test};
use crate::error::Error;

/// What is searched where nobody says anything.
pub(crate) const DEFAULT: &str = "is:unresolved";
/// Longest query in bytes.
const QUERY_BYTES_MAX: usize = 1_000;
/// All statuses.
const STATUSES: [IssueStatus; 3] =
    [IssueStatus::Unresolved, IssueStatus::Resolved, IssueStatus::Ignored];
/// Keys of Sentry's that would be taken for tags and that nothing here could answer; with a point at the end, all
/// that begin so.
const UNANSWERABLE: [(&str, &str); 13] = [
    ("assigned", "issues are not assigned to people here"),
    ("assigned_or_suggested", "issues are not assigned to people here"),
    ("bookmarks", "there are no bookmarks here"),
    ("subscribed", "there are no subscriptions here"),
    ("timestamp", "use firstSeen or lastSeen"),
    ("regressed_in_release", "which release an issue came back in is not kept"),
    ("user", "users are counted and not kept by name: look at an issue's events"),
    ("user.", "users are counted and not kept by name: look at an issue's events"),
    ("http.", "requests are not indexed: look at an issue's events"),
    ("stack.", "frames are not indexed: search for the title or the culprit"),
    ("geo.", "places of users are not indexed"),
    ("device.", "devices are not indexed: give the SDK a tag of your own"),
    ("release.", "releases are compared as they are written: release:shop@1.* for example"),
];

/// A term that was not understood, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The term as it was written.
    pub(crate) term: String,
    /// Why, as a fragment.
    pub(crate) why: String,
}

impl Refused {
    fn new(term: &str, why: impl Into<String>) -> Self {
        Self { term: term.to_owned(), why: why.into() }
    }
}

impl From<Refused> for Error {
    /// In Sentry's words.
    fn from(refused: Refused) -> Self {
        Self::Invalid(format!(
            "Error parsing search query: `{}`: {}; docs/search.md lists what can be searched, \
             is:unresolved for example",
            refused.term, refused.why
        ))
    }
}

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IssueQuery {
    /// The statuses that are wanted; none where the query contradicts itself.
    pub(crate) statuses: Vec<IssueStatus>,
    /// What must hold beside that.
    pub(crate) filter: Filter,
    /// Slugs of projects; empty is any.
    pub(crate) projects: Vec<String>,
    /// The one issue that is meant, where the free text is a short id.
    pub(crate) short_id: Option<ShortId>,
    /// The one event that is meant, where the free text is an event id.
    pub(crate) event_id: Option<EventId>,
    /// The terms as they were written.
    pub(crate) terms: Vec<String>,
}

impl IssueQuery {
    /// Reads a query; times are relative to `now_ms`. An empty one means everything.
    ///
    /// # Errors
    /// The term that is not understood, and why.
    pub(crate) fn parse(text: &str, now_ms: i64) -> Result<Self, Refused> {
        if text.len() > QUERY_BYTES_MAX {
            let beginning = &text[..text.floor_char_boundary(40)];
            let why = format!("the search is longer than {QUERY_BYTES_MAX} bytes");
            return Err(Refused::new(beginning, why));
        }
        let mut query = Self {
            statuses: STATUSES.to_vec(),
            filter: Filter::default(),
            projects: Vec::new(),
            short_id: None,
            event_id: None,
            terms: Vec::new(),
        };
        let mut texts = Vec::new();
        for term in terms(text)? {
            match &term.meaning {
                Meaning::Text(text) => {
                    let like = Match::Like(format!("%{}%", pattern(text)));
                    query.test(&term.source, false, Holds::Text(like))?;
                    texts.push(text.clone());
                }
                Meaning::Filter { key, is_negated, values } => {
                    let of =
                        Filtered { source: &term.source, key, is_negated: *is_negated, values };
                    query.filter(&of, now_ms)?;
                }
            }
            query.terms.push(term.source);
        }
        if let [text] = texts.as_slice() {
            query.event_id = text.parse().ok().filter(|_| matches!(text.len(), 32 | 36));
            query.short_id = query.short_id.take().or_else(|| ShortId::parse(text));
        }
        Ok(query)
    }

    /// Adds that some event of an issue happened in one of these environments; none means any.
    ///
    /// # Errors
    /// Where the query has too many terms already.
    pub(crate) fn in_environments(&mut self, environments: &[&str]) -> Result<(), Refused> {
        if environments.is_empty() {
            return Ok(());
        }
        let values = environments.iter().map(|name| (*name).to_owned()).collect();
        let holds = Holds::Tag("environment".to_owned(), Match::OneOf(values));
        self.test("environment", false, holds)
    }

    /// Returns the keys of tags that are asked for.
    pub(crate) fn tags(&self) -> Vec<&str> {
        let tests = self.filter.tests.iter();
        tests
            .filter_map(|test| match &test.holds {
                Holds::Tag(key, _) | Holds::HasTag(key) => Some(key.as_str()),
                _ => None,
            })
            .collect()
    }

    fn test(&mut self, source: &str, is_negated: bool, holds: Holds) -> Result<(), Refused> {
        if self.filter.tests.len() == TESTS_MAX {
            let why =
                format!("a search has at most {TESTS_MAX} terms beside status, times and counts");
            return Err(Refused::new(source, why));
        }
        self.filter.tests.push(Test { holds, is_negated });
        Ok(())
    }

    fn filter(&mut self, of: &Filtered<'_>, now_ms: i64) -> Result<(), Refused> {
        match of.key {
            "is" => self.is(of),
            "project" | "project.name" => {
                self.projects.extend(of.positive()?.iter().map(|slug| slug.to_lowercase()));
                Ok(())
            }
            "issue" => {
                let found = ShortId::parse(of.one()?);
                self.short_id = Some(found.ok_or_else(|| of.refused("it is like issue:SHOP-1K"))?);
                Ok(())
            }
            "timesSeen" | "times_seen" | "events" => {
                of.narrow(&mut self.filter.times_seen, "it is like >100", numbers)
            }
            "userCount" | "users" => {
                of.narrow(&mut self.filter.users_seen, "it is like >10", numbers)
            }
            "age" | "firstSeen" | "first_seen" => {
                of.narrow(&mut self.filter.first_seen_ms, TIMES, |value| times(value, now_ms))
            }
            "lastSeen" | "last_seen" => {
                of.narrow(&mut self.filter.last_seen_ms, TIMES, |value| times(value, now_ms))
            }
            _ => {
                let (holds, is_negated) = of.holds()?;
                self.test(of.source, is_negated, holds)
            }
        }
    }

    /// `is:…`: a status, or whether the program handled it.
    fn is(&mut self, of: &Filtered<'_>) -> Result<(), Refused> {
        if let [word @ ("unhandled" | "handled")] = of.words().as_slice() {
            let is_negated = of.is_negated != (*word == "handled");
            return self.test(of.source, is_negated, Holds::Unhandled);
        }
        let mut named = Vec::new();
        for word in of.words() {
            named.push(status(word).ok_or_else(|| {
                of.refused("is: knows unresolved, resolved, ignored (archived, muted), unhandled and handled")
            })?);
        }
        self.statuses.retain(|status| named.contains(status) != of.is_negated);
        Ok(())
    }
}

/// What times look like.
const TIMES: &str = "it is like -24h (within), +7d (longer ago) or >=2026-11-21";

fn status(word: &str) -> Option<IssueStatus> {
    match word {
        "archived" | "muted" => Some(IssueStatus::Ignored),
        other => IssueStatus::from_text(other),
    }
}

/// A term with a key.
struct Filtered<'a> {
    source: &'a str,
    key: &'a str,
    is_negated: bool,
    values: &'a [String],
}

impl Filtered<'_> {
    fn refused(&self, why: impl Into<String>) -> Refused {
        Refused::new(self.source, why)
    }

    fn words(&self) -> Vec<&str> {
        self.values.iter().map(String::as_str).collect()
    }

    fn positive(&self) -> Result<&[String], Refused> {
        if self.is_negated { Err(self.refused("it cannot be negated")) } else { Ok(self.values) }
    }

    fn one(&self) -> Result<&str, Refused> {
        match self.positive()? {
            [one] => Ok(one),
            _ => Err(self.refused("it takes one value")),
        }
    }

    /// Makes a range of times or numbers narrower.
    fn narrow(
        &self,
        range: &mut std::ops::RangeInclusive<i64>,
        example: &str,
        read: impl Fn(&str) -> Option<std::ops::RangeInclusive<i64>>,
    ) -> Result<(), Refused> {
        let read = read(self.one()?).ok_or_else(|| self.refused(example))?;
        *range = *range.start().max(read.start())..=*range.end().min(read.end());
        Ok(())
    }

    fn matching(&self) -> Result<Match, Refused> {
        matching(self.values).ok_or_else(|| self.refused("a list cannot have wildcards"))
    }

    /// What must hold, and whether it must not.
    fn holds(&self) -> Result<(Holds, bool), Refused> {
        let column = |column| Ok((Holds::Column(column, self.matching()?), self.is_negated));
        match self.key {
            "level" => Ok((self.level()?, self.is_negated)),
            "issue.priority" | "priority" => Ok((self.priority()?, self.is_negated)),
            "platform" | "platform.name" => column(Column::Platform),
            "logger" => column(Column::Logger),
            "title" => column(Column::Title),
            "culprit" | "location" => column(Column::Culprit),
            "firstRelease" | "first-release" | "first_release" => column(Column::FirstRelease),
            "message" => Ok((Holds::Text(self.matching()?), self.is_negated)),
            "error.type" => Ok((self.title_with("", ": %")?, self.is_negated)),
            "error.value" => Ok((self.title_with("%: ", ": ")?, self.is_negated)),
            "error.unhandled" => Ok((Holds::Unhandled, self.is_negated == self.truth()?)),
            "error.handled" => Ok((Holds::Unhandled, self.is_negated != self.truth()?)),
            "has" => Ok((Holds::HasTag(self.tag_key(self.value()?)?), self.is_negated)),
            key => self.tag(key),
        }
    }

    fn value(&self) -> Result<&str, Refused> {
        match self.values {
            [one] => Ok(one),
            _ => Err(self.refused("it takes one value")),
        }
    }

    fn truth(&self) -> Result<bool, Refused> {
        match self.value()? {
            "true" | "1" | "yes" => Ok(true),
            "false" | "0" | "no" => Ok(false),
            _ => Err(self.refused("it is true or false")),
        }
    }

    fn level(&self) -> Result<Holds, Refused> {
        let levels: Option<Vec<String>> = self
            .values
            .iter()
            .map(|name| Level::from_text(name).map(|level| level.to_string()))
            .collect();
        let levels = levels
            .ok_or_else(|| self.refused("levels are fatal, error, warning, info and debug"))?;
        Ok(Holds::Column(Column::Level, Match::OneOf(levels)))
    }

    /// Priorities are made of levels, as the REST API shows them.
    fn priority(&self) -> Result<Holds, Refused> {
        let mut levels = Vec::new();
        for name in self.values {
            let of_priority: &[&str] = match name.as_str() {
                "high" => &["fatal", "error"],
                "medium" => &["warning"],
                "low" => &["info", "debug"],
                _ => return Err(self.refused("priorities are high, medium and low")),
            };
            levels.extend(of_priority.iter().map(|level| (*level).to_owned()));
        }
        Ok(Holds::Column(Column::Level, Match::OneOf(levels)))
    }

    /// An exception's type and value stand in the title, as `type: value`.
    fn title_with(&self, before: &str, after: &str) -> Result<Holds, Refused> {
        let like = format!("{before}{}{after}", pattern(self.value()?));
        Ok(Holds::Column(Column::TitleColon, Match::Like(like)))
    }

    fn tag(&self, key: &str) -> Result<(Holds, bool), Refused> {
        if key == "issue.category" || key == "issue.type" {
            return self.category();
        }
        let is_key = |name: &str| name == key || (name.ends_with('.') && key.starts_with(name));
        if let Some((_, why)) = UNANSWERABLE.iter().find(|(name, _)| is_key(name)) {
            return Err(self.refused(*why));
        }
        let name = match key {
            "error.mechanism" => "mechanism".to_owned(),
            "os.name" | "browser.name" | "runtime.name" => {
                let like = Match::Like(format!("{}%", pattern(self.value()?)));
                let name = key.trim_end_matches(".name").to_owned();
                return Ok((Holds::Tag(name, like), self.is_negated));
            }
            key => self.tag_key(key)?,
        };
        if name == "release" && self.values.iter().any(|value| value == "latest") {
            return Err(self.refused("which release is the latest is not known: name it"));
        }
        if self.values == [""] {
            return Ok((Holds::HasTag(name), !self.is_negated));
        }
        Ok((Holds::Tag(name, self.matching()?), self.is_negated))
    }

    /// All issues here are errors.
    fn category(&self) -> Result<(Holds, bool), Refused> {
        let is_error = self.values.iter().any(|value| value == "error");
        let any = Match::Like("%".to_owned());
        Ok((Holds::Column(Column::Title, any), self.is_negated == is_error))
    }

    fn tag_key(&self, key: &str) -> Result<String, Refused> {
        let inside = key.strip_prefix("tags[").and_then(|rest| rest.strip_suffix(']'));
        let name = inside.unwrap_or(key);
        if name.is_empty() { Err(self.refused("a tag has a name")) } else { Ok(name.to_owned()) }
    }
}

#[cfg(test)]
mod tests;
