//! What an uploaded file is: its format, its identifiers and what it is good for.
//!
//! Reads headers and section tables only; nothing here walks debug information. Kinds that carry no id of
//! their own (BCSymbolMap, il2cpp, Dart maps) are not objects and are not handled here.

use std::panic::{AssertUnwindSafe, catch_unwind};

use protocol::id::{CodeId, DebugId};
use serde::{Deserialize, Serialize};
use symbolic::debuginfo::{self, Archive, Object, ParseObjectOptions};

use crate::unusable::Unusable;

/// Largest size, in bytes, to which one compressed section or embedded source is inflated while identifying.
const SECTION_BYTES_MAX: usize = 1 << 30;

/// The container format of a debug file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileFormat {
    /// Executable and Linkable Format (Linux, Android).
    Elf,
    /// Mach-O (Apple systems).
    MachO,
    /// Portable Executable (Windows).
    Pe,
    /// Program database (Windows).
    Pdb,
    /// Portable PDB (.NET).
    PortablePdb,
    /// WebAssembly module.
    Wasm,
    /// Breakpad text symbols.
    Breakpad,
    /// Archive of source files that belong to an object.
    SourceBundle,
}

impl FileFormat {
    /// Returns Sentry's `symbolType` of this format.
    pub fn symbol_type(self) -> &'static str {
        match self {
            Self::Elf => "elf",
            Self::MachO => "macho",
            Self::Pe => "pe",
            Self::Pdb => "pdb",
            Self::PortablePdb => "portablepdb",
            Self::Wasm => "wasm",
            Self::Breakpad => "breakpad",
            Self::SourceBundle => "sourcebundle",
        }
    }

    /// Returns the content type under which Sentry lists and serves this format.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Elf => "application/x-elf-binary",
            Self::MachO => "application/x-mach-binary",
            Self::Pe => "application/x-dosexec",
            Self::Pdb => "application/x-ms-pdb",
            Self::PortablePdb => "application/x-portable-pdb",
            Self::Wasm => "application/wasm",
            Self::Breakpad => "text/x-breakpad",
            Self::SourceBundle => "application/x-sentry-bundle+zip",
        }
    }

    fn from_parsed(format: debuginfo::FileFormat) -> Option<Self> {
        Some(match format {
            debuginfo::FileFormat::Elf => Self::Elf,
            debuginfo::FileFormat::MachO => Self::MachO,
            debuginfo::FileFormat::Pe => Self::Pe,
            debuginfo::FileFormat::Pdb => Self::Pdb,
            debuginfo::FileFormat::PortablePdb => Self::PortablePdb,
            debuginfo::FileFormat::Wasm => Self::Wasm,
            debuginfo::FileFormat::Breakpad => Self::Breakpad,
            debuginfo::FileFormat::SourceBundle => Self::SourceBundle,
            debuginfo::FileFormat::Unknown => return None,
        })
    }
}

/// What an object is meant for; serialised as the eight words of sentry-cli.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ObjectKind {
    /// The file says nothing.
    #[serde(rename = "none")]
    None,
    /// Intermediate object of a compiler (`.o`).
    #[serde(rename = "rel")]
    Relocatable,
    /// Program; position-independent ones are `lib`.
    #[serde(rename = "exe")]
    Executable,
    /// Shared library or position-independent program.
    #[serde(rename = "lib")]
    Library,
    /// Memory dump.
    #[serde(rename = "dump")]
    Dump,
    /// Debug companion of another file.
    #[serde(rename = "dbg")]
    Debug,
    /// Source files only.
    #[serde(rename = "src")]
    Sources,
    /// Anything else.
    #[serde(rename = "other")]
    Other,
}

impl ObjectKind {
    /// Returns sentry-cli's word for this kind.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Relocatable => "rel",
            Self::Executable => "exe",
            Self::Library => "lib",
            Self::Dump => "dump",
            Self::Debug => "dbg",
            Self::Sources => "src",
            Self::Other => "other",
        }
    }

    fn from_parsed(kind: debuginfo::ObjectKind) -> Self {
        match kind {
            debuginfo::ObjectKind::None => Self::None,
            debuginfo::ObjectKind::Relocatable => Self::Relocatable,
            debuginfo::ObjectKind::Executable => Self::Executable,
            debuginfo::ObjectKind::Library => Self::Library,
            debuginfo::ObjectKind::Dump => Self::Dump,
            debuginfo::ObjectKind::Debug => Self::Debug,
            debuginfo::ObjectKind::Sources => Self::Sources,
            debuginfo::ObjectKind::Other => Self::Other,
        }
    }
}

/// What a file is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Features {
    /// It names functions by a symbol table.
    pub symtab: bool,
    /// It maps addresses to lines and inlined functions.
    pub debug: bool,
    /// It says how to walk a stack.
    pub unwind: bool,
    /// It contains source text.
    pub sources: bool,
}

impl Features {
    /// Returns the names of the features present, in the order of Sentry's API.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.debug, "debug"),
            (self.symtab, "symtab"),
            (self.unwind, "unwind"),
            (self.sources, "sources"),
        ];
        all.into_iter().filter(|(present, _)| *present).map(|(_, name)| name).collect()
    }
}

