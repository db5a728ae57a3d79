//! Looks up positions of minified JavaScript in a derived file, which [`crate::derive::js`] writes.
//!
//! The format is described in `docs/js-lookup-format.md`. Rule: never a confident wrong line. A position that the
//! minified text does not have gets [`JsAnswer::OutOfRange`], and one that its map says nothing about
//! [`JsAnswer::NoMapping`].

mod reference;
mod source_url;

use std::ops::Range;

pub use reference::{MapReference, debug_id_of_map, debug_id_of_source, map_reference};
pub use source_url::{SourceUrl, in_app, source_url_parts};

use crate::SharedBytes;
use crate::sections::{self, OpenError, Table};
use crate::sources::{SourceIndex, Sources};

/// Version of the format. History: 1, the first.
pub const VERSION: u32 = 1;

/// First bytes of a derived file.
pub const MAGIC: [u8; 8] = *b"SYMJSLK\0";

/// Stands for "no source", "no name" and "no parent" in the tables.
pub(crate) const NONE: u32 = u32::MAX;

/// Name of a scope that is known to have none.
pub const ANONYMOUS: &str = "<anonymous>";

/// Most parents walked from one scope outwards; deeper nesting gets no name.
const SCOPE_DEPTH_MAX: usize = 10_000;

/// Numbers of the first section.
pub(crate) const HEAD_LEN: usize = 2;

/// Size of a block that is judged on its own, in UTF-16 units of the minified text, as a power of two.
pub(crate) const BLOCK_SHIFT: u32 = 12;

/// Bit of the first number: the file was derived with the minified text.
pub(crate) const HAS_TEXT: u32 = 1;

/// Where a minified position came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped<'a> {
    /// The source as the map names it, `sourceRoot` applied; see [`source_url_parts`].
    pub source: &'a str,
    /// The same in [`JsLookup::sources`], for its context lines.
    pub source_index: SourceIndex,
    /// Original line, from 1.
    pub line: u32,
    /// Original column in UTF-16 units, from 1.
    pub column: u32,
    /// Original name of the function around the position: `total`, `Cart.total`, `get Cart.size`, `new Cart` or
    /// [`ANONYMOUS`]. `None` outside of functions, and where the minified text is missing or was not understood.
    pub function: Option<&'a str>,
    /// Original name of what stands at the position, often the callee and not the function around it.
    pub token_name: Option<&'a str>,
}

/// What a position does not lie inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfRange {
    /// The text or the map has only so many lines.
    Line {
        /// Number of lines.
        line_count: u32,
    },
    /// The line has only so many columns. Without the minified text: no segment is near enough before it.
    Column {
        /// Number of columns in UTF-16 units.
        column_count: u32,
    },
}

/// Answer for one position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsAnswer<'a> {
    /// It came from here.
    Mapped(Mapped<'a>),
    /// The map says nothing about it: it is generated code, or stands before the first segment of its line.
    NoMapping,
    /// The file this was derived from has no such position, so the event belongs to another build.
    OutOfRange(OutOfRange),
    /// The map was made for another build: around this position it does not fit the minified text.
    Misfit,
    /// The column is not known (zero), and the line has more than one origin.
    NeedsColumn,
}

/// A derived look-up file.
#[derive(Clone)]
pub struct JsLookup {
    bytes: SharedBytes,
    has_text: bool,
    bucket_shift: u32,
    line_starts: Table,
    line_lengths: Table,
    segment_starts: Table,
    segment_sources: Table,
    segment_lines: Table,
    segment_columns: Table,
    segment_names: Table,
    buckets: Table,
    scope_starts: Table,
    scope_ends: Table,
    scope_parents: Table,
    scope_names: Table,
    name_ends: Table,
    names: Range<usize>,
    misfits: Table,
    sources: Sources,
}

impl JsLookup {
    /// Opens a derived file.
    ///
    /// # Errors
    ///
    /// When it is another kind of file, another version, or damaged.
    pub fn open(bytes: SharedBytes) -> Result<Self, OpenError> {
        let file = (*bytes).as_ref();
        let ranges: [Range<usize>; 17] = sections::open(file, 0, MAGIC, VERSION)?;
        let tables: [Table; 14] = std::array::from_fn(|number| Table::new(&ranges[number]));
        let [head, line_starts, line_lengths, segment_starts, rest @ ..] = tables;
        let [segment_sources, segment_lines, segment_columns, segment_names, buckets, rest @ ..] =
            rest;
        let [scope_starts, scope_ends, scope_parents, scope_names, name_ends] = rest;
        let (Some(flags), Some(bucket_shift @ 0..32)) = (head.get(file, 0), head.get(file, 1))
        else {
            return Err(OpenError::Damaged);
        };
        let sources = Sources::open_within(bytes.clone(), ranges[15].clone())?;
        Ok(Self {
            has_text: flags & HAS_TEXT != 0,
            bucket_shift,
            line_starts,
            line_lengths,
            segment_starts,
            segment_sources,
            segment_lines,
            segment_columns,
            segment_names,
            buckets,
            scope_starts,
            scope_ends,
            scope_parents,
            scope_names,
            name_ends,
            names: ranges[14].clone(),
            misfits: Table::new(&ranges[16]),
            sources,
            bytes,
        })
    }

    /// Returns the original files: index, hash and context lines.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Returns whether the file was derived with the minified text: then columns are checked against it, and
    /// functions have names.
    pub fn has_minified_text(&self) -> bool {
        self.has_text
    }

