//! What became of each frame: the verdict, with the reason where there is no answer.

use serde::{Deserialize, Serialize};

use crate::id::{CodeId, DebugId};

/// What symbolication made of one frame, and what the frame was before.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Symbolicated {
    /// The verdict, with the reason where there is no answer.
    #[serde(flatten)]
    pub status: FrameStatus,
    /// Index of the frame in the original stack trace; inlined calls share their caller's.
    pub original_index: u32,
    /// Whether the call was inlined into the next older frame.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inlined: bool,
    /// Where the source lines are; absent where the SDK sent them or nobody has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceRef>,
    /// Where the frame stands in the minified file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minified: Option<MinifiedPosition>,
    /// Offset of the address in its image, for native frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module_offset: Option<u64>,
}

/// Source lines that are read when a frame is shown, from a derived file of our own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceRef {
    /// SHA-256 of the stored files the derived file is made from, as the derived file's key, in hex.
    pub derived: String,
    /// SHA-256 of the source's text, in hex.
    pub hash: String,
    /// The line, counted from 1.
    pub line: u32,
}

/// A position in a minified file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MinifiedPosition {
    /// Function name as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// URL or path of the minified file, as sent.
    pub abs_path: String,
    /// Line, counted from 1.
    pub lineno: u32,
    /// Column, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colno: Option<u32>,
}

/// The verdict on one frame: symbolicated, readable as sent, or exactly why not.
///
/// This one type is what the API, the pages and the command line speak of; each reason names what is
/// missing, so that the page can name the command that fixes it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum FrameStatus {
    /// Nothing to do: the SDK sent a readable frame (Python, node built-ins, unminified code…).
    #[default]
    AsSent,
    /// Function, file and line come from uploaded files.
    Symbolicated,
    /// Only the function is known: the file has a symbol table, or the compiler gave this address no line.
    SymbolicatedWithoutLine {
        /// The image's debug id.
        debug_id: DebugId,
        /// Whether the file has line information at all.
        file_has_lines: bool,
    },
    /// The address lies in no image that the event lists.
    UnknownImage,
    /// The image names neither a debug id nor a code id, so no file can be matched to it.
    ImageWithoutId {
        /// The image's file.
        code_file: Option<String>,
    },
    /// No file with the image's id was uploaded.
    MissingDebugFile {
        /// The image's debug id.
        debug_id: Option<DebugId>,
        /// The image's code id (GNU build id).
        code_id: Option<CodeId>,
        /// The image's file.
        code_file: Option<String>,
        /// The image's architecture.
        arch: Option<String>,
    },
    /// The file is there, but no function of it covers the address.
    MissingSymbol {
        /// The image's debug id.
        debug_id: DebugId,
        /// Offset of the address in the image.
        module_offset: u64,
    },
    /// The file was uploaded and cannot be used.
    UnusableDebugFile {
        /// The image's debug id.
        debug_id: DebugId,
        /// The image's file.
        code_file: Option<String>,
        /// What is wrong with it.
        reason: String,
    },
    /// The file needs more memory or time than this server gives a worker.
    TooLargeHere {
        /// The debug id of the file or bundle.
        debug_id: DebugId,
        /// Which limit it met.
        reason: String,
    },
    /// The event names no debug id for the minified file: nothing injected one into the build that ran.
    NoDebugId {
        /// URL or path of the minified file.
        abs_path: String,
    },
    /// No artifact bundle with this debug id was uploaded.
    MissingSourceMap {
        /// The debug id that the event names for the minified file.
        debug_id: DebugId,
        /// URL or path of the minified file.
        abs_path: String,
    },
    /// The bundle has the minified file, but no source map with its debug id.
    BundleWithoutMap {
        /// The debug id that the event names for the minified file.
        debug_id: DebugId,
        /// URL or path of the minified file.
        abs_path: String,
    },
    /// The source map was uploaded and cannot be used.
    UnusableSourceMap {
        /// The map's debug id.
        debug_id: DebugId,
        /// URL or path of the minified file.
        abs_path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The frame has no line, so no map can say anything.
    NoPosition {
        /// URL or path of the minified file.
        abs_path: String,
    },
    /// The position lies outside the file that was uploaded: another build's file is running.
    PositionOutOfRange {
        /// The map's debug id.
        debug_id: DebugId,
        /// URL or path of the minified file.
        abs_path: String,
        /// What exactly is outside of what.
        what: String,
    },
    /// The map has no original position here: code that the bundler made.
    PositionUnmapped {
        /// The map's debug id.
        debug_id: DebugId,
        /// URL or path of the minified file.
        abs_path: String,
    },
}

impl FrameStatus {
    /// Returns the name of the verdict, as metrics, API and pages write it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::AsSent => "as_sent",
            Self::Symbolicated => "symbolicated",
            Self::SymbolicatedWithoutLine { .. } => "symbolicated_without_line",
            Self::UnknownImage => "unknown_image",
            Self::ImageWithoutId { .. } => "image_without_id",
            Self::MissingDebugFile { .. } => "missing_debug_file",
            Self::MissingSymbol { .. } => "missing_symbol",
            Self::UnusableDebugFile { .. } => "unusable_debug_file",
            Self::TooLargeHere { .. } => "too_large_here",
            Self::NoDebugId { .. } => "no_debug_id",
            Self::MissingSourceMap { .. } => "missing_source_map",
            Self::BundleWithoutMap { .. } => "bundle_without_map",
            Self::UnusableSourceMap { .. } => "unusable_source_map",
            Self::NoPosition { .. } => "no_position",
            Self::PositionOutOfRange { .. } => "position_out_of_range",
            Self::PositionUnmapped { .. } => "position_unmapped",
        }
    }

    /// Says whether a person reads this frame as resolved.
    pub fn is_resolved(&self) -> bool {
        matches!(self, Self::AsSent | Self::Symbolicated | Self::SymbolicatedWithoutLine { .. })
    }

    /// Returns Sentry's word for it, for `symbolicatorStatus` of the REST API.
    pub fn symbolicator_status(&self) -> Option<&'static str> {
        Some(match self {
            Self::Symbolicated | Self::SymbolicatedWithoutLine { .. } => "symbolicated",
            Self::UnknownImage | Self::ImageWithoutId { .. } => "unknown_image",
            Self::MissingDebugFile { .. } => "missing",
            Self::MissingSymbol { .. } => "missing_symbol",
            Self::UnusableDebugFile { .. } | Self::TooLargeHere { .. } => "malformed",
            _ => return None,
        })
    }
}
