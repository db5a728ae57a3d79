//! Opens the ELF file: its sections, inflated within bounds, and where its code lies.

use std::borrow::Cow;

use object::read::{CompressedData, CompressionFormat, ObjectSegment};
use object::{Architecture, Object as _, ObjectKind, ObjectSection, SectionFlags, elf};

use super::code::CodeMap;
use crate::unusable::Unusable;

/// How many times larger than the file all its inflated sections may be together.
///
/// Debug sections shrink to a third or a tenth; beyond this factor the file is a bomb.
const INFLATION_MAX: u64 = 64;

/// Least number of inflated bytes that is always allowed.
const INFLATED_BYTES_MIN: u64 = 64 << 20;

/// Most bytes of `.debug_info`, so that offsets into it fit in 32 bits.
const SECTION_BYTES_MAX: u64 = u32::MAX as u64 - 1;

/// Size of a memory page for finding the image's first byte, in bytes.
///
/// Loaders map whole pages; every architecture's page is a multiple of this, and linkers align the first
/// segment to the largest of them.
const PAGE_BYTES: u64 = 4096;

/// A linked ELF file.
pub(super) struct Object<'a> {
    pub(super) file: object::File<'a>,
    pub(super) code: CodeMap,
    bytes_count: u64,
}

impl<'a> Object<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Unusable> {
        if !bytes.starts_with(&elf::ELFMAG) {
            return Err(Unusable::Unsupported("it is no ELF file".to_owned()));
        }
        let file = object::File::parse(bytes);
        let file = file.map_err(|error| Unusable::Malformed(error.to_string()))?;
        if file.kind() == ObjectKind::Relocatable {
            let reason =
                "it is an intermediate object (.o) without addresses; upload the linked program";
            return Err(Unusable::Unsupported(reason.to_owned()));
        }
        let code = CodeMap::new(load_address(&file), code_sections(&file));
        Ok(Self { file, code, bytes_count: bytes.len() as u64 })
    }

    pub(super) fn is_little_endian(&self) -> bool {
        self.file.is_little_endian()
    }

    /// Says whether symbol addresses carry the Thumb bit.
    pub(super) fn has_thumb_addresses(&self) -> bool {
        self.file.architecture() == Architecture::Arm
    }

    pub(super) fn has_section(&self, name: &str) -> bool {
        self.file.section_by_name(name).is_some()
    }

    /// Returns a section inflated; empty if the file lacks it. `budget` is what all sections share.
    pub(super) fn section(&self, name: &str, budget: &mut u64) -> Result<Cow<'a, [u8]>, Unusable> {
        // Finds `.zdebug_info` under the name `.debug_info`, too.
        let Some(section) = self.file.section_by_name(name) else {
            return Ok(Cow::Borrowed(&[]));
        };
        let damaged =
            |error: object::Error| Unusable::Malformed(format!("section {name}: {error}"));
        let data = section.compressed_data().map_err(damaged)?;
        if data.uncompressed_size > SECTION_BYTES_MAX {
            return Err(Unusable::TooLarge(format!(
                "section {name} has {} bytes",
                data.uncompressed_size
            )));
        }
        if data.format == CompressionFormat::None {
            return Ok(Cow::Borrowed(data.data));
        }
        *budget = budget.checked_sub(data.uncompressed_size).ok_or_else(|| {
            Unusable::TooLarge(format!(
                "its compressed sections inflate to more than {INFLATION_MAX} times its size"
            ))
        })?;
        inflate(data, name).map(Cow::Owned)
    }

    /// How many bytes all inflated sections may have together.
    pub(super) fn inflation_budget(&self) -> u64 {
        self.bytes_count.saturating_mul(INFLATION_MAX).max(INFLATED_BYTES_MIN)
    }
}

fn inflate(data: CompressedData<'_>, name: &str) -> Result<Vec<u8>, Unusable> {
    let damaged = |error: String| Unusable::Malformed(format!("section {name}: {error}"));
    if data.format != CompressionFormat::Zstandard {
        return data.decompress().map(Cow::into_owned).map_err(|error| damaged(error.to_string()));
    }
    let size =
        usize::try_from(data.uncompressed_size).map_err(|error| damaged(error.to_string()))?;
    let inflated =
        zstd::bulk::decompress(data.data, size).map_err(|error| damaged(error.to_string()))?;
    if inflated.len() == size {
        Ok(inflated)
    } else {
        Err(damaged("inflates to another size than it says".to_owned()))
    }
}

/// The address of the image's first byte: the page of the lowest loaded segment.
fn load_address(file: &object::File<'_>) -> u64 {
    let lowest =
        file.segments().filter(|segment| segment.size() > 0).map(|segment| segment.address()).min();
    lowest.unwrap_or(0) & !(PAGE_BYTES - 1)
}

/// Address ranges of the sections that hold code, whether or not this file still contains their bytes.
fn code_sections(file: &object::File<'_>) -> Vec<(u64, u64)> {
    let flags = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    let is_code = |section: &object::Section<'_, '_>| match section.flags() {
        SectionFlags::Elf { sh_flags, .. } => sh_flags & flags == flags,
        _ => false,
    };
    let sections = file.sections().filter(is_code);
    sections
        .map(|section| (section.address(), section.address().saturating_add(section.size())))
        .collect()
}
