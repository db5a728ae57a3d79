//! What symbolication asks its surroundings for, and what it gets.

use std::sync::Arc;

use protocol::id::{CodeId, DebugId};

use crate::js::JsLookup;
use crate::native::NativeLookup;
use crate::sources::Sources;

/// A look-up file that an event needs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// Functions and lines of a native image, by debug id, else by code id.
    DebugFile {
        /// The image's debug id.
        debug_id: Option<DebugId>,
        /// The image's code id.
        code_id: Option<CodeId>,
    },
    /// Source texts that were uploaded for a native image.
    Sources {
        /// The image's debug id.
        debug_id: DebugId,
    },
    /// The source map of a minified file.
    SourceMap {
        /// The debug id that was injected into both.
        debug_id: DebugId,
    },
}

impl Wanted {
    /// Returns the canonical keys, the most exact first. Stored files insert the same texts into
    /// `file_key`, and what was missing stands under them in `missing_file`.
    pub fn keys(&self) -> Vec<String> {
        match self {
            Self::DebugFile { debug_id, code_id } => {
                let by_debug_id = debug_id.map(debug_id_key);
                by_debug_id.into_iter().chain(code_id.as_ref().map(code_id_key)).collect()
            }
            Self::Sources { debug_id } => vec![sources_key(*debug_id)],
            Self::SourceMap { debug_id } => vec![source_map_key(*debug_id)],
        }
    }

    /// Says whether a frame stays unreadable without it. Missing source texts only cost the lines around.
    pub fn is_required(&self) -> bool {
        !matches!(self, Self::Sources { .. })
    }
}

/// Key of a debug file by its debug id.
pub fn debug_id_key(debug_id: DebugId) -> String {
    format!("debug-id:{debug_id}")
}

/// Key of a debug file by its code id.
pub fn code_id_key(code_id: &CodeId) -> String {
    format!("code-id:{code_id}")
}

/// Key of a source bundle by the debug id of its image.
pub fn sources_key(debug_id: DebugId) -> String {
    format!("source:{debug_id}")
}

/// Key of a source map by the debug id that was injected into it.
pub fn source_map_key(debug_id: DebugId) -> String {
    format!("sourcemap:{debug_id}")
}

/// What became of something wanted.
#[derive(Clone)]
pub enum Found {
    /// A native look-up file.
    Native(Arc<NativeLookup>),
    /// Source texts, and the derived file's key for reading lines later.
    Sources {
        /// The texts.
        sources: Arc<Sources>,
        /// Key of the derived file.
        derived: String,
    },
    /// A source map's look-up file, and its key for reading lines later.
    SourceMap {
        /// The look-up file.
        lookup: Arc<JsLookup>,
        /// Key of the derived file.
        derived: String,
    },
    /// The minified file was uploaded, its map was not.
    WithoutMap,
    /// Nobody uploaded it.
    Missing,
    /// It was uploaded and cannot be used, for this reason.
    Unusable(String),
    /// It needs more than this server gives a worker: which limit it met.
    TooLargeHere(String),
}
