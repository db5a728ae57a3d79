//! Walks one unit: its entries, its line program, and what they say about each byte of code.
//!
//! Only functions, inlined calls and what qualifies their names are decoded; all other entries are skipped
//! over by their abbreviations.

use gimli::{
    Dwarf, EndianSlice, Endianity, LineProgramHeader, Reader as _, Section as _, Unit, UnitHeader,
    UnitType, constants as dw,
};

use super::attribute::{Attributes, HighPc};
use super::code::{CodeMap, Span};
use super::declaration::{Container, Declaration, StringRef};
use super::dwarf::{Scope, Slice, Tables};
use super::line::{self, Encoding, Row};
use super::path::full_path;
use super::piece::{lay_on_rows, paint, sort_rows};
use crate::native::format::{DEPTH_MAX, NONE};

/// Most scopes per file (16 bytes each).
const SCOPES_MAX: usize = 1 << 26;

/// How a walk through a unit ends early.
enum Stop {
    Damaged,
    Full,
}

impl From<gimli::Error> for Stop {
    fn from(_: gimli::Error) -> Self {
        Self::Damaged
    }
}

/// Reads one unit into `tables`; damage costs the rest of the unit and is counted.
pub(super) fn read<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    header: UnitHeader<Slice<'_, E>>,
    code: &CodeMap,
    tables: &mut Tables,
) {
    if matches!(
        header.type_(),
        UnitType::Type { .. } | UnitType::SplitType { .. } | UnitType::SplitCompilation(_)
    ) {
        return;
    }
    match read_unit(dwarf, header, code, tables) {
        Ok(()) => {}
        Err(Stop::Damaged) => tables.notes.damaged_units += 1,
        Err(Stop::Full) => tables.notes.is_cut = true,
    }
}

fn read_unit<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    header: UnitHeader<Slice<'_, E>>,
    code: &CodeMap,
    tables: &mut Tables,
) -> Result<(), Stop> {
    let base = header
        .offset()
        .to_debug_info_offset(&header)
        .and_then(|offset| u32::try_from(offset.0).ok());
    let base = base.ok_or(Stop::Damaged)?;
    let unit = dwarf.unit(header)?;
    let is_split = unit.dwo_name()?.is_some();
    tables.notes.split_units += usize::from(is_split);
    let mut walk = Walk {
        dwarf,
        unit: &unit,
        code,
        base,
        paths: Paths::of(dwarf, &unit),
        tables,
        levels: Vec::new(),
        spans: Vec::new(),
        is_partial: false,
    };
    let entries_read = walk.entries();
    let Walk { mut paths, tables, spans, is_partial, .. } = walk;
    let mut rows = Vec::new();
    // A partial unit has entries for others to use, and their line table, but no code.
    let rows_read =
        if is_partial { Ok(()) } else { read_rows(dwarf, &unit, code, tables, &mut rows) };
    for row in &mut rows {
        row.file = paths.string(u64::from(row.file), tables);
    }
    sort_rows(&mut rows);
    let mut pieces = Vec::new();
    lay_on_rows(&paint(spans), &rows, &mut pieces);
    if is_split {
        // What is inlined there stands in the split file; a line without that chain would be put on the wrong function.
        pieces.retain(|piece| piece.scope != NONE);
    }
    tables.pieces.append(&mut pieces);
    entries_read.and(rows_read)
}

fn read_rows<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    unit: &Unit<Slice<'_, E>>,
    code: &CodeMap,
    tables: &mut Tables,
    rows: &mut Vec<Row>,
) -> Result<(), Stop> {
    let Some(program) = &unit.line_program else {
        return Ok(());
    };
    let header = program.header();
    let bytes: EndianSlice<'_, E> = header.raw_program_buf();
    let encoding = Encoding {
        minimum_instruction_length: header.minimum_instruction_length(),
        line_base: header.line_base(),
        line_range: header.line_range(),
        opcode_base: header.opcode_base(),
        standard_opcode_lengths: header.standard_opcode_lengths().slice(),
        is_big_endian: dwarf.debug_line.reader().endian().is_big_endian(),
    };
    if line::run(bytes.slice(), &encoding, code, &mut tables.rows_budget, rows) {
        Ok(())
    } else {
        Err(Stop::Damaged)
    }
}

/// The state around an entry: what its children belong to.
struct Level {
    depth: isize,
    /// Innermost scope with code, or `NONE`.
    scope: u32,
    /// Number of scopes around, this one included.
    nesting: usize,
    container: u32,
    /// Name of a container that is entered in the table once something needs it.
    pending: Option<StringRef>,
}

