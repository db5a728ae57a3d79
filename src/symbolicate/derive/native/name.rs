//! Names of functions: resolved, qualified, demangled, each once.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use gimli::{Dwarf, Endianity};

use super::declaration::{Container, Names as Found};
use super::dwarf::{Slice, Tables, text};
use super::strings::Strings;
use crate::demangle::{demangle, trim};
use crate::language::Language;
use crate::native::format::NONE;

/// Most namespaces and types that qualify one name.
const QUALIFIERS_MAX: usize = 32;

/// One name as the look-up file has it: offsets of the strings, and the language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Name {
    pub(super) function: u32,
    pub(super) symbol: u32,
    pub(super) display: u32,
    pub(super) language: Language,
}

/// The names of a file, each once.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) table: Vec<Name>,
    known: HashMap<Name, u32>,
    /// Names of functions that have no linkage name in their entry.
    unlinked: HashSet<u32>,
}

impl Names {
    /// Adds the function that the file calls `symbol`; `scoped` is its qualified name where that is known.
    pub(super) fn add(
        &mut self,
        strings: &mut Strings,
        symbol: &str,
        scoped: Option<&str>,
        language: Language,
    ) -> u32 {
        let function = match (demangle(symbol, language), scoped) {
            (Cow::Owned(demangled), _) => Cow::Owned(demangled),
            (Cow::Borrowed(_), Some(scoped)) => Cow::Borrowed(scoped),
            (Cow::Borrowed(symbol), None) => Cow::Borrowed(symbol),
        };
        self.add_named(strings, symbol, &function, language)
    }

    /// Adds the function whose demangled name is known.
    pub(super) fn add_named(
        &mut self,
        strings: &mut Strings,
        symbol: &str,
        function: &str,
        language: Language,
    ) -> u32 {
        let name = Name {
            function: strings.intern(function),
            symbol: strings.intern(symbol),
            display: strings.intern(&trim(function)),
            language,
        };
        let next = self.table.len() as u32;
        let index = *self.known.entry(name).or_insert(next);
        if index == next {
            self.table.push(name);
        }
        index
    }

    /// Says whether a better name may stand in the symbol table.
    pub(super) fn is_unlinked(&self, name: u32) -> bool {
        self.unlinked.contains(&name)
    }
}

/// Names every scope found in debug information.
pub(super) fn resolve<E: Endianity>(dwarf: &Dwarf<Slice<'_, E>>, tables: &mut Tables) {
    const UNSEEN: u32 = NONE - 1;
    let mut by_declaration = vec![UNSEEN; tables.declarations.len()];
    let mut by_names: HashMap<Found, u32> = HashMap::new();
    let mut scope_names = Vec::with_capacity(tables.scopes.len());
    for scope in &tables.scopes {
        let position = (scope.declaration != NONE)
            .then(|| tables.declarations.position(scope.declaration))
            .flatten();
        let Some(position) = position else {
            scope_names.push(NONE);
            continue;
        };
        let slot = &mut by_declaration[position as usize];
        if *slot == UNSEEN {
            *slot = match tables.declarations.names(position) {
                Some(found) => *by_names.entry(key(found)).or_insert_with(|| {
                    let (names, strings) = (&mut tables.names, &mut tables.strings);
                    name(dwarf, &tables.declarations.containers, found, names, strings)
                }),
                None => NONE,
            };
        }
        scope_names.push(*slot);
    }
    tables.scope_names = scope_names;
}

/// What makes two names the same without reading their text; a linkage name needs no container.
fn key(found: Found) -> Found {
    if found.linkage_name.is_some() { Found { container: NONE, ..found } } else { found }
}

fn name<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    containers: &[Container],
    found: Found,
    names: &mut Names,
    strings: &mut Strings,
) -> u32 {
    let linkage_name = text(dwarf, found.linkage_name);
    let name = text(dwarf, found.name);
    // Where both are one word, as for `extern "C"`, the program really calls the function so.
    let is_bare = linkage_name.is_some() && linkage_name == name;
    let scoped =
        name.as_deref().filter(|_| !is_bare).map(|name| qualify(dwarf, containers, found, name));
    match (linkage_name, name) {
        (Some(linkage_name), _) => {
            names.add(strings, &linkage_name, scoped.as_deref(), found.language)
        }
        (None, Some(name)) => {
            let index = names.add(strings, &name, scoped.as_deref(), found.language);
            names.unlinked.insert(index);
            index
        }
        (None, None) => NONE,
    }
}

fn qualify<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    containers: &[Container],
    found: Found,
    name: &str,
) -> String {
    let mut parts = vec![Cow::Borrowed(name)];
    let mut container = if found.language.has_scoped_names() { found.container } else { NONE };
    while let Some(around) =
        containers.get(container as usize).filter(|_| parts.len() < QUALIFIERS_MAX)
    {
        // Only namespaces may lack a name and still count.
        parts.push(text(dwarf, around.name).unwrap_or(Cow::Borrowed("(anonymous namespace)")));
        container = around.parent;
    }
    parts.reverse();
    parts.join("::")
}
