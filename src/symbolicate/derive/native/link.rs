//! Gives functions the linkage names that only the symbol table has.
//!
//! Compilers leave them out for functions of one file (GCC), and altogether with line tables only (rustc, whose
//! `map<…>` then stands for `core::iter::Iterator::map`).

use std::borrow::Cow;

use super::dwarf::Tables;
use super::symbol::Symbols;
use crate::demangle::{demangle, trim};
use crate::language::Language;
use crate::native::format::NONE;

/// Renames functions without linkage name after the mangled symbol at their entry, if it names the same function,
/// and functions without any name (their entries are in a dwz file) after whatever symbol is there.
pub(super) fn link(symbols: &Symbols<'_>, tables: &mut Tables) {
    for index in 0..tables.scopes.len() {
        let (scope, name) = (tables.scopes[index], tables.scope_names[index]);
        if scope.parent != NONE || !(name == NONE || tables.names.is_unlinked(name)) {
            continue;
        }
        let Some((symbol, entry)) = symbols.at(scope.file_or_entry) else {
            continue;
        };
        let symbol = symbols.name(symbol);
        if name == NONE {
            let names = &mut tables.names;
            tables.scope_names[index] =
                names.add(&mut tables.strings, symbol, None, Language::Unknown);
        } else if entry == scope.file_or_entry {
            tables.scope_names[index] = linked(tables, symbol, name);
        }
    }
}

/// Returns the name for a function that is called `symbol` in the symbol table and `name` in its entry.
fn linked(tables: &mut Tables, symbol: &str, name: u32) -> u32 {
    let language = tables.names.table[name as usize].language;
    let Cow::Owned(demangled) = demangle(symbol, language) else {
        return name;
    };
    // Identical functions may be folded into one, so the symbol can be another's.
    let display = tables.strings.text(tables.names.table[name as usize].display);
    if last_word(&trim(&demangled)) != last_word(display) {
        return name;
    }
    tables.names.add_named(&mut tables.strings, symbol, &demangled, language)
}

/// The function's own name without scopes, arguments and the braces of closures.
fn last_word(name: &str) -> &str {
    let name = name.strip_suffix("<T>").unwrap_or(name);
    let last = name.rsplit("::").next().unwrap_or(name).trim_start_matches('{');
    let end = last.find(['#', '}', '<']).unwrap_or(last.len());
    if last.starts_with("operator") { last } else { &last[..end] }
}

#[cfg(test)]
mod tests {
    use super::last_word;

    #[test]
    fn entry_and_symbol_agree_on_the_last_word() {
        assert_eq!(last_word("map<T>"), last_word("core::iter::Iterator::map"));
        assert_eq!(last_word("{closure#0}"), last_word("shop::main::{{closure}}"));
        assert_eq!(last_word("operator<<<T>"), last_word("std::operator<<"));
        assert_ne!(last_word("first"), last_word("shop::second"));
    }
}
