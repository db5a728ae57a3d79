//! Finds the original name of a function.
//!
//! The map is asked at the word that names the function in the minified text: its `names` hold what was renamed.
//! What is not renamed usually has no name there, and then the original text at that place decides.

use super::OriginalFile;
use super::functions::{Function, Kind, Name, Role, Word};
use super::map::NONE;
use super::placed::Placed;
use super::text::{Generated, identifier};
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
    /// Returns the original name of `function`: [`ANONYMOUS`] if it has none, `None` if it cannot be told.
    pub(crate) fn name(&self, function: &Function<'_>) -> Option<String> {
        let Name { kind, owners, own, expected } = &function.name;
        let Some(word) = own else { return Some(self.unnamed(function)) };
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

    /// Names a function that has no name in the minified text: minifiers drop names that nobody reads.
    fn unnamed(&self, function: &Function<'_>) -> String {
        let dropped = || {
            let segment =
                self.placed.starting_at(self.generated.offset_of(function.start as usize))?;
            let (_, text) = self.sources.get(segment.source as usize)?;
            declared_name(text.as_ref()?.at(segment.source_line, segment.source_column)?)
        };
        dropped().unwrap_or(ANONYMOUS).to_owned()
    }

    fn original<'s>(&'s self, word: &Word<'s>) -> Option<&'s str> {
        let minified = match word.role {
            Role::Fixed => return Some(word.text),
            Role::Property => Some(word.text),
            Role::Binding => None,
        };
        let Some(segment) = self.placed.starting_at(self.generated.offset_of(word.at as usize))
        else {
            return minified;
        };
        if segment.name != NONE
            && let Some(name) =
                self.names.get(segment.name as usize).filter(|name| !name.is_empty())
        {
            return Some(name);
        }
        minified.or_else(|| {
            let (_, text) = self.sources.get(segment.source as usize)?;
            let found = text.as_ref()?.identifier_at(segment.source_line, segment.source_column)?;
            (!KEYWORDS.contains(&found)).then_some(found)
        })
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
