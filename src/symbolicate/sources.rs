//! Reads a derived source file set: the source texts of one native object or of one source map.
//!
//! The format is described in `docs/js-lookup-format.md`, and written by [`crate::derive::sources`].
//! Context lines come from here, so pages never open an uploaded archive.

pub(crate) mod excerpt;
pub(crate) mod path;

use std::cmp::Ordering;
use std::io::Read;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::sections::{self, OpenError, Table};
use crate::{SharedBytes, sources::path::normalized};

/// Version of the format. History: 1, the first.
pub const VERSION: u32 = 1;

/// First bytes of a source file set.
pub const MAGIC: [u8; 8] = *b"SYMSRCS\0";

/// Most lines before or after the wanted one.
pub const CONTEXT_LINES_MAX: u32 = 100;

/// Most bytes of the wanted line that are looked at: its column may be far to the right.
const WANTED_LINE_BYTES_MAX: usize = 4 << 20;

/// Most bytes of a line beside it that are looked at.
const OTHER_LINE_BYTES_MAX: usize = 1024;

/// Largest window of a compressed text, as a power of two: what the decoder allocates at most.
pub(crate) const WINDOW_LOG_MAX: u32 = 23;

/// Numbers of one record.
pub(crate) const RECORD_LEN: usize = 18;

/// What a record says of its text.
pub(crate) mod stored {
    /// The text is not known.
    pub(crate) const MISSING: u32 = 0;
    /// The text as it is.
    pub(crate) const RAW: u32 = 1;
    /// One zstd frame.
    pub(crate) const ZSTD: u32 = 2;
}

/// Number of a source file in its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceIndex(pub u32);

/// Lines around the wanted one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Number of the first of `lines`, from 1.
    pub first_line: u32,
    /// The lines without their ends; long ones are cut, marked with `{snip}`.
    pub lines: Vec<String>,
}

/// A set of source files.
#[derive(Clone)]
pub struct Sources {
    bytes: SharedBytes,
    records: Table,
    by_path: Table,
    by_hash: Table,
    lines: Table,
    strings: Range<usize>,
    texts: Range<usize>,
}

/// One source file as its record has it.
struct Record {
    path: Range<usize>,
    key: Range<usize>,
    text: Range<usize>,
    text_len: u32,
    stored: u32,
    first_line: usize,
    line_count: u32,
    hash: [u8; 32],
}

impl Sources {
    /// Opens a derived file.
    ///
    /// # Errors
    ///
    /// When it is another kind of file, another version, or damaged.
    pub fn open(bytes: SharedBytes) -> Result<Self, OpenError> {
        let len = (*bytes).as_ref().len();
        Self::open_within(bytes, 0..len)
    }

    /// Opens a set that is one section of another file.
    pub(crate) fn open_within(bytes: SharedBytes, range: Range<usize>) -> Result<Self, OpenError> {
        let file = (*bytes).as_ref().get(range.clone()).ok_or(OpenError::Damaged)?;
        let [strings, records, by_path, by_hash, lines, texts] =
            sections::open(file, range.start, MAGIC, VERSION)?;
        let [records, by_path, by_hash, lines] =
            [records, by_path, by_hash, lines].map(|range| Table::new(&range));
        if by_path.len() != records.len() / RECORD_LEN || by_hash.len() > by_path.len() {
            return Err(OpenError::Damaged);
        }
        Ok(Self { bytes, records, by_path, by_hash, lines, strings, texts })
    }

