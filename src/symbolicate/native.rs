//! Reads the native look-up file: a module offset in, the chain of functions and lines out.
//!
//! The file is one of ours (`derive::native` writes it), yet nothing here trusts it: every index is checked
//! when it is followed, parents must come before children, and a damaged file gives fewer frames, never a
//! panic and never a loop. Looking up allocates nothing.

pub mod format;

use std::fmt;
use std::str;
use std::sync::OnceLock;

use crate::SharedBytes;
use crate::language::Language;
use format::{
    BUCKETS, DEPTH_MAX, HEADER_BYTES, MAGIC, NAMES, NONE, RECORD_BYTES, SCOPES, SECTIONS, SEGMENTS,
    STARTS, STRINGS, VERSION,
};

/// Why a look-up file cannot be opened; it is to be derived again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    /// It does not begin with the magic.
    #[error("not a native look-up file")]
    Magic,
    /// Another version of the program wrote it.
    #[error("native look-up file has version {0}, this program reads {VERSION}")]
    Version(u32),
    /// Its header disagrees with its length or with itself.
    #[error("native look-up file is damaged: {0}")]
    Damaged(&'static str),
}

/// An open native look-up file.
pub struct NativeLookup {
    bytes: SharedBytes,
    layout: Layout,
    /// Whether any line is known; found out when somebody asks.
    has_lines: OnceLock<bool>,
}

/// What is known about a module offset.
#[derive(Debug, Clone)]
pub enum Lookup<'a> {
    /// The chain of frames there, innermost first; at least one.
    Frames(Frames<'a>),
    /// The offset lies in no function this file knows.
    NoFunction,
}

/// One function on the chain at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LookupFrame<'a> {
    /// Demangled name with parameters, or the scoped name where there is no linkage name.
    pub function: &'a str,
    /// The name as it stands in the file (linkage name where there is one).
    pub symbol: &'a str,
    /// The short name to show and to group by (`demangle::trim`).
    pub display: &'a str,
    /// Full path of the source file, joined and cleaned.
    pub file: Option<&'a str>,
    /// Line of the executing instruction or of the call; `None` where the compiler gave none.
    pub line: Option<u32>,
    /// Module offset at which the (outermost, real) function begins.
    pub function_offset: u64,
    /// Whether this function was inlined into the next frame's.
    pub inlined: bool,
    /// Source language.
    pub language: Language,
}

/// The frames at one address, innermost first.
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    view: View<'a>,
    scope: u32,
    file: u32,
    line: u32,
    function_offset: u64,
    depth: usize,
}

#[derive(Debug, Clone, Copy)]
struct Layout {
    load_address: u64,
    bucket_shift: u32,
    sections: [(usize, usize); SECTIONS],
}

#[derive(Clone, Copy)]
struct View<'a> {
    bytes: &'a [u8],
    layout: &'a Layout,
}

#[derive(Clone, Copy)]
struct Scope {
    name: u32,
    parent: u32,
    /// File of the call, or, for a function (`parent` is `NONE`), its entry's module offset.
    file_or_entry: u32,
    line: u32,
}

impl NativeLookup {
    /// Opens a look-up file after checking its header against its length.
    ///
    /// # Errors
    ///
    /// [`Corrupt`], if the bytes are no look-up file of this version or do not have the length they claim.
    pub fn open(bytes: SharedBytes) -> Result<Self, Corrupt> {
        let layout = Layout::read((*bytes).as_ref())?;
        Ok(Self { bytes, layout, has_lines: OnceLock::new() })
    }

    /// Address, in the file's own numbering, of the image's first byte.
    pub fn load_address(&self) -> u64 {
        self.layout.load_address
    }

    /// Number of segments: runs of code with one chain and one line.
    pub fn segment_count(&self) -> usize {
        self.layout.sections[STARTS].1
    }

    /// Says whether the file names any line: one made from a symbol table alone does not.
    ///
    /// The first call looks at segments until one has a line, usually one of the first.
    pub fn has_lines(&self) -> bool {
        let view = View { bytes: (*self.bytes).as_ref(), layout: &self.layout };
        let count = u32::try_from(self.segment_count()).unwrap_or(u32::MAX);
        let has_line =
            |segment| view.record(SEGMENTS, segment).and_then(|record| u32_at(record, 8)) > Some(0);
        *self.has_lines.get_or_init(|| (0..count).any(has_line))
    }

    /// Returns what is at `module_offset`: an address minus the address at which the image begins.
    ///
    /// The offset is looked up as it is; a return address needs to be moved into its call first.
    pub fn lookup(&self, module_offset: u64) -> Lookup<'_> {
        let view = View { bytes: (*self.bytes).as_ref(), layout: &self.layout };
        view.frames(module_offset).map_or(Lookup::NoFunction, Lookup::Frames)
    }
}

impl fmt::Debug for NativeLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NativeLookup")
            .field("segments", &self.segment_count())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "View({} bytes)", self.bytes.len())
    }
}

