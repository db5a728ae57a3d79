//! The `manifest.json` of a bundle, read leniently: one odd field never costs the other files.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::{ENTRIES_MAX, FileKind};
use crate::unusable::Unusable;

/// What a bundle says of itself and of its files.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Manifest {
    #[serde(deserialize_with = "text")]
    pub(super) debug_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) release: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) dist: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) org: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) project: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) arch: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) code_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) object_name: Option<String>,
    #[serde(deserialize_with = "files")]
    pub(super) files: Vec<(String, ManifestFile)>,
}

impl Manifest {
    pub(super) fn parse(json: &[u8]) -> Result<Self, Unusable> {
        serde_json::from_slice(json)
            .map_err(|error| Unusable::Malformed(format!("manifest.json: {error}")))
    }
}

/// What the manifest says of one file.
#[derive(Debug)]
pub(super) struct ManifestFile {
    pub(super) kind: FileKind,
    pub(super) url: Option<String>,
    pub(super) path: Option<String>,
    pub(super) debug_id: Option<String>,
    pub(super) sourcemap: Option<String>,
}

#[derive(Deserialize)]
#[serde(default)]
struct RawFile {
    #[serde(rename = "type", deserialize_with = "kind")]
    kind: FileKind,
    #[serde(deserialize_with = "text")]
    url: Option<String>,
    #[serde(deserialize_with = "text")]
    path: Option<String>,
    headers: Headers,
}

impl Default for RawFile {
    fn default() -> Self {
        Self { kind: FileKind::Other, url: None, path: None, headers: Headers::default() }
    }
}

/// The two headers that matter, whatever the case of their names.
#[derive(Debug, Default)]
struct Headers {
    debug_id: Option<String>,
    sourcemap: Option<String>,
}

impl<'de> Deserialize<'de> for ManifestFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawFile { kind, url, path, headers } = RawFile::deserialize(deserializer)?;
        Ok(Self { kind, url, path, debug_id: headers.debug_id, sourcemap: headers.sourcemap })
    }
}

impl<'de> Deserialize<'de> for Headers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(HeadersVisitor)
    }
}

struct HeadersVisitor;

impl<'de> Visitor<'de> for HeadersVisitor {
    type Value = Headers;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of headers")
    }

    fn visit_unit<E>(self) -> Result<Headers, E> {
        Ok(Headers::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers, A::Error> {
        let mut headers = Headers::default();
        let mut legacy = None;
        while let Some(name) = map.next_key::<String>()? {
            match name.to_ascii_lowercase().as_str() {
                "debug-id" => headers.debug_id = text_value(map.next_value()?),
                "sourcemap" => headers.sourcemap = text_value(map.next_value()?),
                "x-sourcemap" => legacy = text_value(map.next_value()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        headers.sourcemap = headers.sourcemap.or(legacy);
        Ok(headers)
    }
}

fn files<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(String, ManifestFile)>, D::Error> {
    deserializer.deserialize_map(FilesVisitor)
}

/// Stops at the limit instead of building a list of any length first.
struct FilesVisitor;

impl<'de> Visitor<'de> for FilesVisitor {
    type Value = Vec<(String, ManifestFile)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of files")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut files = Vec::new();
        while let Some(file) = map.next_entry()? {
            if files.len() >= ENTRIES_MAX {
                return Err(A::Error::custom(format!("more than {ENTRIES_MAX} files")));
            }
            files.push(file);
        }
        Ok(files)
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(text_value(Value::deserialize(deserializer)?))
}

fn text_value(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<FileKind, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(FileKind::deserialize(value).unwrap_or(FileKind::Other))
}