    /// Returns the number of source files.
    pub fn len(&self) -> usize {
        self.by_path.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the path of a source file as it was given.
    pub fn path(&self, index: SourceIndex) -> Option<&str> {
        let record = self.record(index)?;
        self.string(record.path)
    }

    /// Finds a source file by its path.
    ///
    /// First the same path, after `\` became `/` and `.` and `..` were resolved; else the only file of which
    /// one path ends with the other, the shorter one having at least two components. A name alone is never enough.
    pub fn find(&self, path: &str) -> Option<SourceIndex> {
        let key = normalized(path);
        let (from, to) =
            (self.first_at_least(key.as_bytes()), self.first_after_suffix(key.as_bytes()));
        if from < to
            && let Some(index) = self.with_key(from, &key)
        {
            return Some(index);
        }
        self.find_by_suffix(&key)
    }

    /// Returns the SHA-256 of a source text, `None` if the text is not known.
    pub fn hash(&self, index: SourceIndex) -> Option<[u8; 32]> {
        let record = self.record(index)?;
        (record.stored != stored::MISSING).then_some(record.hash)
    }

    /// Finds a source file by the SHA-256 of its text.
    pub fn find_by_hash(&self, hash: &[u8; 32]) -> Option<SourceIndex> {
        let hash_at = |index: u32| self.record(SourceIndex(index)).map(|record| record.hash);
        let at = self.by_hash.partition_point(self.all(), 0..self.by_hash.len(), |index| {
            hash_at(index).is_some_and(|found| found < *hash)
        });
        let index = self.by_hash.get(self.all(), at)?;
        (hash_at(index)? == *hash).then_some(SourceIndex(index))
    }

    /// Returns whether the text is known and has line `line`, which counts from 1; reads no text.
    pub fn has_line(&self, index: SourceIndex, line: u32) -> bool {
        let is_known = |record: &Record| record.stored != stored::MISSING;
        let record = self.record(index).filter(is_known);
        record.is_some_and(|record| (1..=record.line_count).contains(&line))
    }

    /// Returns line `line`, which counts from 1, with up to `before` and `after` lines around it.
    ///
    /// `None` if the text is not known or has no such line.
    pub fn lines(&self, index: SourceIndex, line: u32, before: u32, after: u32) -> Option<Context> {
        self.lines_around(index, line, 1, before, after)
    }

    /// As [`Self::lines`]; a long wanted line is cut around `column`, which counts UTF-16 units from 1.
    pub fn lines_around(
        &self,
        index: SourceIndex,
        line: u32,
        column: u32,
        before: u32,
        after: u32,
    ) -> Option<Context> {
        let record = self.record(index)?;
        let wanted = line.checked_sub(1).filter(|wanted| *wanted < record.line_count)?;
        let first = wanted.saturating_sub(before.min(CONTEXT_LINES_MAX));
        let last = wanted.saturating_add(after.min(CONTEXT_LINES_MAX)).min(record.line_count - 1);
        let mut text = self.open_text(&record)?;
        let mut lines = Vec::new();
        for number in first..=last {
            let range = self.line_range(&record, number)?;
            let (bytes_max, column) = match number == wanted {
                true => (WANTED_LINE_BYTES_MAX, column.saturating_sub(1)),
                false => (OTHER_LINE_BYTES_MAX, 0),
            };
            let line = text.read(range, bytes_max)?;
            lines.push(excerpt::cut(excerpt::without_end(&String::from_utf8_lossy(&line)), column));
        }
        // The last line's end is no further line for people, unless something points there.
        let is_at_end = last + 1 == record.line_count && last > wanted;
        if is_at_end && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        Some(Context { first_line: first + 1, lines })
    }

    fn all(&self) -> &[u8] {
        (*self.bytes).as_ref()
    }

    fn string(&self, range: Range<usize>) -> Option<&str> {
        std::str::from_utf8(self.all().get(self.strings.clone())?.get(range)?).ok()
    }

    fn record(&self, index: SourceIndex) -> Option<Record> {
        let first = (index.0 as usize).checked_mul(RECORD_LEN)?;
        let number = |at: usize| self.records.get(self.all(), first + at);
        let range = |at: usize| {
            Some(
                number(at)? as usize
                    ..(number(at)? as usize).checked_add(number(at + 1)? as usize)?,
            )
        };
        let mut hash = [0; 32];
        for (at, four) in hash.chunks_exact_mut(4).enumerate() {
            four.copy_from_slice(&number(10 + at)?.to_le_bytes());
        }
        Some(Record {
            path: range(0)?,
            key: range(2)?,
            text: range(4)?,
            text_len: number(6)?,
            stored: number(7)?,
            first_line: number(8)? as usize,
            line_count: number(9)?,
            hash,
        })
    }

    fn key(&self, index: u32) -> Option<&str> {
        self.string(self.record(SourceIndex(index))?.key)
    }

    /// Returns the first place in `by_path` whose key, read backwards, is not before `key`.
    fn first_at_least(&self, key: &[u8]) -> usize {
        self.by_path.partition_point(self.all(), 0..self.by_path.len(), |index| {
            self.key(index).is_some_and(|found| backwards(found.as_bytes(), key) == Ordering::Less)
        })
    }

    /// Returns the first place in `by_path` behind all keys that end with `key`.
    fn first_after_suffix(&self, key: &[u8]) -> usize {
        self.by_path.partition_point(self.all(), 0..self.by_path.len(), |index| {
            self.key(index).is_some_and(|found| {
                found.as_bytes().ends_with(key)
                    || backwards(found.as_bytes(), key) == Ordering::Less
            })
        })
    }

    fn with_key(&self, at: usize, key: &str) -> Option<SourceIndex> {
        let index = self.by_path.get(self.all(), at)?;
        (self.key(index)? == key).then_some(SourceIndex(index))
    }

    fn find_by_suffix(&self, key: &str) -> Option<SourceIndex> {
        let mut found = None;
        // Files whose path ends with the wanted one.
        let longer = format!("/{}", key.trim_start_matches('/'));
        if path::components(key) >= 2 {
            match (
                self.first_at_least(longer.as_bytes()),
                self.first_after_suffix(longer.as_bytes()),
            ) {
                (from, to) if to.saturating_sub(from) > 1 => return None,
                (from, to) if from < to => found = self.by_path.get(self.all(), from),
                _ => {}
            }
        }
        // Files whose path is an end of the wanted one.
        for (slash, _) in key.match_indices('/') {
            let shorter = &key[slash + 1..];
            if path::components(shorter) < 2 {
                break;
            }
            if let Some(SourceIndex(index)) =
                self.with_key(self.first_at_least(shorter.as_bytes()), shorter)
            {
                if found.is_some_and(|found| found != index) {
                    return None;
                }
                found = Some(index);
            }
        }
        found.map(SourceIndex)
    }

    fn line_range(&self, record: &Record, number: u32) -> Option<Range<usize>> {
        let at = record.first_line.checked_add(number as usize)?;
        let start = self.lines.get(self.all(), at)?;
        let end = match number + 1 < record.line_count {
            true => self.lines.get(self.all(), at + 1)?,
            false => record.text_len,
        };
        (start <= end && end <= record.text_len).then_some(start as usize..end as usize)
    }

    fn open_text(&self, record: &Record) -> Option<Text<'_>> {
        let stored = self.all().get(self.texts.clone())?.get(record.text.clone())?;
        let reader: Box<dyn Read + '_> = match record.stored {
            stored::RAW => Box::new(stored),
            stored::ZSTD => {
                let mut decoder = zstd::Decoder::with_buffer(stored).ok()?.single_frame();
                decoder.window_log_max(WINDOW_LOG_MAX).ok()?;
                Box::new(decoder)
            }
            _ => return None,
        };
        Some(Text { reader, at: 0 })
    }
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sources({} files)", self.len())
    }
}

/// A source text read from front to back, so that memory does not grow with it.
struct Text<'a> {
    reader: Box<dyn Read + 'a>,
    at: usize,
}

impl Text<'_> {
    /// Returns up to `bytes_max` bytes of `range`, which must not begin before what was read last.
    fn read(&mut self, range: Range<usize>, bytes_max: usize) -> Option<Vec<u8>> {
        let skip = range.start.checked_sub(self.at)?;
        let skipped =
            std::io::copy(&mut self.reader.by_ref().take(skip as u64), &mut std::io::sink())
                .ok()?;
        let len = range.len().min(bytes_max);
        let mut bytes = Vec::new();
        let read = self.reader.by_ref().take(len as u64).read_to_end(&mut bytes).ok()?;
        self.at = range.start + read;
        (skipped == skip as u64 && read == len).then_some(bytes)
    }
}

/// Compares from the last byte to the first, so that paths with one ending stand together.
pub(crate) fn backwards(a: &[u8], b: &[u8]) -> Ordering {
    a.iter().rev().cmp(b.iter().rev())
}

#[cfg(test)]
mod tests;
