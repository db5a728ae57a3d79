//! Cuts a search into its terms: `key:value`, `!key:value`, and words or quoted text without a key.

use super::Refused;

/// One term, with how it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// As it stands in the search.
    pub(super) source: String,
    /// What it says.
    pub(super) meaning: Meaning,
}

/// What a term says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A word, or several in quotation marks.
    Text(String),
    /// A key and what it is compared with.
    Filter {
        /// The key, without `!`.
        key: String,
        /// Whether it must not hold.
        is_negated: bool,
        /// One value, or several of a list; never none.
        values: Vec<String>,
    },
}

/// Cuts a search at blanks outside quotation marks and lists.
///
/// # Errors
/// Where a quotation mark or a list is not closed, and for `AND` and `OR`, in Sentry's words.
pub(super) fn terms(text: &str) -> Result<Vec<Term>, Refused> {
    let mut terms = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (meaning, after) = term(rest)?;
        let source = rest[..rest.len() - after.len()].to_owned();
        if let Meaning::Text(word) = &meaning
            && matches!(word.as_str(), "AND" | "OR")
            && !source.starts_with('"')
        {
            return Err(Refused::new(
                &source,
                "Boolean statements containing \"OR\" or \"AND\" are not supported in this search",
            ));
        }
        terms.push(Term { source, meaning });
        rest = after.trim_start();
    }
    Ok(terms)
}

/// Returns the first term and what follows it.
fn term(text: &str) -> Result<(Meaning, &str), Refused> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inside, after) = quoted_text(text, quoted)?;
        return Ok((Meaning::Text(inside), after));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let word = &text[..end];
    let Some((key, is_negated, value_at)) = key(word) else {
        return Ok((Meaning::Text(word.to_owned()), &text[end..]));
    };
    let value = &text[value_at..];
    let (values, after) = if let Some(quoted) = value.strip_prefix('"') {
        let (inside, after) = quoted_text(text, quoted)?;
        (vec![inside], after)
    } else if let Some(list) = value.strip_prefix('[') {
        listed(text, list)?
    } else {
        (vec![text[value_at..end].to_owned()], &text[end..])
    };
    Ok((Meaning::Filter { key, is_negated, values }, after))
}

/// Reads `key:` or `!key:` at the beginning of a word and returns where the value begins.
///
/// `KeyError: 'x'`, `std::vec` and `https://…` are text, not filters.
fn key(word: &str) -> Option<(String, bool, usize)> {
    let (is_negated, rest) = word.strip_prefix('!').map_or((false, word), |rest| (true, rest));
    let (key, value) = match rest.strip_prefix("tags[") {
        Some(tag) => rest.split_at_checked("tags[".len() + tag.find("]:")? + 1)?,
        None => rest.split_at_checked(rest.find(':')?)?,
    };
    let value = value.strip_prefix(':')?;
    if value.is_empty() || value.starts_with(':') || value.starts_with("//") {
        return None;
    }
    let tag = key.strip_prefix("tags[").and_then(|rest| rest.strip_suffix(']'));
    let is_key_char = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let name = tag.unwrap_or(key);
    if name.is_empty() || !name.chars().all(|c| is_key_char(c) || (tag.is_some() && c == ':')) {
        return None;
    }
    Some((key.to_owned(), is_negated, word.len() - value.len()))
}

/// Returns the text up to the closing quotation mark, and what follows it.
fn quoted_text<'a>(term: &str, text: &'a str) -> Result<(String, &'a str), Refused> {
    let mut inside = String::new();
    let mut chars = text.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok((inside, &text[at + 1..])),
            '\\' => match chars.next() {
                Some((_, escaped @ ('"' | '\\'))) => inside.push(escaped),
                // `\*` is a star that is none of the wildcards: whoever reads the value needs to see it.
                Some((_, other)) => inside.extend(['\\', other]),
                None => {}
            },
            other => inside.push(other),
        }
    }
    Err(Refused::new(term, "a quotation mark is not closed"))
}

/// Returns the values of a list up to its `]`, and what follows it.
fn listed<'a>(term: &str, text: &'a str) -> Result<(Vec<String>, &'a str), Refused> {
    let mut values = Vec::new();
    let mut rest = text.trim_start();
    loop {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_text(term, quoted)?,
            None => {
                let end = rest.find([',', ']']).unwrap_or(rest.len());
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        if !value.is_empty() {
            values.push(value);
        }
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix(',') {
            rest = after.trim_start();
            continue;
        }
        let closed = after.strip_prefix(']').filter(|_| !values.is_empty());
        let problem = "a list is like [a, b], and this one has no end or no value";
        return Ok((values, closed.ok_or_else(|| Refused::new(term, problem))?));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[(&str, &[&str])]) {
        let found = terms(text).unwrap();
        let shown: Vec<(String, Vec<String>)> = found
            .into_iter()
            .map(|term| match term.meaning {
                Meaning::Text(text) => (String::new(), vec![text]),
                Meaning::Filter { key, is_negated, values } => {
                    (format!("{}{key}", if is_negated { "!" } else { "" }), values)
                }
            })
            .collect();
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(key, values)| {
                ((*key).to_owned(), values.iter().map(|value| (*value).to_owned()).collect())
            })
            .collect();
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn terms_end_at_blanks_outside_quotes_and_lists() {
        check("  is:unresolved   disk", &[("is", &["unresolved"]), ("", &["disk"])]);
        check(r#"!a.b-c:"x y" z"#, &[("!a.b-c", &["x y"]), ("", &["z"])]);
        check(r#"level:[error, "fatal"]x"#, &[("level", &["error", "fatal"]), ("", &["x"])]);
        check("tags[a:b]:c", &[("tags[a:b]", &["c"])]);
        check(r#"a:"q \" \* \\""#, &[("a", &[r#"q " \* \"#])]);
        check(r#"plan:"""#, &[("plan", &[""])]);
    }

    #[test]
    fn text_with_colons_is_text() {
        for text in ["std::vec", "http://x/y", "KeyError:", "'a':1", "::1", "ä:b"] {
            check(text, &[("", &[text])]);
        }
        check(r#""is:resolved" "AND""#, &[("", &["is:resolved"]), ("", &["AND"])]);
    }

    #[test]
    fn what_has_no_end_is_refused_by_name() {
        for text in ["\"open", "a:\"open", "a:[b", "a:[]", "a:[,]", "x OR y", "AND"] {
            assert!(terms(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sources_make_the_search_again() {
        let text = r#"is:unresolved !env:[a, b] "x y" *z"#;
        let sources: Vec<String> = terms(text).unwrap().into_iter().map(|it| it.source).collect();
        assert_eq!(sources.join(" "), text);
    }
}
