//! The attributes of one entry that matter here.

use gimli::{
    Abbreviation, AttributeSpecification, AttributeValue, DwLang, Dwarf, Endianity, EntriesRaw,
    RangeListsOffset, Section as _, Unit, constants as dw,
};

use super::declaration::{StringRef, StringSection};
use super::dwarf::Slice;
use crate::language::Language;
use crate::native::format::NONE;

/// What an entry says about its name, its code and its call site.
#[derive(Debug)]
pub(super) struct Attributes {
    pub(super) name: StringRef,
    pub(super) linkage_name: StringRef,
    /// Offset in `.debug_info` of the abstract origin or specification, or `NONE`.
    pub(super) origin: u32,
    pub(super) low_pc: Option<u64>,
    pub(super) high_pc: Option<HighPc>,
    pub(super) ranges: Option<RangeListsOffset<usize>>,
    pub(super) call_file: u64,
    pub(super) call_line: u64,
    pub(super) language: Language,
}

/// The end of an entry's code.
#[derive(Debug, Clone, Copy)]
pub(super) enum HighPc {
    Address(u64),
    Length(u64),
}

impl Attributes {
    fn none() -> Self {
        Self {
            name: StringRef::NONE,
            linkage_name: StringRef::NONE,
            origin: NONE,
            low_pc: None,
            high_pc: None,
            ranges: None,
            call_file: 0,
            call_line: 0,
            language: Language::Unknown,
        }
    }

    /// Reads the entry that `abbreviation` describes; the attributes not wanted are skipped in runs.
    pub(super) fn read<E: Endianity>(
        dwarf: &Dwarf<Slice<'_, E>>,
        unit: &Unit<Slice<'_, E>>,
        abbreviation: &Abbreviation,
        entries: &mut EntriesRaw<'_, Slice<'_, E>>,
    ) -> gimli::Result<Self> {
        let mut attributes = Self::none();
        let specifications = abbreviation.attributes();
        let mut unread = 0;
        for (index, specification) in specifications.iter().enumerate() {
            if is_wanted(specification) {
                entries.skip_attributes(&specifications[unread..index])?;
                let value = entries.read_attribute(*specification)?.value();
                attributes.take(dwarf, unit, specification.name(), value)?;
                unread = index + 1;
            }
        }
        entries.skip_attributes(&specifications[unread..])?;
        Ok(attributes)
    }

    fn take<E: Endianity>(
        &mut self,
        dwarf: &Dwarf<Slice<'_, E>>,
        unit: &Unit<Slice<'_, E>>,
        name: gimli::DwAt,
        value: AttributeValue<Slice<'_, E>>,
    ) -> gimli::Result<()> {
        match name {
            dw::DW_AT_name => self.name = string(dwarf, unit, value)?,
            dw::DW_AT_linkage_name | dw::DW_AT_MIPS_linkage_name => {
                self.linkage_name = string(dwarf, unit, value)?;
            }
            dw::DW_AT_abstract_origin | dw::DW_AT_specification => {
                self.origin = reference(unit, value);
            }
            dw::DW_AT_low_pc => self.low_pc = dwarf.attr_address(unit, value)?,
            dw::DW_AT_high_pc => {
                self.high_pc = match value.udata_value() {
                    Some(length) => Some(HighPc::Length(length)),
                    None => dwarf.attr_address(unit, value)?.map(HighPc::Address),
                }
            }
            dw::DW_AT_ranges => self.ranges = dwarf.attr_ranges_offset(unit, value)?,
            dw::DW_AT_call_file => {
                self.call_file = match value {
                    AttributeValue::FileIndex(file) => file,
                    other => other.udata_value().unwrap_or(0),
                }
            }
            dw::DW_AT_call_line => self.call_line = value.udata_value().unwrap_or(0),
            dw::DW_AT_language => {
                self.language = match value {
                    AttributeValue::Language(language) => Language::from_dwarf(language),
                    other => other
                        .u16_value()
                        .map(DwLang)
                        .map_or(Language::Unknown, Language::from_dwarf),
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn is_wanted(specification: &AttributeSpecification) -> bool {
    matches!(
        specification.name(),
        dw::DW_AT_name
            | dw::DW_AT_linkage_name
            | dw::DW_AT_MIPS_linkage_name
            | dw::DW_AT_abstract_origin
            | dw::DW_AT_specification
            | dw::DW_AT_low_pc
            | dw::DW_AT_high_pc
            | dw::DW_AT_ranges
            | dw::DW_AT_call_file
            | dw::DW_AT_call_line
            | dw::DW_AT_language
    )
}

/// Notes where a string stands; its text is read only if some code needs it.
fn string<E: Endianity>(
    dwarf: &Dwarf<Slice<'_, E>>,
    unit: &Unit<Slice<'_, E>>,
    value: AttributeValue<Slice<'_, E>>,
) -> gimli::Result<StringRef> {
    Ok(match value {
        AttributeValue::DebugStrRef(offset) => StringRef::new(StringSection::Str, offset.0),
        AttributeValue::DebugStrOffsetsIndex(index) => {
            StringRef::new(StringSection::Str, dwarf.string_offset(unit, index)?.0)
        }
        AttributeValue::DebugLineStrRef(offset) => StringRef::new(StringSection::LineStr, offset.0),
        AttributeValue::String(text) => {
            StringRef::new(StringSection::Info, text.offset_from(*dwarf.debug_info.reader()))
        }
        _ => StringRef::NONE,
    })
}

/// Returns the offset in `.debug_info` that `value` refers to; `NONE` if it is in another file or a type unit.
fn reference<E: Endianity>(unit: &Unit<Slice<'_, E>>, value: AttributeValue<Slice<'_, E>>) -> u32 {
    let offset = match value {
        AttributeValue::UnitRef(offset) => {
            offset.to_debug_info_offset(&unit.header).map(|offset| offset.0)
        }
        AttributeValue::DebugInfoRef(offset) => Some(offset.0),
        _ => None,
    };
    offset.and_then(|offset| u32::try_from(offset).ok()).unwrap_or(NONE)
}
