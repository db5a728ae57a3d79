//! What a derived file is called: what it was made from, and how.

use std::fmt;
use std::str::FromStr;

use protocol::id::DebugId;
use symbolicate::native::format as native;
use symbolicate::{js, sources};

use crate::blobs::BlobKey;
use crate::error::{Error, Result};
use crate::symbols::worker::Operation;

/// Most bundles one JavaScript look-up file is made of: the script's, and the map's.
const BUNDLES_MAX: usize = 2;

/// What a derived file was made from, and how.
///
/// The text (`native:<hash>`, `sources:<hash>`, `js:<hash>[+<hash>]:<debug id>`) is written into the
/// frames of stored events, so it has no version: a newer program derives its own file for the same text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum DerivedKey {
    /// Look-up file of a native debug file.
    Native {
        /// The debug file.
        sha256: BlobKey,
    },
    /// Source lines of a source bundle.
    Sources {
        /// The bundle.
        sha256: BlobKey,
    },
    /// Look-up file of one minified JavaScript file, with the source lines of its map.
    Js {
        /// The artifact bundles that hold the script and its map, one or two.
        bundles: Vec<BlobKey>,
        /// Which script.
        debug_id: DebugId,
    },
}

impl DerivedKey {
    /// Returns what a worker does to make it.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Native { .. } => Operation::DeriveNative,
            Self::Sources { .. } => Operation::DeriveSources,
            Self::Js { debug_id, .. } => Operation::DeriveJs { debug_id: *debug_id },
        }
    }

    /// Returns the blobs it is made of.
    pub(crate) fn inputs(&self) -> Vec<BlobKey> {
        match self {
            Self::Native { sha256 } | Self::Sources { sha256 } => vec![*sha256],
            Self::Js { bundles, .. } => bundles.clone(),
        }
    }

    /// Returns the bytes that the file begins with.
    pub(super) fn magic(&self) -> &'static [u8] {
        match self {
            Self::Native { .. } => &native::MAGIC,
            Self::Sources { .. } => &sources::MAGIC,
            Self::Js { .. } => &js::MAGIC,
        }
    }

    /// Returns the name of the file in the cache: the text and the version of the format.
    pub(super) fn file_name(&self) -> String {
        let version = match self {
            Self::Native { .. } => native::VERSION,
            Self::Sources { .. } => sources::VERSION,
            Self::Js { .. } => js::VERSION,
        };
        format!("{}-v{version}", self.to_string().replace(':', "-"))
    }
}

impl fmt::Display for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Native { sha256 } => write!(f, "native:{sha256}"),
            Self::Sources { sha256 } => write!(f, "sources:{sha256}"),
            Self::Js { bundles, debug_id } => {
                let bundles: Vec<String> = bundles.iter().map(ToString::to_string).collect();
                write!(f, "js:{}:{debug_id}", bundles.join("+"))
            }
        }
    }
}

impl FromStr for DerivedKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let not_a_key = || Error::internal(format!("{text} is no key of a derived file"));
        let (kind, rest) = text.split_once(':').ok_or_else(not_a_key)?;
        match kind {
            "native" => Ok(Self::Native { sha256: rest.parse()? }),
            "sources" => Ok(Self::Sources { sha256: rest.parse()? }),
            "js" => {
                let (bundles, debug_id) = rest.split_once(':').ok_or_else(not_a_key)?;
                let bundles: Vec<BlobKey> =
                    bundles.split('+').map(str::parse).collect::<Result<_>>()?;
                if bundles.len() > BUNDLES_MAX {
                    return Err(not_a_key());
                }
                Ok(Self::Js { bundles, debug_id: debug_id.parse().map_err(|_| not_a_key())? })
            }
            _ => Err(not_a_key()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let key: DerivedKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert!(key.file_name().len() < 255 && !key.file_name().contains(['/', ':']));
    }

    #[test]
    fn text_comes_back_as_the_same_key() {
        let (a, b) = ("0a".repeat(32), "ff".repeat(32));
        check(&format!("native:{a}"));
        check(&format!("sources:{a}"));
        check(&format!("js:{a}:d93024ef-adcb-89da-715d-91dcd9a0a4e1"));
        check(&format!("js:{a}+{b}:d93024ef-adcb-89da-715d-91dcd9a0a4e1-a878d1fa"));
    }

    #[test]
    fn other_texts_are_refused() {
        let a = "0a".repeat(32);
        let id = "d93024ef-adcb-89da-715d-91dcd9a0a4e1";
        for text in [
            "",
            "native",
            "native:00",
            &format!("other:{a}"),
            &format!("js:{a}"),
            &format!("js:{a}:x"),
        ] {
            assert!(text.parse::<DerivedKey>().is_err(), "{text}");
        }
        assert!(format!("js:{a}+{a}+{a}:{id}").parse::<DerivedKey>().is_err());
    }
}
