//! Identifiers: of events, of debug files, of the rows we make.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use uuid::Uuid;

/// Identifier of an event: 16 bytes, written as 32 lower-case hex digits.
///
/// SDKs send it with or without hyphens and in either case (sentry-cli's `send-event` hyphenates it in
/// the envelope header only); the all-zero id counts as absent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub Uuid);

impl EventId {
    /// Makes a random id, for events that come without one.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Returns the 16 bytes, as the database keeps them.
    pub fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// Reads an id from the 16 bytes of a database row.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self)
    }
}

/// What is wrong with the text of an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseIdError {
    what: &'static str,
    text: String,
}

impl ParseIdError {
    fn new(what: &'static str, text: &str) -> Self {
        let text = text.chars().take(64).collect();
        Self { what, text }
    }
}

impl fmt::Display for ParseIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not {}", self.text, self.what)
    }
}

impl std::error::Error for ParseIdError {}

impl FromStr for EventId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseIdError::new("an event id (32 hex digits, not all zero)", text);
        let uuid = Uuid::try_parse(text.trim()).map_err(|_| error())?;
        if uuid.is_nil() { Err(error()) } else { Ok(Self(uuid)) }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}

/// Identifier of a debug file and of the image it belongs to: a UUID and, for PDBs, an age.
///
/// Written as `8-4-4-4-12` lower case, followed by `-<age>` in hex only if the age is not zero; read in
/// upper case, without hyphens and in Breakpad's form (33 to 40 digits) too
/// (sentry-cli's wire protocol, "Identifiers").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DebugId {
    /// The UUID; for ELF the first 16 bytes of the build id, read as a little-endian GUID.
    pub uuid: Uuid,
    /// The age of a PDB, the stamp of a portable PDB, otherwise zero.
    pub age: u32,
}

impl DebugId {
    /// Makes a debug id without age.
    pub fn from_uuid(uuid: Uuid) -> Self {
        Self { uuid, age: 0 }
    }

    /// Derives the debug id of an ELF file from its GNU build id, which must have at least one byte.
    ///
    /// Shorter ids are padded with zeros; the first three GUID fields are stored little-endian
    /// (`symbolic` and Breakpad do the same for little-endian files).
    pub fn from_build_id(build_id: &[u8]) -> Option<Self> {
        if build_id.is_empty() {
            return None;
        }
        let mut bytes = [0_u8; 16];
        let length = build_id.len().min(16);
        bytes[..length].copy_from_slice(&build_id[..length]);
        Some(Self::from_uuid(Uuid::from_bytes_le(bytes)))
    }

    /// Says whether this is the all-zero id, which identifies nothing.
    pub fn is_nil(&self) -> bool {
        self.uuid.is_nil() && self.age == 0
    }
}

impl FromStr for DebugId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseIdError::new("a debug id", text);
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        if !digits.is_ascii() || !(32..=40).contains(&digits.len()) {
            return Err(error());
        }
        let (uuid, age) = digits.split_at(32);
        let uuid = Uuid::try_parse(uuid).map_err(|_| error())?;
        let age = match age {
            "" => 0,
            age => u32::from_str_radix(age, 16).map_err(|_| error())?,
        };
        Ok(Self { uuid, age })
    }
}

impl fmt::Display for DebugId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.uuid.hyphenated())?;
        if self.age == 0 { Ok(()) } else { write!(f, "-{:x}", self.age) }
    }
}

impl fmt::Debug for DebugId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DebugId({self})")
    }
}

/// Identifier of a code file: the whole GNU build id, a Mach-O UUID, or a PE's time stamp and size;
/// lower-case hex, at most 128 digits.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CodeId(String);

impl CodeId {
    /// Returns the hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the bytes that the digits stand for, where their number is even.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        hex::decode(&self.0).ok()
    }
}

impl FromStr for CodeId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        let is_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
        if digits.is_empty() || digits.len() > 128 || !is_hex {
            return Err(ParseIdError::new("a code id (hex digits)", text));
        }
        Ok(Self(digits.to_ascii_lowercase()))
    }
}

impl fmt::Display for CodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CodeId({self})")
    }
}

macro_rules! text_serde {
    ($($type:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    )*};
}
text_serde!(EventId, DebugId, CodeId);

macro_rules! row_id {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text.parse() {
                    Ok(id) if id > 0 => Ok(Self(id)),
                    _ => Err(ParseIdError::new("an id (a positive number)", text)),
                }
            }
        }
    )*};
}
row_id!(
    /// An organization; small and sequential.
    OrganizationId,
    /// A project; small and sequential, because it appears in DSNs.
    ProjectId,
    /// A user account.
    UserId,
    /// An issue; time-ordered.
    IssueId,
    /// A stored debug file; time-ordered.
    DebugFileId,
    /// A stored artifact bundle; time-ordered.
    BundleId,
);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn debug_id(text: &str, expected: &str) {
        assert_eq!(text.parse::<DebugId>().map(|id| id.to_string()).as_deref(), Ok(expected));
    }

    #[test]
    fn debug_ids_are_read_in_every_form() {
        let plain = "f535c5fb-2ae8-4bb8-aa20-6c30be566c5a";
        debug_id("F535C5FB2AE84BB8AA206C30BE566C5A0", plain);
        debug_id(plain, plain);
        debug_id(
            "f535c5fb-2ae8-4bb8-aa20-6c30be566c5a-1",
            "f535c5fb-2ae8-4bb8-aa20-6c30be566c5a-1",
        );
        debug_id("F535C5FB2AE84BB8AA206C30BE566C5Aa", "f535c5fb-2ae8-4bb8-aa20-6c30be566c5a-a");
        assert!("f535c5fb".parse::<DebugId>().is_err());
        assert!("ä535c5fb-2ae8-4bb8-aa20-6c30be566c5a".parse::<DebugId>().is_err());
    }

    #[test]
    fn debug_id_of_a_build_id_swaps_the_guid_fields() {
        let build_id = hex::decode("ef2430d9cbadda89715d91dcd9a0a4e1f2892160").unwrap();
        let id = DebugId::from_build_id(&build_id).unwrap();
        assert_eq!(id.to_string(), "d93024ef-adcb-89da-715d-91dcd9a0a4e1");
        assert_eq!(DebugId::from_build_id(&[]), None);
    }

    #[test]
    fn event_ids_are_read_with_and_without_hyphens() {
        let id: EventId = "8325A076-35b0-4349-9e90-f5cdc8ea41f2".parse().unwrap();
        assert_eq!(id.to_string(), "8325a07635b043499e90f5cdc8ea41f2");
        assert!("00000000000000000000000000000000".parse::<EventId>().is_err());
    }
}
