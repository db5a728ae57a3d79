//! Uploaded debug files and source bundles of a project, and what became of each.

use askama::Template;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::help::UploadHelp;
use crate::page::{Page, RenderError};
use crate::when::When;

/// `/{organization}/{project}/debug-files/`.
#[derive(Debug, Clone, Template)]
#[template(path = "debug_files.html")]
pub struct DebugFileList {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// What is searched for: part of an id or a name; empty: nothing.
    pub query: String,
    /// One page of files, newest first.
    pub files: Vec<DebugFileRow>,
    /// Address of the first page, where this is another.
    pub first: Option<String>,
    /// Address of the next page (older), where there is one.
    pub next: Option<String>,
    /// Commands that upload.
    pub upload: UploadHelp,
}

/// One file.
#[derive(Debug, Clone)]
pub struct DebugFileRow {
    /// Name it was uploaded under.
    pub name: String,
    /// Which build it belongs to.
    pub debug_id: String,
    /// The same in the words of its format.
    pub code_id: Option<String>,
    /// Sentry's `symbolType`.
    pub format: String,
    /// One of sentry-cli's words: `exe`, `lib`, `dbg`, `src`…
    pub kind: String,
    /// Architecture.
    pub arch: String,
    /// What it is good for: `debug`, `symtab`, `unwind`, `sources`.
    pub features: Vec<String>,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded.
    pub uploaded: Timestamp,
    /// Gaps that its uploader was told, one per line.
    pub gaps: Option<String>,
    /// Whether it can be looked up in.
    pub readiness: Readiness,
}

/// Whether a file can be looked up in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// Its look-up file is made.
    Ready,
    /// Its look-up file is made when it is first needed.
    OnFirstUse,
    /// It cannot be used, and why.
    Unusable(String),
    /// It needs more than a worker may use here, and of what.
    TooLargeHere(String),
    /// Nothing is looked up in files of its kind, or it has nothing to look up.
    Nothing,
}

impl Readiness {
    fn words(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::OnFirstUse => "prepared when needed",
            Self::Unusable(_) => "cannot be used",
            Self::TooLargeHere(_) => "too large for this server",
            Self::Nothing => "nothing to look up",
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Ready => "good",
            Self::OnFirstUse => "",
            Self::Unusable(_) | Self::TooLargeHere(_) => "bad",
            Self::Nothing => "warn",
        }
    }

    /// What to know or do, where the words are not enough.
    fn reason(&self) -> Option<String> {
        match self {
            Self::Unusable(why) => Some(why.clone()),
            Self::TooLargeHere(why) => {
                Some(format!("{why}. Give workers more: `workers.memory` and `workers.timeout` in the configuration."))
            }
            Self::Nothing => Some(
                "It has neither debug information nor a symbol table that is read today. Upload the file that was not stripped."
                    .to_owned(),
            ),
            Self::Ready | Self::OnFirstUse => None,
        }
    }
}

impl DebugFileRow {
    /// What it is and has, in words.
    fn words(&self) -> Vec<String> {
        if self.kind == "src" {
            return vec![self.what().to_owned(), self.arch.clone()];
        }
        let mut words = vec![format!("{} {}", self.format_words(), self.what()), self.arch.clone()];
        words.extend(self.features.iter().map(|feature| Self::feature_words(feature).to_owned()));
        words
    }

    fn what(&self) -> &'static str {
        match self.kind.as_str() {
            "exe" => "program",
            "lib" => "program or library",
            "dbg" => "debug companion",
            "src" => "source bundle",
            "rel" => "object file",
            "dump" => "memory dump",
            _ => "file",
        }
    }

    fn format_words(&self) -> &str {
        match self.format.as_str() {
            "elf" => "ELF",
            "macho" => "Mach-O",
            "pe" => "PE",
            "pdb" => "PDB",
            "portablepdb" => "Portable PDB",
            "wasm" => "WebAssembly",
            "breakpad" => "Breakpad",
            "sourcebundle" => "sources",
            other => other,
        }
    }

    fn feature_words(feature: &str) -> &str {
        match feature {
            "debug" => "debug information",
            "symtab" => "symbol table",
            "unwind" => "unwind information",
            other => other,
        }
    }

    fn gaps(&self) -> impl Iterator<Item = &str> {
        self.gaps.as_deref().unwrap_or_default().lines()
    }
}

impl Page for DebugFileList {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl DebugFileList {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }
}