/// What one uploaded object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identified {
    /// Its container format.
    pub format: FileFormat,
    /// What it is meant for.
    pub object_kind: ObjectKind,
    /// Which build it belongs to; never nil.
    pub debug_id: DebugId,
    /// Identifier of the code file, where the format has one.
    pub code_id: Option<CodeId>,
    /// Architecture, as Sentry's `cpuName` writes it (`x86_64`, `arm64`, `unknown`…).
    pub arch: String,
    /// What it is good for.
    pub features: Features,
    /// Gaps a person should know about, as lower-case fragments.
    pub notes: Vec<String>,
}

/// Tells what the object in `bytes` is; `name` is the name it was uploaded under and used in messages only.
///
/// # Errors
///
/// [`Unusable`] where the bytes are no single object with a debug id.
pub fn identify(bytes: &[u8], name: &str) -> Result<Identified, Unusable> {
    if bytes.is_empty() {
        return Err(Unusable::Empty);
    }
    // The parsers below are not ours; a panic in one of them is the file's fault, not the program's end.
    catch_unwind(AssertUnwindSafe(|| identify_object(bytes, name)))
        .unwrap_or_else(|_| Err(Unusable::Malformed(format!("{name} could not be parsed"))))
}

fn identify_object(bytes: &[u8], name: &str) -> Result<Identified, Unusable> {
    let options = parse_options();
    let Some(format) = FileFormat::from_parsed(Archive::peek(bytes)) else {
        return Err(unknown_format(bytes, name));
    };
    let malformed = |error: debuginfo::ObjectError| Unusable::Malformed(format!("{name}: {error}"));
    let archive = Archive::parse_with_opts(bytes, options).map_err(malformed)?;
    if archive.object_count() != 1 {
        return Err(Unusable::SeveralArchitectures(archive.object_count()));
    }
    let object = archive.object_by_index(0).map_err(malformed)?;
    let object = object.ok_or_else(|| Unusable::Malformed(format!("{name} contains no object")))?;
    describe(&object, format)
}

fn parse_options() -> ParseObjectOptions {
    let mut options = ParseObjectOptions::default();
    options.max_decompressed_section_size = Some(SECTION_BYTES_MAX);
    options.max_decompressed_embedded_source_size = Some(SECTION_BYTES_MAX);
    options
}

fn describe(object: &Object<'_>, format: FileFormat) -> Result<Identified, Unusable> {
    let parsed_id = object.debug_id();
    let debug_id = DebugId { uuid: parsed_id.uuid(), age: parsed_id.appendix() };
    if debug_id.is_nil() {
        return Err(Unusable::NoDebugId);
    }
    let features = Features {
        symtab: object.has_symbols(),
        debug: object.has_debug_info(),
        unwind: object.has_unwind_info(),
        sources: object.has_sources(),
    };
    let mut notes = gaps(format, features);
    if object.is_malformed() {
        notes.push("file is damaged and was read in part only".to_owned());
    }
    Ok(Identified {
        format,
        object_kind: ObjectKind::from_parsed(object.kind()),
        debug_id,
        code_id: object.code_id().and_then(|id| id.as_str().parse().ok()),
        arch: object.arch().name().to_owned(),
        features,
        notes,
    })
}

/// Says in words what is missing in a file of this format, so that a wrong upload is noticed at once.
fn gaps(format: FileFormat, features: Features) -> Vec<String> {
    let mut notes = Vec::new();
    match format {
        FileFormat::SourceBundle => {
            if !features.sources {
                notes.push("no source files in it");
            }
        }
        // These never unwind: their code file does.
        FileFormat::PortablePdb => {
            if !features.debug {
                notes.push("no debug info");
            }
        }
        FileFormat::Elf
        | FileFormat::MachO
        | FileFormat::Pe
        | FileFormat::Pdb
        | FileFormat::Wasm
        | FileFormat::Breakpad => {
            match (features.debug, features.symtab) {
                (true, true) => {}
                (true, false) => notes.push("no symbol table"),
                (false, true) => notes.push("no debug info, only a symbol table"),
                (false, false) => notes.push("no debug info and no symbol table"),
            }
            if !features.unwind && format != FileFormat::Wasm {
                notes.push("no unwind info");
            }
        }
    }
    notes.into_iter().map(str::to_owned).collect()
}

fn unknown_format(bytes: &[u8], name: &str) -> Unusable {
    let kind = match bytes {
        [b'P', b'K', 3 | 5, ..] => "a zip archive; upload the files in it",
        [0x1f, 0x8b, ..] => "gzip-compressed; upload it unpacked",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd-compressed; upload it unpacked",
        [b'!', b'<', b'a', b'r', b'c', b'h', b'>', ..] => {
            "a static library; upload the linked program"
        }
        [b'B', b'C', b'S', b'y', b'm', b'b', b'o', b'l', b'M', b'a', b'p', ..] => "a BCSymbolMap",
        _ => "no known debug file format",
    };
    Unusable::Unsupported(format!("{name} is {kind}"))
}

#[cfg(test)]
#[path = "tests/identify.rs"]
mod tests;
