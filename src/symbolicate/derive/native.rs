//! Derives the native look-up file from an ELF file with DWARF, a symbol table, or both.
//!
//! In order: walk every unit's entries and line program (`unit`, `line`); per unit, paint scopes over
//! each other and lay them on the rows (`piece`); merge the units; fill what no entry covers from the symbol
//! table (`symbol`); name the scopes (`name`); write the tables (`write`). Not read yet: split DWARF,
//! `.gnu_debugaltlink`, mini debug info; each is reported in the notes instead of guessed at.

mod attribute;
mod code;
mod declaration;
mod dwarf;
mod line;
mod link;
mod name;
mod path;
mod piece;
mod section;
mod strings;
mod symbol;
mod unit;
mod write;

use serde::{Deserialize, Serialize};

use crate::unusable::Unusable;

pub use crate::native::format::{MAGIC, VERSION};

/// A derived look-up file and what is in it.
#[derive(Debug, Clone)]
pub struct Derived {
    /// The file; `native::NativeLookup` reads it.
    pub bytes: Vec<u8>,
    /// What is in it.
    pub report: Report,
}

/// What a derived look-up file contains, and what it lacks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Functions with code of their own, inlined calls not counted.
    pub functions: usize,
    /// Functions and inlined calls.
    pub ranges: usize,
    /// Segments: runs of code with one chain and one line.
    pub rows: usize,
    /// Length of all text, in bytes.
    pub strings_bytes: usize,
    /// What a person should know, as lower-case fragments.
    pub notes: Vec<String>,
}

/// Derives the look-up file of one ELF object.
///
/// # Errors
///
/// [`Unusable`], if the object is not a linked ELF file, is damaged beyond reading, has neither debug
/// information nor symbols, or exceeds one of the limits. Damage in one unit costs that unit only and is noted.
pub fn derive(object: &[u8]) -> Result<Derived, Unusable> {
    if object.is_empty() {
        return Err(Unusable::Empty);
    }
    let object = section::Object::parse(object)?;
    let mut tables = dwarf::Tables::default();
    if object.is_little_endian() {
        dwarf::read(&object, gimli::LittleEndian, &mut tables)?;
    } else {
        dwarf::read(&object, gimli::BigEndian, &mut tables)?;
    }
    let symbols = symbol::Symbols::of(&object);
    if tables.pieces.is_empty() && symbols.is_empty() {
        return Err(Unusable::Unsupported(
            "it has neither debug info nor a symbol table".to_owned(),
        ));
    }
    tables.finish(&object, &symbols)
}

#[cfg(test)]
#[path = "../tests/derive_native.rs"]
mod tests;
