//! The JSON of a source map as it is written: what has an odd type counts as absent.

use std::borrow::Cow;
use std::fmt;

use protocol::id::DebugId;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::ENTRIES_MAX;

/// A map or an index map.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMap<'a> {
    #[serde(borrow)]
    pub(super) sources: List<'a>,
    #[serde(borrow, rename = "sourceRoot")]
    pub(super) source_root: Text<'a>,
    #[serde(borrow, rename = "sourcesContent")]
    pub(super) sources_content: List<'a>,
    #[serde(borrow)]
    pub(super) names: List<'a>,
    #[serde(borrow)]
    pub(super) mappings: Text<'a>,
    #[serde(borrow)]
    pub(super) sections: Option<Vec<RawSection<'a>>>,
    #[serde(borrow, rename = "debugId")]
    pub(super) debug_id: Text<'a>,
    #[serde(borrow, rename = "debug_id")]
    legacy_debug_id: Text<'a>,
}

impl RawMap<'_> {
    pub(super) fn debug_id(&self) -> Option<DebugId> {
        [&self.debug_id, &self.legacy_debug_id]
            .into_iter()
            .find_map(|text| text.0.as_deref()?.parse().ok())
    }
}

/// A part of an index map.
#[derive(Deserialize)]
pub(super) struct RawSection<'a> {
    pub(super) offset: RawOffset,
    #[serde(borrow, default)]
    pub(super) map: Option<Box<RawMap<'a>>>,
}

/// Where a section begins in the generated text.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct RawOffset {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A text, borrowed if it has no escapes; a number as its digits; anything else as `None`.
#[derive(Default)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

/// A list of texts; anything else as an empty one.
#[derive(Default)]
pub(super) struct List<'a>(pub(super) Vec<Text<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for List<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(number.to_string()))))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of texts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(text) = seq.next_element()? {
            if list.len() >= ENTRIES_MAX {
                return Err(A::Error::custom(format!("more than {ENTRIES_MAX} entries")));
            }
            list.push(text);
        }
        Ok(List(list))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(List::default())
    }
}
