//! The text of a look-up file, each string once.

use std::collections::HashMap;

use crate::native::format::NONE;
use crate::unusable::Unusable;

/// Longest string kept, in bytes; longer names are cut at a character.
const STRING_BYTES_MAX: usize = 16 << 10;

/// Most text one look-up file may hold, in bytes.
const STRINGS_BYTES_MAX: usize = 1 << 30;

/// Deduplicating collector of strings; a string is known by its offset in the section.
#[derive(Debug, Default)]
pub(super) struct Strings {
    bytes: Vec<u8>,
    known: HashMap<Box<str>, u32>,
    is_full: bool,
}

impl Strings {
    /// Returns the offset under which `text` stands in the section.
    pub(super) fn intern(&mut self, text: &str) -> u32 {
        let text = cut(text);
        if let Some(offset) = self.known.get(text) {
            return *offset;
        }
        let (Ok(offset), Ok(length)) = (u32::try_from(self.bytes.len()), u32::try_from(text.len()))
        else {
            return self.refuse();
        };
        if self.bytes.len() + text.len() > STRINGS_BYTES_MAX {
            return self.refuse();
        }
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.known.insert(text.into(), offset);
        offset
    }

    /// Returns the string at an offset that [`Self::intern`] gave.
    pub(super) fn text(&self, offset: u32) -> &str {
        let start = (offset as usize).saturating_add(4);
        let length = self.bytes.get(offset as usize..start).and_then(|bytes| bytes.try_into().ok());
        let end = start + length.map_or(0, u32::from_le_bytes) as usize;
        self.bytes.get(start..end).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// Returns the section.
    ///
    /// # Errors
    ///
    /// [`Unusable::TooLarge`], if some string found no room.
    pub(super) fn finish(self) -> Result<Vec<u8>, Unusable> {
        if self.is_full {
            return Err(Unusable::TooLarge(format!(
                "its names and paths exceed {STRINGS_BYTES_MAX} bytes"
            )));
        }
        Ok(self.bytes)
    }

    fn refuse(&mut self) -> u32 {
        self.is_full = true;
        NONE
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(STRING_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
