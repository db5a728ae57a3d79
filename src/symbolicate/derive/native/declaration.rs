//! Every function entry of `.debug_info`, found again by its offset.
//!
//! A function's name may stand three entries away and in another unit (inlined call → abstract instance →
//! declaration in its class), so all entries are collected first and names are looked up afterwards, once each.

use crate::language::Language;
use crate::native::format::NONE;

/// Most function entries per file (32 bytes each).
const DECLARATIONS_MAX: usize = 1 << 25;

/// Most namespaces and types per file (16 bytes each).
const CONTAINERS_MAX: usize = 1 << 25;

/// Longest chain from an entry to the one that has its name.
const ORIGINS_MAX: usize = 16;

/// Offsets covered by one slot of the index, as a power of two.
const SLOT_SHIFT: u32 = 6;

/// Where a string stands: a section and an offset in it, packed; or nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct StringRef(u64);

/// A section that holds strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StringSection {
    Str,
    LineStr,
    Info,
}

impl StringRef {
    pub(super) const NONE: Self = Self(u64::MAX);

    pub(super) fn new(section: StringSection, offset: usize) -> Self {
        Self((section as u64) << 62 | offset as u64)
    }

    pub(super) fn is_some(self) -> bool {
        self != Self::NONE
    }

    pub(super) fn place(self) -> Option<(StringSection, usize)> {
        let section = match self.0 >> 62 {
            0 => StringSection::Str,
            1 => StringSection::LineStr,
            2 => StringSection::Info,
            _ => return None,
        };
        usize::try_from(self.0 & ((1 << 62) - 1)).ok().map(|offset| (section, offset))
    }
}

/// One `DW_TAG_subprogram`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Declaration {
    pub(super) name: StringRef,
    pub(super) linkage_name: StringRef,
    /// Offset of the entry in `.debug_info`.
    pub(super) offset: u32,
    /// The namespace or type it stands in, or `NONE`.
    pub(super) container: u32,
    /// Offset of its abstract origin or specification, or `NONE`.
    pub(super) origin: u32,
}

/// A namespace, type or function that qualifies the names within it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container {
    pub(super) name: StringRef,
    /// The container around it, or `NONE`; always a smaller index.
    pub(super) parent: u32,
}

/// What a function is called, before demangling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Names {
    pub(super) name: StringRef,
    pub(super) linkage_name: StringRef,
    /// Qualifies `name`.
    pub(super) container: u32,
    pub(super) language: Language,
}

/// All function entries of a file.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    /// Ascending by offset.
    entries: Vec<Declaration>,
    pub(super) containers: Vec<Container>,
    /// Offset at which each unit begins, and its language; ascending.
    units: Vec<(u32, Language)>,
    /// For each slot of offsets, the first entry in it.
    index: Vec<u32>,
}

impl Declarations {
    /// Adds an entry; entries must come in ascending order. Returns false when there is no more room.
    pub(super) fn push(&mut self, declaration: Declaration) -> bool {
        let has_room = self.entries.len() < DECLARATIONS_MAX;
        if has_room {
            self.entries.push(declaration);
        }
        has_room
    }

    pub(super) fn push_unit(&mut self, offset: u32, language: Language) {
        self.units.push((offset, language));
    }

    /// Adds a container and returns its index; without room, its parent stands for it.
    pub(super) fn push_container(&mut self, container: Container) -> u32 {
        if self.containers.len() >= CONTAINERS_MAX {
            return container.parent;
        }
        self.containers.push(container);
        self.containers.len() as u32 - 1
    }

    /// Builds the index; to be called once, after the last entry.
    pub(super) fn finish(&mut self) {
        let slots = self.entries.last().map_or(0, |last| (last.offset >> SLOT_SHIFT) as usize + 1);
        self.index = Vec::with_capacity(slots + 1);
        for (position, entry) in self.entries.iter().enumerate() {
            while self.index.len() <= (entry.offset >> SLOT_SHIFT) as usize {
                self.index.push(position as u32);
            }
        }
        self.index.push(self.entries.len() as u32);
    }

    /// Number of function entries.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the position of the entry at `offset`.
    pub(super) fn position(&self, offset: u32) -> Option<u32> {
        let slot = (offset >> SLOT_SHIFT) as usize;
        let (start, end) = (*self.index.get(slot)? as usize, *self.index.get(slot + 1)? as usize);
        let entries = self.entries.get(start..end)?;
        let found = entries.iter().position(|entry| entry.offset == offset)?;
        u32::try_from(start + found).ok()
    }

    /// Follows an entry's origins until both of its names are known.
    pub(super) fn names(&self, position: u32) -> Option<Names> {
        let mut entry = *self.entries.get(position as usize)?;
        let mut names = Names {
            name: StringRef::NONE,
            linkage_name: StringRef::NONE,
            container: NONE,
            language: self.language_at(entry.offset),
        };
        for _ in 0..ORIGINS_MAX {
            if !names.linkage_name.is_some() {
                names.linkage_name = entry.linkage_name;
            }
            if !names.name.is_some() && entry.name.is_some() {
                names.name = entry.name;
                names.container = entry.container;
                names.language = self.language_at(entry.offset);
            }
            if entry.origin == NONE || (names.name.is_some() && names.linkage_name.is_some()) {
                break;
            }
            let Some(origin) = self.position(entry.origin) else {
                break;
            };
            entry = self.entries[origin as usize];
        }
        (names.name.is_some() || names.linkage_name.is_some()).then_some(names)
    }

    fn language_at(&self, offset: u32) -> Language {
        let after = self.units.partition_point(|(start, _)| *start <= offset);
        after.checked_sub(1).map_or(Language::Unknown, |unit| self.units[unit].1)
    }
}
