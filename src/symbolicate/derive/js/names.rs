//! Finds the original name of a function.
//!
//! The map is asked at the word that names the function in the minified text: its `names` hold what was renamed.
//! What is not renamed usually has no name there, and then the original text at that place decides.

use super::OriginalFile;
use super::functions::{Function, Kind, Name, Role, Word};
use super::placed::Placed;
use super::text::{Generated, identifier, is_identifier_part};
use crate::js::ANONYMOUS;

/// Words that stand where a name could stand in the original text but are none.
const KEYWORDS: [&str; 20] = [
    "async",
    "await",
    "class",
    "const",
    "constructor",
    "default",
    "delete",
    "export",
    "extends",
    "function",
    "get",
    "let",
    "new",
    "return",
    "set",
    "static",
    "this",
    "typeof",
    "var",
    "void",
];

/// All that is needed to find names.
pub(crate) struct Namer<'n> {
    pub(crate) generated: &'n Generated<'n>,
    pub(crate) placed: &'n Placed,
    pub(crate) names: &'n [String],
    pub(crate) sources: &'n [OriginalFile<'n>],
}

impl Namer<'_> {
    /// Returns the original name of every function: [`ANONYMOUS`] if it has none, `None` if it cannot be told.
    pub(crate) fn names(&self, functions: &[Function<'_>]) -> Vec<Option<String>> {
        let mut names: Vec<Option<String>> = Vec::with_capacity(functions.len());
        for function in functions {
            let is_outside = names.get(function.parent as usize).is_none_or(Option::is_none);
            let name = match self.name(function) {
                // What a bundler wraps around the original code is no function of it.
                Some(name)
                    if name == ANONYMOUS && is_outside && self.origin(function).is_none() =>
                {
                    None
                }
                name => name,
            };
            names.push(name);
        }
        names
    }

    fn name(&self, function: &Function<'_>) -> Option<String> {
        let Name { kind, owners, own, expected } = &function.name;
        let (before, at) = self.origin(function).unwrap_or_default();
        // A name of its own comes first: minifiers drop it from expressions, but the original text has it.
        if let Some(name) = declared_name(at) {
            return Some(name.to_owned());
        }
        // A function that was moved to where it is called has its name where it came from.
        let Some(word) = own else {
            return Some(bound_name(before).unwrap_or(ANONYMOUS).to_owned());
        };
        let own = self.original(word)?;
        if expected.is_some_and(|expected| expected != own) {
            return Some(ANONYMOUS.to_owned());
        }
        let mut name = match kind {
            Kind::Plain => String::new(),
            Kind::Getter => "get ".to_owned(),
            Kind::Setter => "set ".to_owned(),
            Kind::Constructor => "new ".to_owned(),
        };
        for owner in owners.iter().filter_map(|owner| self.original(owner)) {
            name.push_str(owner);
            name.push('.');
        }
        name.push_str(own);
        Some(name)
    }

    /// Returns the original text before, on the same line, and behind the place where the function begins.
    fn origin(&self, function: &Function<'_>) -> Option<(&str, &str)> {
        let segment = self.placed.starting_at(self.generated.offset_of(function.start as usize))?;
        let (_, text) = self.sources.get(segment.source as usize)?;
        text.as_ref()?.around(segment.source_line, segment.source_column)
    }

    fn original<'s>(&'s self, word: &Word<'s>) -> Option<&'s str> {
        let minified = match word.role {
            Role::Fixed => return Some(word.text),
            // Private names may be renamed as freely as variables.
            Role::Property => Some(word.text),
            Role::Binding => None,
        };
        let Some(segment) = self.placed.starting_at(self.generated.offset_of(word.at as usize))
        else {
            return minified;
        };
        let name = self
            .names
            .get(segment.name as usize)
            .map(String::as_str)
            .filter(|name| !name.is_empty());
        let original = self.sources.get(segment.source as usize).and_then(|(_, text)| {
            let found = text.as_ref()?.identifier_at(segment.source_line, segment.source_column)?;
            (!KEYWORDS.contains(&found)).then_some(found)
        });
        match (name, original) {
            // A bundler made the name unique (`_Cart`, `Cart2`) before it was minified, or lost its `#`.
            (Some(name), Some(original)) if name.contains(original) || original.contains(name) => {
                Some(original)
            }
            (Some(name), _) => Some(name),
            (None, Some(original)) if word.role == Role::Binding || original.starts_with('#') => {
                Some(original)
            }
            (None, _) => minified,
        }
    }
}

/// Reads the name of `function total(`, also with `async` and `*`.
fn declared_name(text: &str) -> Option<&str> {
    let text = match text.strip_prefix("async") {
        Some(rest) if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => text,
    };
    let rest = text.strip_prefix("function")?;
    let is_separated = rest.starts_with(|char: char| char.is_whitespace() || char == '*');
    let name = rest.trim_start().trim_start_matches('*').trim_start();
    is_separated.then(|| identifier(name)).flatten()
}

/// Reads the name of `total = `, also with `async` and `(` before the first parameter.
fn bound_name(before: &str) -> Option<&str> {
    let before = before.trim_end();
    let before = before.strip_suffix('(').unwrap_or(before).trim_end();
    let before = before.strip_suffix("async").unwrap_or(before).trim_end();
    let before = before.strip_suffix('=')?.trim_end();
    let rest = before.trim_end_matches(is_identifier_part);
    // Behind a colon it would be a type: `total: Sum = `.
    let is_name = !rest.trim_end().ends_with(':');
    identifier(&before[rest.len()..]).filter(|name| is_name && !KEYWORDS.contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_names_are_read() {
        assert_eq!(declared_name("function total(x) {"), Some("total"));
        assert_eq!(declared_name("async function* total(x) {"), Some("total"));
        assert_eq!(declared_name("function*total(x) {"), Some("total"));
        for text in ["function (x) {", "functional(x)", "asyncfunction a()", "(x) => x", ""] {
            assert_eq!(declared_name(text), None, "{text}");
        }
    }

    #[test]
    fn bound_names_are_read() {
        assert_eq!(bound_name("const total = ("), Some("total"));
        assert_eq!(bound_name("  this.total = async ("), Some("total"));
        assert_eq!(bound_name("größe="), Some("größe"));
        for text in
            ["items.map(", "total == (", "let a: Sum = (", "a => ", "return (", "const = (", ""]
        {
            assert_eq!(bound_name(text), None, "{text}");
        }
    }
}
