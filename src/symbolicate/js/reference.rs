//! What a script or a source map says about itself: its debug id, and where its map is.

use std::borrow::Cow;

use protocol::id::DebugId;
use serde::Deserialize;

/// How far from the end of a script its comments are searched, in bytes. An embedded map makes the last line long,
/// so the search is by lines, and this bounds only lines that are no such comment.
const TAIL_BYTES_MAX: usize = 64 << 10;

/// Where a script says that its source map is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MapReference<'a> {
    /// A URL, relative to the script's own.
    Url(&'a str),
    /// The map's JSON, embedded in a `data:` URL.
    Embedded(Vec<u8>),
}

/// Reads the debug id of a source map: `debugId`, or `debug_id` as older tools write it.
pub fn debug_id_of_map(json: &[u8]) -> Option<DebugId> {
    #[derive(Deserialize)]
    struct Ids<'a> {
        #[serde(borrow, rename = "debugId")]
        current: Option<Cow<'a, str>>,
        #[serde(borrow, rename = "debug_id")]
        legacy: Option<Cow<'a, str>>,
    }
    let ids: Ids<'_> = serde_json::from_slice(json).ok()?;
    [ids.current, ids.legacy].into_iter().flatten().find_map(|id| id.parse().ok())
}

/// Reads the debug id of a script from its last `//# debugId=` comment.
pub fn debug_id_of_source(js: &[u8]) -> Option<DebugId> {
    comment(js, "debugId=")?.parse().ok()
}

/// Reads where a script's map is, from its last `//# sourceMappingURL=` comment (or the older `//@`).
pub fn map_reference(js: &[u8]) -> Option<MapReference<'_>> {
    let url = comment(js, "sourceMappingURL=")?;
    let Some(data) = url.strip_prefix("data:") else { return Some(MapReference::Url(url)) };
    let (kind, data) = data.split_once(',')?;
    if kind.split(';').any(|parameter| parameter.eq_ignore_ascii_case("base64")) {
        return Some(MapReference::Embedded(from_base64(data)?));
    }
    Some(MapReference::Embedded(from_percent(data)))
}

/// Returns the value of the last comment line that starts with `//# key` or `//@ key`.
fn comment<'a>(js: &'a [u8], key: &str) -> Option<&'a str> {
    let mut end = js.len();
    let mut passed = 0;
    while passed < TAIL_BYTES_MAX {
        let start = js[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = js[start..end].trim_ascii();
        let value = line.strip_prefix(b"//#").or_else(|| line.strip_prefix(b"//@"));
        if let Some(value) =
            value.map(<[u8]>::trim_ascii).and_then(|value| value.strip_prefix(key.as_bytes()))
        {
            return std::str::from_utf8(value)
                .ok()
                .map(str::trim)
                .filter(|value| !value.is_empty());
        }
        passed += if value.is_some() { 0 } else { line.len() };
        end = start.checked_sub(1)?;
    }
    None
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn from_percent(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok())
            .flatten();
        decoded.push(escaped.unwrap_or(byte));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "15ac1bd8-0d1f-5b0c-9f2a-0c1d2e3f4a5b";

    #[test]
    fn debug_id_of_a_map_has_two_spellings() {
        let id = |json: &str| debug_id_of_map(json.as_bytes()).map(|id| id.to_string());
        assert_eq!(id(&format!(r#"{{"debug_id":"x","debugId":"{ID}"}}"#)).as_deref(), Some(ID));
        assert_eq!(id(&format!(r#"{{"version":3,"debug_id":"{ID}"}}"#)).as_deref(), Some(ID));
        assert_eq!(id(r#"{"version":3}"#), None);
        assert_eq!(id("["), None);
    }

    #[test]
    fn the_last_comment_counts() {
        let js = format!(
            "a();\n//# debugId=none\n//# debugId={ID}\r\n//# sourceMappingURL=app.js.map\n"
        );
        assert_eq!(debug_id_of_source(js.as_bytes()).unwrap().to_string(), ID);
        assert_eq!(map_reference(js.as_bytes()), Some(MapReference::Url("app.js.map")));
        assert_eq!(
            map_reference(b"//@ sourceMappingURL=old.map"),
            Some(MapReference::Url("old.map"))
        );
        assert_eq!(map_reference(b"a();"), None);
        assert_eq!(debug_id_of_source(b""), None);
    }

    #[test]
    fn a_comment_behind_an_embedded_map_is_found() {
        let map = "A".repeat(1 << 20);
        let js =
            format!("//# debugId={ID}\n//# sourceMappingURL=data:application/json;base64,{map}\n");
        assert_eq!(debug_id_of_source(js.as_bytes()).unwrap().to_string(), ID);
    }

    #[test]
    fn embedded_maps_are_decoded() {
        fn embedded(js: &str) -> Option<MapReference<'_>> {
            map_reference(js.as_bytes())
        }
        let expected = Some(MapReference::Embedded(b"{\"version\":3}".to_vec()));
        assert_eq!(
            embedded("//# sourceMappingURL=data:application/json;base64,eyJ2ZXJzaW9uIjozfQ=="),
            expected
        );
        assert_eq!(
            embedded("//# sourceMappingURL=data:application/json,%7B%22version%22:3}"),
            expected
        );
        assert_eq!(embedded("//# sourceMappingURL=data:application/json;base64,!"), None);
        assert_eq!(embedded("//# sourceMappingURL=data:"), None);
        assert_eq!(
            embedded("//# sourceMappingURL=data:,%é%4"),
            Some(MapReference::Embedded("%é%4".into()))
        );
    }
}
