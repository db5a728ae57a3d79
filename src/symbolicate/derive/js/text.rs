//! A text with its lines and with columns in UTF-16 units, the way JavaScript engines and source maps count.

use std::borrow::Cow;

use crate::derive::sources::{LineEnds, line_starts};

/// Bytes between two remembered places of a text that is not ASCII.
const STRIDE: usize = 256;

/// Furthest column that is searched in a line that is not ASCII, in UTF-16 units: that search is linear.
const COLUMN_SEARCHED_MAX: u32 = 20_000;

/// A text and where its lines start, in bytes.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) line_starts: Vec<u32>,
    is_ascii: bool,
}

impl<'a> Text<'a> {
    pub(crate) fn new(text: Cow<'a, str>) -> Self {
        let line_starts = line_starts(&text, LineEnds::Ecmascript);
        let is_ascii = text.is_ascii();
        Self { text, line_starts, is_ascii }
    }

    /// Returns what stands on a line before and, up to the end of the text, behind a column; both count from 0.
    pub(crate) fn around(&self, line: u32, column: u32) -> Option<(&str, &str)> {
        let line = line as usize;
        let start = *self.line_starts.get(line)? as usize;
        let end = self.line_starts.get(line + 1).map_or(self.text.len(), |next| *next as usize);
        let text = self.text.get(start..end)?;
        let byte = match self.is_ascii {
            true => column as usize,
            false => byte_of_column(text, column)?,
        };
        if byte >= text.len() {
            return None;
        }
        Some((&text[..byte], self.text.get(start + byte..)?))
    }

    /// Returns the identifier that begins at a line and column.
    pub(crate) fn identifier_at(&self, line: u32, column: u32) -> Option<&str> {
        identifier(self.around(line, column)?.1)
    }
}

fn byte_of_column(line: &str, column: u32) -> Option<usize> {
    if column > COLUMN_SEARCHED_MAX {
        return None;
    }
    let mut units = 0;
    for (at, char) in line.char_indices() {
        if units >= column {
            return (units == column).then_some(at);
        }
        units += char.len_utf16() as u32;
    }
    None
}

/// Returns the identifier that `text` begins with; a `#` for private names is part of it.
pub(crate) fn identifier(text: &str) -> Option<&str> {
    let name = text.strip_prefix('#').unwrap_or(text);
    let end = name.find(|char| !is_identifier_part(char)).unwrap_or(name.len());
    let starts =
        name.chars().next().is_some_and(|char| is_identifier_part(char) && !char.is_ascii_digit());
    starts.then(|| &text[..end + text.len() - name.len()])
}

/// Returns whether `char` may stand in an identifier; a little wider than the standard outside of ASCII.
pub(crate) fn is_identifier_part(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '_' | '$' | '\u{200c}' | '\u{200d}')
}

/// The minified text. Its coordinate is the offset in UTF-16 units from its first character.
#[derive(Debug)]
pub(crate) struct Generated<'a> {
    pub(crate) text: Cow<'a, str>,
    /// Offset of every line's first unit.
    pub(crate) line_starts: Vec<u32>,
    /// Units of every line without its end.
    pub(crate) line_lengths: Vec<u32>,
    /// Offset at every `STRIDE`th byte; empty if the text is ASCII.
    strides: Vec<u32>,
}

impl<'a> Generated<'a> {
    /// Reads the text as browsers do: invalid bytes become U+FFFD and a byte order mark goes.
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes));
        let strides = if text.is_ascii() { Vec::new() } else { strides(&text) };
        let mut generated =
            Self { text, line_starts: Vec::new(), line_lengths: Vec::new(), strides };
        let starts = line_starts(&generated.text, LineEnds::Ecmascript);
        let ends = starts.iter().skip(1).map(|start| *start as usize).chain([generated.text.len()]);
        for (start, end) in starts.iter().map(|start| *start as usize).zip(ends) {
            let line = crate::sources::excerpt::without_end(&generated.text[start..end]);
            let (from, to) = (generated.offset_of(start), generated.offset_of(start + line.len()));
            generated.line_starts.push(from);
            generated.line_lengths.push(to - from);
        }
        generated
    }

    /// Returns the offset of byte `at`, which must begin a character.
    pub(crate) fn offset_of(&self, at: usize) -> u32 {
        match self.strides.get(at / STRIDE) {
            None => at as u32,
            Some(offset) => offset + units(&self.text.as_bytes()[at / STRIDE * STRIDE..at]),
        }
    }

    /// Returns the byte of the character that begins at `offset`.
    pub(crate) fn byte_of(&self, offset: u32) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if self.strides.is_empty() {
            return Some(offset as usize).filter(|at| *at <= bytes.len());
        }
        let stride = self.strides.partition_point(|start| *start <= offset).checked_sub(1)?;
        let mut at = self.strides[stride];
        for (byte, value) in bytes.iter().enumerate().skip(stride * STRIDE) {
            let is_start = value & 0xc0 != 0x80;
            if is_start && at >= offset {
                return (at == offset).then_some(byte);
            }
            at += units(&[*value]);
        }
        (at == offset).then_some(bytes.len())
    }
}

/// Returns the UTF-16 units of the characters that begin in `bytes`.
fn units(bytes: &[u8]) -> u32 {
    bytes.iter().map(|byte| u32::from(byte & 0xc0 != 0x80) + u32::from(*byte >= 0xf0)).sum()
}

fn strides(text: &str) -> Vec<u32> {
    let mut offset = 0;
    let mut strides = Vec::new();
    for stride in text.as_bytes().chunks(STRIDE) {
        strides.push(offset);
        offset += units(stride);
    }
    strides.push(offset);
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_utf16_units() {
        let text = Text::new("a😀bc\nß = d".into());
        assert_eq!(text.identifier_at(0, 3), Some("bc"));
        assert_eq!(text.identifier_at(0, 2), None);
        assert_eq!(text.identifier_at(1, 0), Some("ß"));
        assert_eq!(text.identifier_at(1, 4), Some("d"));
        assert_eq!(text.identifier_at(0, 6), None);
        assert_eq!(text.around(2, 0), None);
        assert_eq!(text.around(1, 2), Some(("ß ", "= d")));
    }

    #[test]
    fn identifiers_end_where_they_should() {
        assert_eq!(identifier("total(x)"), Some("total"));
        assert_eq!(identifier("#total(x)"), Some("#total"));
        assert_eq!(identifier("7a"), None);
        assert_eq!(identifier("(a)"), None);
        assert_eq!(identifier("$"), Some("$"));
        assert_eq!(identifier(""), None);
        assert_eq!(identifier("#"), None);
    }

    #[test]
    fn lines_of_the_generated_text_have_no_ends() {
        let generated = Generated::new("\u{feff}ab\r\n\u{2028}😀c\rd".as_bytes());
        assert_eq!(generated.line_starts, [0, 4, 5, 9]);
        assert_eq!(generated.line_lengths, [2, 0, 3, 1]);
    }

    proptest::proptest! {
        #[test]
        fn offsets_and_bytes_agree(text in "[a-z\u{e4}\u{2028}\u{1f600}\\n]{0,900}") {
            let generated = Generated::new(text.as_bytes());
            let mut offset = 0;
            for (at, char) in text.char_indices() {
                assert_eq!(generated.offset_of(at), offset);
                assert_eq!(generated.byte_of(offset), Some(at));
                offset += char.len_utf16() as u32;
            }
            assert_eq!(generated.byte_of(offset), Some(text.len()));
            assert_eq!(generated.byte_of(offset + 1), None);
        }
    }
}