    /// Looks up a position as events carry it: line and column from 1, the column in UTF-16 units.
    ///
    /// Column 0 means that the column is not known.
    pub fn lookup(&self, line: u32, column: u32) -> JsAnswer<'_> {
        let Some(line_index) = line.checked_sub(1) else { return JsAnswer::NoMapping };
        let (Some(start), Some(length)) =
            (self.number(self.line_starts, line_index), self.number(self.line_lengths, line_index))
        else {
            return JsAnswer::OutOfRange(OutOfRange::Line {
                line_count: self.line_starts.len() as u32,
            });
        };
        let Some(column_index) = column.checked_sub(1) else {
            return self.lookup_line(start, length);
        };
        if column_index >= length {
            // An empty line has no position at all, but its start is no sign of another build. Without the text
            // an empty line is one about which the map says nothing.
            let is_known = length == 0 && (column_index == 0 || !self.has_text);
            return match is_known {
                true => JsAnswer::NoMapping,
                false => JsAnswer::OutOfRange(OutOfRange::Column { column_count: length }),
            };
        }
        let Some(offset) = start.checked_add(column_index) else { return JsAnswer::NoMapping };
        if self.is_misfit(offset) {
            return JsAnswer::Misfit;
        }
        let segment = self.segment_at(start, offset);
        segment
            .and_then(|segment| self.mapped(segment, offset))
            .map_or(JsAnswer::NoMapping, JsAnswer::Mapped)
    }

    /// Returns whether `offset` lies in a block that the map does not fit.
    fn is_misfit(&self, offset: u32) -> bool {
        let block = offset >> BLOCK_SHIFT;
        let at = self
            .misfits
            .partition_point(self.all(), 0..self.misfits.len(), |misfit| misfit < block);
        self.misfits.get(self.all(), at) == Some(block)
    }

    /// Answers for a line whose column is not known: only if all of it came from one line.
    fn lookup_line(&self, start: u32, length: u32) -> JsAnswer<'_> {
        let all = 0..self.segment_starts.len();
        let first =
            self.segment_starts.partition_point(self.all(), all.clone(), |offset| offset < start);
        let end = self
            .segment_starts
            .partition_point(self.all(), all, |offset| offset < start.saturating_add(length));
        let origin = |at: usize| {
            Some((
                self.segment_sources.get(self.all(), at)?,
                self.segment_lines.get(self.all(), at)?,
            ))
        };
        let Some(wanted) = (first < end).then(|| origin(first)).flatten() else {
            return JsAnswer::NoMapping;
        };
        if (first..end).any(|at| origin(at) != Some(wanted)) {
            return JsAnswer::NeedsColumn;
        }
        if self.is_misfit(start) {
            return JsAnswer::Misfit;
        }
        match self.mapped(first, start) {
            Some(mapped) => {
                JsAnswer::Mapped(Mapped { column: 1, token_name: None, function: None, ..mapped })
            }
            None => JsAnswer::NoMapping,
        }
    }

    /// Finds the last segment of the line that starts at `line_start` which is not behind `offset`.
    fn segment_at(&self, line_start: u32, offset: u32) -> Option<usize> {
        let bucket = (offset >> self.bucket_shift) as usize;
        let from = self.buckets.get(self.all(), bucket)? as usize;
        let to = self
            .buckets
            .get(self.all(), bucket + 1)
            .map_or(self.segment_starts.len(), |to| to as usize);
        let behind =
            self.segment_starts.partition_point(self.all(), from..to, |start| start <= offset);
        let segment = behind.checked_sub(1)?;
        (self.segment_starts.get(self.all(), segment)? >= line_start).then_some(segment)
    }

    fn mapped(&self, segment: usize, offset: u32) -> Option<Mapped<'_>> {
        let source = self.segment_sources.get(self.all(), segment)?;
        if source == NONE {
            return None;
        }
        let source_index = SourceIndex(source);
        Some(Mapped {
            source: self.sources.path(source_index)?,
            source_index,
            line: self.segment_lines.get(self.all(), segment)?.checked_add(1)?,
            column: self.segment_columns.get(self.all(), segment)?.saturating_add(1),
            function: self.function_at(offset),
            token_name: self.name(self.segment_names.get(self.all(), segment)?),
        })
    }

    /// Returns the name of the innermost function around `offset`.
    fn function_at(&self, offset: u32) -> Option<&str> {
        let behind =
            self.scope_starts
                .partition_point(self.all(), 0..self.scope_starts.len(), |start| start <= offset);
        let mut scope = behind.checked_sub(1)?;
        for _ in 0..SCOPE_DEPTH_MAX {
            if self.scope_ends.get(self.all(), scope)? > offset {
                return self.name(self.scope_names.get(self.all(), scope)?);
            }
            scope = self.number(self.scope_parents, scope as u32)? as usize;
        }
        None
    }

    fn name(&self, index: u32) -> Option<&str> {
        let end = self.number(self.name_ends, index)? as usize;
        let start = match index.checked_sub(1) {
            Some(before) => self.number(self.name_ends, before)? as usize,
            None => 0,
        };
        let name =
            std::str::from_utf8(self.all().get(self.names.clone())?.get(start..end)?).ok()?;
        (!name.is_empty()).then_some(name)
    }

    fn number(&self, table: Table, index: u32) -> Option<u32> {
        table.get(self.all(), index as usize)
    }

    fn all(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }
}

impl std::fmt::Debug for JsLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JsLookup({} segments, {:?})", self.segment_starts.len(), self.sources)
    }
}

#[cfg(test)]
mod tests;
