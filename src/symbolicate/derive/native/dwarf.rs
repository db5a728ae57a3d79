//! Reads all units of a file into tables.

use std::borrow::Cow;

use gimli::{
    AbbreviationsCacheStrategy, Dwarf, DwarfSections, EndianSlice, Endianity, Section as _,
    SectionId,
};

use super::declaration::{Declarations, StringRef, StringSection};
use super::line::Budget;
use super::name::{self, Names};
use super::piece::{self, Piece};
use super::section::Object;
use super::strings::Strings;
use super::symbol::Symbols;
use super::unit;
use super::{Derived, write};
use crate::native::format::NONE;
use crate::unusable::Unusable;

/// Bytes of `.debug_str` and its like that are looked at for the end of one string.
const STRING_BYTES_MAX: usize = 64 << 10;

/// Most entries of range lists read per file; lists can be shared, so their number is not bounded by its size.
///
/// libjvm's debug file, 368 MB, has 1.7 million ranges.
const RANGES_MAX: u64 = 1 << 26;

/// A function with code of its own, or a call inlined into one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    /// Offset of the entry that names it; `NONE` if it has no name there.
    pub(super) declaration: u32,
    /// The scope around it, always a smaller index; `NONE` for a function.
    pub(super) parent: u32,
    /// Path of the call (string offset), or, for a function, the module offset of its entry.
    pub(super) file_or_entry: u32,
    /// Line of the call; 0 if unknown.
    pub(super) line: u32,
}

/// What the units of a file add up to.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) declarations: Declarations,
    /// Parents before children.
    pub(super) scopes: Vec<Scope>,
    pub(super) pieces: Vec<Piece>,
    pub(super) strings: Strings,
    pub(super) rows_budget: Budget,
    pub(super) ranges_budget: RangesBudget,
    pub(super) notes: Notes,
    pub(super) names: Names,
    /// Name of each scope, `NONE` where its entries give none.
    pub(super) scope_names: Vec<u32>,
}

/// How many entries of range lists may still be read.
#[derive(Debug)]
pub(super) struct RangesBudget(pub(super) u64);

impl Default for RangesBudget {
    fn default() -> Self {
        Self(RANGES_MAX)
    }
}

/// What was met and not read, counted.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) damaged_units: usize,
    pub(super) split_units: usize,
    pub(super) is_cut: bool,
    pub(super) has_supplement: bool,
    pub(super) has_far_code: bool,
}

/// Sections of one file, as `gimli` reads them.
pub(super) type Slice<'a, E> = EndianSlice<'a, E>;

/// Reads every unit of `object` into `tables`.
pub(super) fn read<E: Endianity>(
    object: &Object<'_>,
    endian: E,
    tables: &mut Tables,
) -> Result<(), Unusable> {
    let mut budget = object.inflation_budget();
    let sections = DwarfSections::<Cow<'_, [u8]>>::load(|id| section(object, id, &mut budget))?;
    let mut dwarf = sections.borrow(|section| EndianSlice::new(section, endian));
    // Units may share abbreviations (link-time optimisation, dwz): read those once.
    dwarf.populate_abbreviations_cache(AbbreviationsCacheStrategy::Duplicates);
    tables.notes.has_supplement =
        object.has_section(".gnu_debugaltlink") || object.has_section(".debug_sup");
    tables.notes.has_far_code = object.code.has_far_code();
    let mut units = dwarf.units();
    loop {
        match units.next() {
            Ok(Some(header)) => unit::read(&dwarf, header, &object.code, tables),
            Ok(None) => break,
            Err(_) => {
                tables.notes.damaged_units += 1;
                break;
            }
        }
    }
    tables.declarations.finish();
    name::resolve(&dwarf, tables);
    Ok(())
}

/// Loads the sections that are used; the others (locations, types, macros) are left alone.
fn section<'a>(
    object: &Object<'a>,
    id: SectionId,
    budget: &mut u64,
) -> Result<Cow<'a, [u8]>, Unusable> {
    match id {
        SectionId::DebugAbbrev
        | SectionId::DebugAddr
        | SectionId::DebugInfo
        | SectionId::DebugLine
        | SectionId::DebugLineStr
        | SectionId::DebugRanges
        | SectionId::DebugRngLists
        | SectionId::DebugStr
        | SectionId::DebugStrOffsets => object.section(id.name(), budget),
        _ => Ok(Cow::Borrowed(&[])),
    }
}

/// Returns the text at a place that was noted while walking; bytes that are not UTF-8 are replaced.
pub(super) fn text<'a, E: Endianity>(
    dwarf: &Dwarf<Slice<'a, E>>,
    string: StringRef,
) -> Option<Cow<'a, str>> {
    let (section, offset) = string.place()?;
    let section = match section {
        StringSection::Str => dwarf.debug_str.reader(),
        StringSection::LineStr => dwarf.debug_line_str.reader(),
        StringSection::Info => dwarf.debug_info.reader(),
    };
    let bytes: &'a [u8] = section.slice().get(offset..)?;
    let bytes = &bytes[..bytes.len().min(STRING_BYTES_MAX)];
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Some(String::from_utf8_lossy(&bytes[..end]))
}

impl Tables {
    /// Merges the units, fills gaps from the symbol table, and writes the file.
    pub(super) fn finish(
        mut self,
        object: &Object<'_>,
        symbols: &Symbols<'_>,
    ) -> Result<Derived, Unusable> {
        let pieces = piece::merge(std::mem::take(&mut self.pieces));
        let pieces = symbols.fill(pieces, &mut self);
        write::write(object.code.load_address(), &pieces, self)
    }
}

impl Notes {
    /// Says in words what was not read.
    pub(super) fn texts(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.split_units > 0 {
            notes.push(format!(
                "{} units keep their debug info in split files (.dwo or .dwp), which are not read: only function names from the symbol table there",
                self.split_units
            ));
        }
        if self.has_supplement {
            notes.push("part of its names is in a shared dwz file, which is not read".to_owned());
        }
        if self.damaged_units > 0 {
            notes.push(format!(
                "{} units of debug info are damaged and were read in part",
                self.damaged_units
            ));
        }
        if self.is_cut {
            notes.push(
                "it has more functions or rows than one file may have; the rest is left out"
                    .to_owned(),
            );
        }
        if self.has_far_code {
            notes.push("code more than 4 GiB from the image's first byte is left out".to_owned());
        }
        notes
    }
}

impl Scope {
    /// Makes a function known by its symbol only.
    pub(super) fn of_symbol(entry: u32) -> Self {
        Self { declaration: NONE, parent: NONE, file_or_entry: entry, line: 0 }
    }
}