struct Walk<'w, 'a, E: Endianity> {
    dwarf: &'w Dwarf<Slice<'a, E>>,
    unit: &'w Unit<Slice<'a, E>>,
    code: &'w CodeMap,
    /// Offset of the unit in `.debug_info`.
    base: u32,
    paths: Paths<'a, 'w, E>,
    tables: &'w mut Tables,
    levels: Vec<Level>,
    spans: Vec<(Span, u32)>,
    is_partial: bool,
}

impl<'w, 'a, E: Endianity> Walk<'w, 'a, E> {
    fn entries(&mut self) -> Result<(), Stop> {
        let unit = self.unit;
        let mut entries = unit.entries_raw(None)?;
        while !entries.is_empty() {
            let depth = entries.next_depth();
            let offset = entries.next_offset().0;
            let Some(abbreviation) = entries.read_abbreviation()? else {
                continue;
            };
            // Before anything is skipped: a block that is skipped still ends the levels beside it.
            while self.levels.last().is_some_and(|level| level.depth >= depth) {
                self.levels.pop();
            }
            let tag = abbreviation.tag();
            if !is_wanted(tag) {
                entries.skip_attributes(abbreviation.attributes())?;
                continue;
            }
            let attributes = Attributes::read(self.dwarf, unit, abbreviation, &mut entries)?;
            let offset =
                u32::try_from(offset).ok().and_then(|offset| self.base.checked_add(offset));
            let level = self.entry(tag, offset.ok_or(Stop::Damaged)?, depth, &attributes)?;
            if abbreviation.has_children() {
                self.levels.extend(level);
            }
        }
        Ok(())
    }

    /// Takes in one entry; returns the level of its children where it is not that of its parent.
    fn entry(
        &mut self,
        tag: gimli::DwTag,
        offset: u32,
        depth: isize,
        attributes: &Attributes,
    ) -> Result<Option<Level>, Stop> {
        match tag {
            dw::DW_TAG_compile_unit | dw::DW_TAG_partial_unit | dw::DW_TAG_skeleton_unit => {
                self.tables.declarations.push_unit(self.base, attributes.language);
                self.is_partial = tag == dw::DW_TAG_partial_unit;
                Ok(None)
            }
            dw::DW_TAG_subprogram => self.function(offset, depth, attributes).map(Some),
            dw::DW_TAG_inlined_subroutine => self.inlined_call(depth, attributes),
            dw::DW_TAG_namespace => Ok(Some(self.container_level(depth, attributes.name))),
            // A type without name qualifies nothing.
            _ if attributes.name.is_some() => {
                Ok(Some(self.container_level(depth, attributes.name)))
            }
            _ => Ok(None),
        }
    }

    fn function(
        &mut self,
        offset: u32,
        depth: isize,
        attributes: &Attributes,
    ) -> Result<Level, Stop> {
        let container = self.container();
        let declaration = Declaration {
            name: attributes.name,
            linkage_name: attributes.linkage_name,
            offset,
            container,
            origin: attributes.origin,
        };
        if !self.tables.declarations.push(declaration) {
            return Err(Stop::Full);
        }
        let scope = Scope { declaration: offset, parent: NONE, file_or_entry: 0, line: 0 };
        let scope = self.scope(scope, attributes)?;
        let pending = attributes.name.is_some().then_some(attributes.name);
        Ok(Level { depth, scope, nesting: usize::from(scope != NONE), container, pending })
    }

    fn inlined_call(
        &mut self,
        depth: isize,
        attributes: &Attributes,
    ) -> Result<Option<Level>, Stop> {
        let Some(around) = self.levels.last() else {
            return Ok(None);
        };
        let (parent, nesting, container) = (around.scope, around.nesting, around.container);
        // Without code around it, its function was discarded; deeper than `DEPTH_MAX` no program nests.
        if parent == NONE || nesting >= DEPTH_MAX {
            return Ok(None);
        }
        let file_or_entry = self.paths.string(attributes.call_file, self.tables);
        let line = u32::try_from(attributes.call_line).unwrap_or(0);
        let scope = self.scope(
            Scope { declaration: attributes.origin, parent, file_or_entry, line },
            attributes,
        )?;
        let level = Level { depth, scope, nesting: nesting + 1, container, pending: None };
        Ok((scope != NONE).then_some(level))
    }

    /// Adds a scope if it has code; returns its index or `NONE`.
    fn scope(&mut self, mut scope: Scope, attributes: &Attributes) -> Result<u32, Stop> {
        let first = self.spans.len();
        let index = u32::try_from(self.tables.scopes.len()).map_err(|_| Stop::Full)?;
        self.spans_of(attributes, index)?;
        if self.spans.len() == first {
            return Ok(NONE);
        }
        if self.tables.scopes.len() >= SCOPES_MAX {
            self.spans.truncate(first);
            return Err(Stop::Full);
        }
        if scope.parent == NONE {
            // The entry is where the first range listed begins (DWARF 5, 2.18), not the lowest: that may be a cold part.
            scope.file_or_entry = self.spans[first].0.start;
        }
        self.tables.scopes.push(scope);
        Ok(index)
    }

