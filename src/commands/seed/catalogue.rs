//! What the made-up programs are like: `fixtures/seed/*.toml`, embedded and read once.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Result};

static FILES: &[(&str, &str)] = &[
    ("checkout-api", include_str!("../../../fixtures/seed/checkout-api.toml")),
    ("contact-sheet", include_str!("../../../fixtures/seed/contact-sheet.toml")),
    ("gallery", include_str!("../../../fixtures/seed/gallery.toml")),
    ("storefront", include_str!("../../../fixtures/seed/storefront.toml")),
    ("billing", include_str!("../../../fixtures/seed/billing.toml")),
    ("notifications", include_str!("../../../fixtures/seed/notifications.toml")),
    ("inventory", include_str!("../../../fixtures/seed/inventory.toml")),
    ("backoffice", include_str!("../../../fixtures/seed/backoffice.toml")),
];

/// A program that crashes; it gets a project of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub(super) slug: String,
    pub(super) name: String,
    pub(super) platform: String,
    /// How many of the events are its, relative to the others.
    pub(super) weight: u32,
    pub(super) sdk: Sdk,
    /// Name of a release; `{version}` stands for one of `versions`.
    pub(super) release: String,
    /// Oldest first.
    pub(super) versions: Vec<String>,
    pub(super) environments: Vec<(String, u32)>,
    #[serde(default)]
    pub(super) servers: Vec<String>,
    pub(super) mechanism: String,
    /// Name and version.
    pub(super) runtime: Option<(String, String)>,
    #[serde(default)]
    pub(super) abs_root: String,
    /// Address of the minified script, for pages.
    pub(super) script: Option<String>,
    pub(super) host: Option<String>,
    /// What `{word}` stands for.
    pub(super) words: Vec<String>,
    /// Method and path.
    #[serde(default)]
    pub(super) requests: Vec<(String, String)>,
    /// Category and message.
    pub(super) crumbs: Vec<(String, String)>,
    /// Frames that every call begins with, oldest first.
    #[serde(default)]
    pub(super) entry: Vec<String>,
    pub(super) tags: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) source: Vec<Source>,
    #[serde(default)]
    pub(super) library: Vec<Library>,
    #[serde(default)]
    pub(super) path: Vec<CallPath>,
    pub(super) error: Vec<ErrorKind>,
    pub(super) message: Vec<Message>,
}

/// Name and version of an SDK.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Sdk {
    pub(super) name: String,
    pub(super) version: String,
}

/// Lines of a file, for the context of frames.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Source {
    pub(super) file: String,
    /// Number of the first line.
    pub(super) start: usize,
    pub(super) text: String,
}

/// Frames of somebody else's code above the program's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Library {
    pub(super) name: String,
    pub(super) frames: Vec<String>,
}

/// Calls of the program's own functions, oldest first.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallPath {
    pub(super) frames: Vec<String>,
    /// Libraries that the last one calls.
    #[serde(default)]
    pub(super) libraries: Vec<String>,
}

/// An error that can happen.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ErrorKind {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) module: Option<String>,
    pub(super) handled: bool,
    pub(super) level: Option<String>,
    /// The library it comes from; none: the program's own code.
    pub(super) library: Option<String>,
    /// Functions that it happens in; empty: any.
    #[serde(default)]
    pub(super) at: Vec<String>,
    /// Type and value of what caused it.
    pub(super) cause: Option<(String, String)>,
}

/// A message that is logged.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    pub(super) level: String,
    pub(super) logger: String,
    pub(super) template: String,
    pub(super) value: String,
}

/// Reads all programs.
///
/// # Errors
/// When a file is not what is described here, which a test rules out.
pub(super) fn programs() -> Result<Vec<Program>> {
    let read = |(name, text): &(&str, &str)| {
        let read = toml::from_str(text).map_err(Error::caused_by);
        read.map_err(|error| error.with_context(format!("reading the made-up program {name}")))
    };
    FILES.iter().map(read).collect()
}

impl Program {
    /// Returns the release of a version.
    pub(super) fn release_of(&self, version: &str) -> String {
        self.release.replace("{version}", version)
    }

    /// Whether its frames are addresses in a native program.
    pub(super) fn is_native(&self) -> bool {
        self.platform == "native"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_can_be_read_and_has_what_events_need() {
        let programs = programs().unwrap();
        assert_eq!(programs.len(), FILES.len());
        for program in programs {
            let is_sent_as_it_is = program.script.is_none() && !program.is_native();
            assert_eq!(is_sent_as_it_is, !program.path.is_empty(), "{}", program.slug);
            assert!(!program.versions.is_empty() && !program.words.is_empty(), "{}", program.slug);
        }
    }
}
