//! Which addresses are code, and their offset from the image's first byte.

use std::cell::Cell;

/// A run of code, as module offsets: first byte, and the byte after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The code of one image.
///
/// This is also what recognises code that the linker discarded: its debug information stays, at address 0, −1
/// or −2 plus an offset, and none of these lies in a section that holds code.
#[derive(Debug)]
pub(super) struct CodeMap {
    load_address: u64,
    /// Ascending and disjoint; only what lies within 4 GiB of the image's first byte.
    sections: Vec<(u64, u64)>,
    /// Index of the section found last: neighbours in debug information are neighbours in code.
    last: Cell<usize>,
    has_far_code: bool,
}

impl CodeMap {
    pub(super) fn new(load_address: u64, mut sections: Vec<(u64, u64)>) -> Self {
        let limit = load_address.saturating_add(u64::from(u32::MAX) - 1);
        let count = sections.len();
        sections.retain(|(start, end)| start < end && *start >= load_address && *end <= limit);
        let has_far_code = sections.len() < count;
        sections.sort_unstable();
        let mut reached = 0;
        for section in &mut sections {
            section.0 = section.0.max(reached);
            section.1 = section.1.max(section.0);
            reached = section.1;
        }
        sections.retain(|(start, end)| start < end);
        Self { load_address, sections, last: Cell::new(0), has_far_code }
    }

    pub(super) fn load_address(&self) -> u64 {
        self.load_address
    }

    /// Says whether some code cannot be addressed by 32-bit offsets, or lies below the image's first byte.
    pub(super) fn has_far_code(&self) -> bool {
        self.has_far_code
    }

    /// Returns the part of `start..end` that lies in the section `start` is in; `None` where there is no code.
    pub(super) fn span(&self, start: u64, end: u64) -> Option<Span> {
        let (_, section_end) = self.section_of(start)?;
        let end = end.min(section_end);
        if end <= start || start == 0 {
            return None;
        }
        Some(Span { start: self.offset(start)?, end: self.offset(end)? })
    }

    /// Returns the section that contains `address`.
    pub(super) fn section_of(&self, address: u64) -> Option<(u64, u64)> {
        let contains = |section: &(u64, u64)| section.0 <= address && address < section.1;
        if let Some(section) =
            self.sections.get(self.last.get()).filter(|section| contains(section))
        {
            return Some(*section);
        }
        let index = self.sections.partition_point(|section| section.1 <= address);
        let section = self.sections.get(index).filter(|section| contains(section))?;
        self.last.set(index);
        Some(*section)
    }

    fn offset(&self, address: u64) -> Option<u32> {
        u32::try_from(address.checked_sub(self.load_address)?).ok()
    }
}
