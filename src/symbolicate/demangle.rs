//! Names as people read them: demangled, and shortened for display and grouping.

mod trim;

use std::borrow::Cow;

use symbolic::common::{self, Name, NameMangling};
use symbolic_demangle::{Demangle, DemangleOptions};

use crate::language::Language;

pub use trim::trim;

/// Longest symbol that is demangled, in bytes; template-heavy programs reach some 10 KB.
const SYMBOL_BYTES_MAX: usize = 16 << 10;

/// Demangles a symbol: Rust (legacy and v0), Itanium C++ and MSVC; anything else is returned as it is.
///
/// The result is complete: with parameters and template arguments, without the hash of Rust symbols.
/// `language` decides only where the symbol's form does not.
pub fn demangle(symbol: &str, language: Language) -> Cow<'_, str> {
    if !is_mangled(symbol) || symbol.len() > SYMBOL_BYTES_MAX {
        return Cow::Borrowed(symbol);
    }
    let language = match language {
        Language::Cpp if symbol.starts_with("_Z") => common::Language::Cpp,
        Language::ObjCpp => common::Language::ObjCpp,
        // Tried in order: Rust, then C++. A Rust program contains C++ symbols and the other way round.
        _ => common::Language::Unknown,
    };
    let name = Name::new(symbol, NameMangling::Mangled, language);
    match name.demangle(DemangleOptions::complete()) {
        Some(demangled) if demangled != symbol => Cow::Owned(demangled),
        _ => Cow::Borrowed(symbol),
    }
}

fn is_mangled(symbol: &str) -> bool {
    ["_Z", "__Z", "___Z", "_R", "__R", "?", "@?"].iter().any(|prefix| symbol.starts_with(prefix))
}

#[cfg(test)]
#[path = "tests/demangle.rs"]
mod tests;
