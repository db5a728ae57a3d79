//! The frame of our derived files: a header, then sections of bytes or of little-endian `u32`.
//!
//! ```text
//! 0   magic, 8 bytes
//! 8   version, u32
//! 12  number of sections, u32
//! 16  per section: offset from the first byte and length, both u32 and in bytes
//! …   the sections, each at a multiple of eight bytes
//! ```
//!
//! Derived files are ours, but a disk may have damaged them: everything read is checked, nothing panics.

use std::ops::Range;

const HEADER_BYTES: usize = 16;
const ALIGNMENT: usize = 8;

/// Why a derived file cannot be opened. The remedy is always to derive it again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The file does not begin with the format's magic.
    #[error("not a derived file of this kind")]
    Magic,
    /// The file was written by another version of this program.
    #[error("derived file has version {0}, this program reads another one")]
    Version(u32),
    /// A section does not lie inside the file, or sections contradict each other.
    #[error("derived file is damaged")]
    Damaged,
}

/// Joins `sections` into one file; `None` if it would exceed 4 GiB.
pub(crate) fn write(magic: [u8; 8], version: u32, sections: &[&[u8]]) -> Option<Vec<u8>> {
    let mut at = (HEADER_BYTES + 8 * sections.len()).next_multiple_of(ALIGNMENT);
    let mut file = Vec::new();
    file.extend_from_slice(&magic);
    file.extend_from_slice(&version.to_le_bytes());
    file.extend_from_slice(&u32::try_from(sections.len()).ok()?.to_le_bytes());
    for section in sections {
        file.extend_from_slice(&u32::try_from(at).ok()?.to_le_bytes());
        file.extend_from_slice(&u32::try_from(section.len()).ok()?.to_le_bytes());
        at = (at + section.len()).next_multiple_of(ALIGNMENT);
    }
    u32::try_from(at).ok()?;
    file.reserve_exact(at.saturating_sub(file.len()));
    for section in sections {
        file.resize(file.len().next_multiple_of(ALIGNMENT), 0);
        file.extend_from_slice(section);
    }
    Some(file)
}

/// Returns where the `N` sections of the file in `bytes` lie; `base` is added to each.
pub(crate) fn open<const N: usize>(
    bytes: &[u8],
    base: usize,
    magic: [u8; 8],
    version: u32,
) -> Result<[Range<usize>; N], OpenError> {
    if !bytes.starts_with(&magic) {
        return Err(OpenError::Magic);
    }
    let header = Table { start: 0, len: bytes.len() / 4 };
    match header.get(bytes, 2).ok_or(OpenError::Damaged)? {
        found if found == version => {}
        found => return Err(OpenError::Version(found)),
    }
    if header.get(bytes, 3) != u32::try_from(N).ok() {
        return Err(OpenError::Damaged);
    }
    let mut ranges = [const { 0..0 }; N];
    for (number, range) in ranges.iter_mut().enumerate() {
        let start = header.get(bytes, 4 + 2 * number).ok_or(OpenError::Damaged)? as usize;
        let len = header.get(bytes, 5 + 2 * number).ok_or(OpenError::Damaged)? as usize;
        let end =
            start.checked_add(len).filter(|end| *end <= bytes.len()).ok_or(OpenError::Damaged)?;
        *range = base + start..base + end;
    }
    Ok(ranges)
}

/// A run of little-endian `u32` inside a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    start: usize,
    len: usize,
}

impl Table {
    /// Takes the section in `range` as a table.
    pub(crate) fn new(range: &Range<usize>) -> Self {
        Self { start: range.start, len: range.len() / 4 }
    }

    /// Returns the number of entries.
    pub(crate) fn len(self) -> usize {
        self.len
    }

    /// Returns entry `index`.
    pub(crate) fn get(self, bytes: &[u8], index: usize) -> Option<u32> {
        if index >= self.len {
            return None;
        }
        let at = self.start + 4 * index;
        let entry = bytes.get(at..at + 4)?;
        Some(u32::from_le_bytes(entry.try_into().ok()?))
    }

    /// Returns the first index in `range` for whose entry `is_before` is false, as `slice::partition_point`.
    pub(crate) fn partition_point(
        self,
        bytes: &[u8],
        range: Range<usize>,
        is_before: impl Fn(u32) -> bool,
    ) -> usize {
        let (mut low, mut high) = (range.start, range.end.min(self.len));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(bytes, middle).is_some_and(&is_before) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// Returns `values` as the bytes of a table.
pub(crate) fn table(values: impl IntoIterator<Item = u32>) -> Vec<u8> {
    values.into_iter().flat_map(u32::to_le_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"SYMTEST\0";

    #[test]
    fn sections_come_back_at_multiples_of_eight() {
        let file = write(MAGIC, 3, &[b"abc", &table([7, 8, 9]), b""]).unwrap();
        let [text, numbers, empty] = open::<3>(&file, 0, MAGIC, 3).unwrap();
        assert_eq!(&file[text], b"abc");
        assert_eq!((numbers.start % 8, empty.len()), (0, 0));
        let numbers = Table::new(&numbers);
        assert_eq!((numbers.get(&file, 2), numbers.get(&file, 3)), (Some(9), None));
        assert_eq!(numbers.partition_point(&file, 0..3, |value| value < 9), 2);
    }

    #[test]
    fn other_files_are_refused() {
        let file = write(MAGIC, 3, &[b"abc"]).unwrap();
        assert_eq!(open::<1>(b"", 0, MAGIC, 3), Err(OpenError::Magic));
        assert_eq!(open::<1>(&file, 0, MAGIC, 4), Err(OpenError::Version(3)));
        assert_eq!(open::<2>(&file, 0, MAGIC, 3), Err(OpenError::Damaged));
        assert_eq!(open::<1>(&file[..file.len() - 1], 0, MAGIC, 3), Err(OpenError::Damaged));
    }
}