    fn spans_of(&mut self, attributes: &Attributes, scope: u32) -> Result<(), Stop> {
        if let Some(ranges) = attributes.ranges {
            let mut ranges = self.dwarf.ranges(self.unit, ranges)?;
            // Raw entries, because each costs time, also those that come to nothing.
            while let Some(raw) = ranges.next_raw()? {
                let budget = &mut self.tables.ranges_budget.0;
                *budget = budget.checked_sub(1).ok_or(Stop::Full)?;
                if let Some(range) = ranges.convert_raw(raw)? {
                    self.spans
                        .extend(self.code.span(range.begin, range.end).map(|span| (span, scope)));
                }
            }
        } else if let (Some(low), Some(high)) = (attributes.low_pc, attributes.high_pc) {
            let end = match high {
                HighPc::Address(end) => end,
                HighPc::Length(length) => low.saturating_add(length),
            };
            self.spans.extend(self.code.span(low, end).map(|span| (span, scope)));
        }
        Ok(())
    }

    fn container_level(&mut self, depth: isize, name: StringRef) -> Level {
        let container = self.container();
        let (scope, nesting) =
            self.levels.last().map_or((NONE, 0), |level| (level.scope, level.nesting));
        Level { depth, scope, nesting, container, pending: Some(name) }
    }

    /// Returns the container that qualifies names here, entering it in the table if it is not there yet.
    fn container(&mut self) -> u32 {
        let Some(level) = self.levels.last_mut() else {
            return NONE;
        };
        if let Some(name) = level.pending.take() {
            level.container = self
                .tables
                .declarations
                .push_container(Container { name, parent: level.container });
        }
        level.container
    }
}

fn is_wanted(tag: gimli::DwTag) -> bool {
    matches!(
        tag,
        dw::DW_TAG_subprogram
            | dw::DW_TAG_inlined_subroutine
            | dw::DW_TAG_namespace
            | dw::DW_TAG_module
            | dw::DW_TAG_class_type
            | dw::DW_TAG_structure_type
            | dw::DW_TAG_union_type
            | dw::DW_TAG_interface_type
            | dw::DW_TAG_compile_unit
            | dw::DW_TAG_partial_unit
            | dw::DW_TAG_skeleton_unit
    )
}

/// The file table of a unit's line program, its paths joined when first used.
struct Paths<'a, 'u, E: Endianity> {
    dwarf: &'u Dwarf<Slice<'a, E>>,
    unit: &'u Unit<Slice<'a, E>>,
    /// String offset by file number; `UNSEEN` before its first use.
    strings: Vec<u32>,
}

impl<'a, 'u, E: Endianity> Paths<'a, 'u, E> {
    const UNSEEN: u32 = NONE - 1;

    fn of(dwarf: &'u Dwarf<Slice<'a, E>>, unit: &'u Unit<Slice<'a, E>>) -> Self {
        let count =
            unit.line_program.as_ref().map_or(0, |program| program.header().file_names().len() + 1);
        Self { dwarf, unit, strings: vec![Self::UNSEEN; count] }
    }

    /// Returns the string offset of the path of `file`, or `NONE`.
    fn string(&mut self, file: u64, tables: &mut Tables) -> u32 {
        let Some(slot) = usize::try_from(file).ok().and_then(|file| self.strings.get_mut(file))
        else {
            return NONE;
        };
        if *slot == Self::UNSEEN {
            let header = self.unit.line_program.as_ref().map(|program| program.header());
            let path = header.and_then(|header| path(self.dwarf, self.unit, header, file));
            *slot = path.map_or(NONE, |path| tables.strings.intern(&path));
        }
        *slot
    }
}

fn path<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    unit: &Unit<Slice<'_, E>>,
    header: &LineProgramHeader<Slice<'_, E>>,
    file: u64,
) -> Option<String> {
    let file = header.file(file)?;
    let name = dwarf.attr_string(unit, file.path_name()).ok()?;
    let compilation_directory =
        unit.comp_dir.map(|directory| directory.to_string_lossy()).unwrap_or_default();
    let (compilation_directory, directory) = match (header.version(), file.directory_index()) {
        // Directory 0 is the compilation directory: implied up to version 4, listed from 5 on.
        (..=4, 0) => (compilation_directory, None),
        (5.., 0) => (Default::default(), file.directory(header)),
        _ => (compilation_directory, file.directory(header)),
    };
    let directory = directory.and_then(|directory| dwarf.attr_string(unit, directory).ok());
    let directory = directory.map(|directory| directory.to_string_lossy()).unwrap_or_default();
    Some(full_path(&compilation_directory, &directory, &name.to_string_lossy()))
}
