//! What of Sentry's search language the lists of issues know.
//!
//! What they do not know is refused by name: a filter that is silently ignored shows the wrong issues.

use pages::issue::IssueStatus;
use protocol::id::EventId;
use protocol::level::Level;
use protocol::short_id::ShortId;

use crate::error::{Error, Result};

/// Longest query in bytes.
const QUERY_BYTES_MAX: usize = 1_000;
/// What an error names.
const SUPPORTED: &str = "supported are is:unresolved, is:resolved, is:ignored, level:<level>, \
    project:<slug>, a short id, an event id, and text of the title or culprit (* is a wildcard)";

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct IssueQuery {
    /// The status; `None` is any.
    pub(super) status: Option<IssueStatus>,
    /// The level.
    pub(super) level: Option<Level>,
    /// Slugs of projects; empty is any.
    pub(super) projects: Vec<String>,
    /// A LIKE pattern for the free text.
    pub(super) pattern: Option<String>,
    /// The one issue that is meant, where the free text is a short id.
    pub(super) short_id: Option<ShortId>,
    /// The one event that is meant, where the free text is an event id.
    pub(super) event_id: Option<EventId>,
}

impl IssueQuery {
    /// Reads a query; an absent one means what waits for somebody, an empty one everything.
    ///
    /// # Errors
    /// `Invalid` with the term that is not understood and what would be.
    pub(super) fn parse(text: Option<&str>) -> Result<Self> {
        let text = text.unwrap_or("is:unresolved").trim();
        if text.len() > QUERY_BYTES_MAX {
            return Err(refused(&format!("it is longer than {QUERY_BYTES_MAX} bytes")));
        }
        let mut query = Self::default();
        let mut words = Vec::new();
        for term in terms(text)? {
            match term {
                Term::Filter(key, value) => query.filter(&key, &value)?,
                Term::Text(word) => words.push(word),
            }
        }
        query.text(&words.join(" "));
        Ok(query)
    }

    fn filter(&mut self, key: &str, value: &str) -> Result<()> {
        let unknown = || refused(&format!("`{key}:{value}` is not supported"));
        match key {
            "is" => self.status = Some(status(value).ok_or_else(unknown)?),
            "level" => self.level = Some(Level::from_text(value).ok_or_else(unknown)?),
            "project" | "project.name" => self.projects.push(value.to_lowercase()),
            "issue" => self.short_id = Some(ShortId::parse(value).ok_or_else(unknown)?),
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.event_id = text.parse().ok().filter(|_| matches!(text.len(), 32 | 36));
        self.short_id = self.short_id.take().or_else(|| ShortId::parse(text));
        self.pattern = Some(pattern(text));
    }
}

/// Returns a LIKE pattern that finds `text` anywhere; `*` stands for anything.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for char in text.chars() {
        match char {
            '*' => pattern.push('%'),
            '%' | '_' | '\\' => pattern.extend(['\\', char]),
            other => pattern.push(other),
        }
    }
    pattern.push('%');
    pattern
}

fn status(value: &str) -> Option<IssueStatus> {
    match value {
        "archived" | "muted" => Some(IssueStatus::Ignored),
        other => IssueStatus::from_text(other),
    }
}

fn refused(why: &str) -> Error {
    Error::Invalid(format!("Error parsing search query: {why}; {SUPPORTED}"))
}

#[derive(Debug, PartialEq, Eq)]
enum Term {
    Filter(String, String),
    Text(String),
}

/// Splits a query at blanks outside quotation marks.
fn terms(text: &str) -> Result<Vec<Term>> {
    let mut terms = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (term, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let (inside, after) = quoted_text(quoted)?;
                (Term::Text(inside), after)
            }
            None => term(rest)?,
        };
        if term == Term::Text("AND".to_owned()) || term == Term::Text("OR".to_owned()) {
            return Err(refused(
                "Boolean statements containing \"OR\" or \"AND\" are not supported in this search",
            ));
        }
        terms.push(term);
        rest = after.trim_start();
    }
    Ok(terms)
}

fn term(text: &str) -> Result<(Term, &str)> {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    let is_key = |key: &str| {
        let key = key.strip_prefix('!').unwrap_or(key);
        !key.is_empty()
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']'))
    };
    // `KeyError: 'x'` and `https://…` are text, not filters.
    let filter = word.split_once(':').filter(|(key, value)| {
        is_key(key) && !value.is_empty() && !value.starts_with(':') && !value.starts_with("//")
    });
    let Some((key, value)) = filter else {
        return Ok((Term::Text(word.to_owned()), after));
    };
    if !value.starts_with('"') {
        return Ok((Term::Filter(key.to_owned(), value.to_owned()), after));
    }
    let (inside, after) = quoted_text(&text[key.len() + 2..])?;
    Ok((Term::Filter(key.to_owned(), inside), after))
}

/// Returns the text up to the closing quotation mark, and what follows it.
fn quoted_text(text: &str) -> Result<(String, &str)> {
    let mut inside = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((inside, &text[at + 1..])),
            '\\' => inside.extend(chars.next().map(|(_, escaped)| escaped)),
            other => inside.push(other),
        }
    }
    Err(refused("a quotation mark is not closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> IssueQuery {
        IssueQuery::parse(Some(text)).unwrap()
    }

    #[test]
    fn statuses_have_several_names() {
        assert_eq!(IssueQuery::parse(None).unwrap().status, Some(IssueStatus::Unresolved));
        assert_eq!(parse(""), IssueQuery::default());
        for word in ["ignored", "archived", "muted"] {
            assert_eq!(parse(&format!("is:{word}")).status, Some(IssueStatus::Ignored), "{word}");
        }
        assert_eq!(parse(" is:resolved  level:warn").level, Some(Level::Warning));
    }

    #[test]
    fn text_is_searched_literally_with_wildcards() {
        assert_eq!(parse("KeyError 50%_x").pattern.as_deref(), Some(r"%KeyError 50\%\_x%"));
        assert_eq!(parse("Key*: 'x'").pattern.as_deref(), Some("%Key%: 'x'%"));
        assert_eq!(parse(r#""a \"b\" is:x""#).pattern.as_deref(), Some(r#"%a "b" is:x%"#));
        assert_eq!(parse("std::vec").pattern.as_deref(), Some("%std::vec%"));
        assert_eq!(parse("http://x/y").pattern.as_deref(), Some("%http://x/y%"));
        assert_eq!(parse("a is:resolved b").pattern.as_deref(), Some("%a b%"));
    }

    #[test]
    fn ids_are_recognized() {
        let short_id = Some(ShortId { slug: "shop".to_owned(), number: 33 });
        assert_eq!(parse("SHOP-11").short_id, short_id);
        assert_eq!(parse("issue:SHOP-11").short_id, short_id);
        let id = "9c7d8f0e-1a2b-4c3d-8e4f-5a6b7c8d9e0f";
        assert_eq!(parse(id).event_id, Some(id.parse().unwrap()));
        assert_eq!(parse("project:Shop").projects, ["shop"]);
        assert_eq!(parse(r#"project:"my shop" x"#).projects, ["my shop"]);
    }

    #[test]
    fn unknown_filters_are_refused_by_name() {
        for text in ["assigned:me", "is:linked", "!level:error", "level:loud", "a OR b", "\"open"] {
            let error = IssueQuery::parse(Some(text)).unwrap_err().to_string();
            assert!(error.starts_with("Error parsing search query: "), "{error}");
            assert!(error.contains("is:unresolved"), "{error}");
        }
        assert!(IssueQuery::parse(Some(&"x".repeat(1_001))).is_err());
    }
}