impl Layout {
    fn read(bytes: &[u8]) -> Result<Self, Corrupt> {
        if bytes.get(..8) != Some(&MAGIC[..]) {
            return Err(Corrupt::Magic);
        }
        let short = Corrupt::Damaged("header is cut off");
        if bytes.len() < HEADER_BYTES {
            return Err(short);
        }
        let version = u32_at(bytes, 8).ok_or(short.clone())?;
        if version != VERSION {
            return Err(Corrupt::Version(version));
        }
        let bucket_shift = u32_at(bytes, 12).ok_or(short.clone())?;
        let load_address = u64_at(bytes, 16).ok_or(short.clone())?;
        let length = u64_at(bytes, 24).ok_or(short.clone())?;
        if usize::try_from(length) != Ok(bytes.len()) {
            return Err(Corrupt::Damaged("its length is not the one in its header"));
        }
        if bucket_shift > 31 {
            return Err(Corrupt::Damaged("bucket size is impossible"));
        }
        let mut sections = [(0, 0); SECTIONS];
        for (index, section) in sections.iter_mut().enumerate() {
            *section = read_section(bytes, index)
                .ok_or(Corrupt::Damaged("a section lies outside of it"))?;
        }
        if sections[STARTS].1 != sections[SEGMENTS].1 {
            return Err(Corrupt::Damaged("its segments are not as many as their starts"));
        }
        Ok(Self { load_address, bucket_shift, sections })
    }
}

fn read_section(bytes: &[u8], index: usize) -> Option<(usize, usize)> {
    let at = 32 + index * 16;
    let offset = usize::try_from(u64_at(bytes, at)?).ok()?;
    let count = usize::try_from(u32_at(bytes, at + 8)?).ok()?;
    let end = count.checked_mul(RECORD_BYTES[index])?.checked_add(offset)?;
    (offset >= HEADER_BYTES && end <= bytes.len()).then_some((offset, count))
}

impl<'a> View<'a> {
    fn frames(self, module_offset: u64) -> Option<Frames<'a>> {
        let segment = self.segment(u32::try_from(module_offset).ok()?)?;
        let record = self.record(SEGMENTS, segment)?;
        let (scope, file, line) = (u32_at(record, 0)?, u32_at(record, 4)?, u32_at(record, 8)?);
        let function_offset = self.function_offset(scope)?;
        Some(Frames { view: self, scope, file, line, function_offset, depth: 0 })
    }

    /// Finds the last segment that begins at or before `offset`.
    fn segment(self, offset: u32) -> Option<u32> {
        let first = self.number(STARTS, 0)?;
        let bucket = offset.checked_sub(first)? >> self.layout.bucket_shift;
        let count = u32::try_from(self.layout.sections[STARTS].1).ok()?;
        let mut low = self.number(BUCKETS, bucket).unwrap_or(count - 1).min(count - 1);
        let mut high =
            self.number(BUCKETS, bucket + 1).map_or(count, |i| i.saturating_add(1)).min(count);
        // Invariant: the answer is in low..high; the interval halves in each step, whatever the file says.
        while high.saturating_sub(low) > 1 {
            let middle = low + (high - low) / 2;
            if self.number(STARTS, middle)? <= offset { low = middle } else { high = middle }
        }
        (self.number(STARTS, low)? <= offset).then_some(low)
    }

    fn function_offset(self, mut scope: u32) -> Option<u64> {
        for _ in 0..DEPTH_MAX {
            let record = self.scope(scope)?;
            if record.parent == NONE {
                return Some(u64::from(record.file_or_entry));
            }
            scope = record.parent;
        }
        None
    }

    /// Reads a scope whose parent, if any, comes before it.
    fn scope(self, index: u32) -> Option<Scope> {
        let record = self.record(SCOPES, index)?;
        let scope = Scope {
            name: u32_at(record, 0)?,
            parent: u32_at(record, 4)?,
            file_or_entry: u32_at(record, 8)?,
            line: u32_at(record, 12)?,
        };
        (scope.parent == NONE || scope.parent < index).then_some(scope)
    }

    fn string(self, at: u32) -> Option<&'a str> {
        let (offset, count) = self.layout.sections[STRINGS];
        let strings = self.bytes.get(offset..offset + count)?;
        let at = usize::try_from(at).ok()?;
        let length = usize::try_from(u32_at(strings, at)?).ok()?;
        let start = at.checked_add(4)?;
        str::from_utf8(strings.get(start..start.checked_add(length)?)?).ok()
    }

    fn number(self, section: usize, index: u32) -> Option<u32> {
        u32_at(self.record(section, index)?, 0)
    }

    fn record(self, section: usize, index: u32) -> Option<&'a [u8]> {
        let (offset, count) = self.layout.sections[section];
        let index = usize::try_from(index).ok().filter(|index| *index < count)?;
        let start = offset + index * RECORD_BYTES[section];
        self.bytes.get(start..start + RECORD_BYTES[section])
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = LookupFrame<'a>;

    fn next(&mut self) -> Option<LookupFrame<'a>> {
        if self.scope == NONE || self.depth == DEPTH_MAX {
            return None;
        }
        let scope = self.view.scope(self.scope)?;
        let name = self.view.record(NAMES, scope.name)?;
        let text =
            |at| u32_at(name, at).and_then(|string| self.view.string(string)).unwrap_or_default();
        let frame = LookupFrame {
            function: text(0),
            symbol: text(4),
            display: text(8),
            file: self.view.string(self.file),
            line: (self.line != 0).then_some(self.line),
            function_offset: self.function_offset,
            inlined: scope.parent != NONE,
            language: Language::from_stored(u32_at(name, 12)?),
        };
        self.depth += 1;
        self.scope = scope.parent;
        self.file = scope.file_or_entry;
        self.line = scope.line;
        Some(frame)
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(8)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
#[path = "tests/native.rs"]
mod tests;
