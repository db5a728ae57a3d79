//! The source language of a function.

use serde::{Deserialize, Serialize};

/// A source language, as far as names and display depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Language {
    /// Not said, or none of the others.
    #[default]
    Unknown = 0,
    /// C, any standard.
    C = 1,
    /// C++, any standard.
    Cpp = 2,
    /// Rust.
    Rust = 3,
    /// Objective-C.
    ObjC = 4,
    /// Objective-C++.
    ObjCpp = 5,
    /// Swift.
    Swift = 6,
    /// Go.
    Go = 7,
    /// D.
    D = 8,
    /// Fortran, any standard.
    Fortran = 9,
    /// Assembler.
    Assembler = 10,
    /// Ada, any standard.
    Ada = 11,
    /// Zig.
    Zig = 12,
}

impl Language {
    /// Reads the number under which the native look-up file stores a language.
    pub(crate) fn from_stored(number: u32) -> Self {
        const ALL: [Language; 13] = [
            Language::Unknown,
            Language::C,
            Language::Cpp,
            Language::Rust,
            Language::ObjC,
            Language::ObjCpp,
            Language::Swift,
            Language::Go,
            Language::D,
            Language::Fortran,
            Language::Assembler,
            Language::Ada,
            Language::Zig,
        ];
        usize::try_from(number).ok().and_then(|i| ALL.get(i).copied()).unwrap_or_default()
    }

    /// Translates `DW_AT_language` (DWARF 5, table 7.17, and the later additions of the DWARF committee).
    pub(crate) fn from_dwarf(language: gimli::DwLang) -> Self {
        match language.0 {
            0x01 | 0x02 | 0x0c | 0x1d | 0x2c | 0x3e => Self::C,
            0x04 | 0x1a | 0x21 | 0x2b | 0x3a => Self::Cpp,
            0x03 | 0x0d | 0x2f => Self::Ada,
            0x07 | 0x08 | 0x0e | 0x22 | 0x23 | 0x2d | 0x2e => Self::Fortran,
            0x10 => Self::ObjC,
            0x11 => Self::ObjCpp,
            0x13 => Self::D,
            0x16 => Self::Go,
            0x1c => Self::Rust,
            0x1e => Self::Swift,
            0x27 => Self::Zig,
            0x31 | 0x8001 => Self::Assembler,
            _ => Self::Unknown,
        }
    }

    /// Says whether names of this language are written with `::` between scopes.
    pub(crate) fn has_scoped_names(self) -> bool {
        matches!(self, Self::Cpp | Self::Rust | Self::ObjCpp | Self::Unknown)
    }
}
