//! Repairs JSON that holds lone UTF-16 surrogates or invalid UTF-8, which JavaScript really sends.
//!
//! `"\ud83d"` alone (a text cut in the middle of an emoji) is valid for a JavaScript engine and invalid
//! for every strict JSON parser. One such text must not cost the event, so the escape is replaced by
//! U+FFFD before parsing.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Replaces lone surrogate escapes by `\ufffd` and invalid UTF-8 by U+FFFD; borrows where nothing is wrong.
pub fn repair(json: &[u8]) -> Cow<'_, [u8]> {
    // Faster than the lossy conversion, and nearly always true.
    let json = match std::str::from_utf8(json) {
        Ok(_) => Cow::Borrowed(json),
        Err(_) => Cow::Owned(String::from_utf8_lossy(json).into_owned().into_bytes()),
    };
    if !has_surrogates(&json) {
        return json;
    }
    let positions = lone_surrogates(&json);
    if positions.is_empty() {
        return json;
    }
    let mut repaired = json.into_owned();
    for position in positions {
        repaired[position..position + 6].copy_from_slice(b"\\ufffd");
    }
    Cow::Owned(repaired)
}

/// Says whether there may be an escape of a surrogate, lone or not: `\ud8…` to `\udf…`.
fn has_surrogates(json: &[u8]) -> bool {
    static ESCAPES: LazyLock<[Finder<'static>; 2]> =
        LazyLock::new(|| [Finder::new(b"\\ud"), Finder::new(b"\\uD")]);
    ESCAPES.iter().any(|escape| escape.find(json).is_some())
}

/// Returns where the lone surrogate escapes start.
fn lone_surrogates(json: &[u8]) -> Vec<usize> {
    let mut positions = Vec::new();
    let mut at = 0;
    while let Some(found) = json[at..].iter().position(|byte| *byte == b'\\') {
        at += found;
        match unit(json, at) {
            Some(0xd800..=0xdbff) if matches!(unit(json, at + 6), Some(0xdc00..=0xdfff)) => {
                at += 12;
            }
            Some(0xd800..=0xdfff) => {
                positions.push(at);
                at += 6;
            }
            Some(_) => at += 6,
            // Any other escape is two bytes, which keeps `\\ud800` (an escaped backslash) apart.
            None => at = (at + 2).min(json.len()),
        }
    }
    positions
}

/// Reads the `\uXXXX` escape at `at`.
fn unit(json: &[u8], at: usize) -> Option<u16> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let repaired = repair(json.as_bytes());
        assert_eq!(std::str::from_utf8(&repaired).unwrap(), expected);
        serde_json::from_slice::<serde_json::Value>(&repaired).unwrap();
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        check(r#""a\ud83d""#, r#""a\ufffd""#);
        check(r#""\ude00\ud83d\ude00\ud83d\u0041""#, r#""\ufffd\ud83d\ude00\ufffd\u0041""#);
    }

    #[test]
    fn escaped_backslashes_and_pairs_stay() {
        check(r#""\\ud83d""#, r#""\\ud83d""#);
        check(r#""\ud83d\ude00""#, r#""\ud83d\ude00""#);
        assert!(matches!(repair(br#"{"a":"b"}"#), Cow::Borrowed(_)));
    }

    #[test]
    fn invalid_utf8_is_repaired_too() {
        assert_eq!(&*repair(b"\"a\xff\""), "\"a\u{fffd}\"".as_bytes());
    }
}
