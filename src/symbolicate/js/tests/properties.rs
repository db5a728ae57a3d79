//! What holds for every map and every text.

use std::fmt::Write as _;
use std::sync::OnceLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

/// Line, column, origin as source, line, column. Zero-based; `None` is a segment of one number.
type Segment = (u32, u32, Option<(u32, u32, u32)>);

fn vlq(value: i64, out: &mut String) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut rest = if value < 0 { (-value) << 1 | 1 } else { value << 1 };
    loop {
        let digit = (rest & 31) as usize;
        rest >>= 5;
        out.push(char::from(DIGITS[if rest > 0 { digit | 32 } else { digit }]));
        if rest == 0 {
            return;
        }
    }
}

/// Encodes segments, which are sorted by line.
fn encoded(segments: &[Segment]) -> String {
    let mut out = String::new();
    let (mut at_line, mut at_column, mut at) = (0, 0, [0i64; 3]);
    for (line, column, origin) in segments {
        for _ in at_line..*line {
            out.push(';');
            at_column = 0;
        }
        if at_line == *line && !out.is_empty() && !out.ends_with(';') {
            out.push(',');
        }
        at_line = *line;
        vlq(i64::from(*column) - at_column, &mut out);
        at_column = i64::from(*column);
        if let Some((source, line, column)) = origin {
            let origin = [*source, *line, *column].map(i64::from);
            for (value, before) in origin.into_iter().zip(at) {
                vlq(value - before, &mut out);
            }
            at = origin;
        }
    }
    out
}

fn regular(segments: &[Segment]) -> String {
    format!(
        r#"{{"version":3,"sources":["a","b","c"],"names":[],"mappings":"{}"}}"#,
        encoded(segments)
    )
}

fn segments(line_count: u32, columns: u32) -> impl Strategy<Value = Vec<Segment>> {
    let origin = proptest::option::weighted(0.9, (0u32..3, 0u32..50, 0u32..50));
    vec((0..line_count, 0..columns, origin), 0..60).prop_map(|mut segments| {
        segments.sort_by_key(|segment| segment.0);
        segments
    })
}

const ENDS: [&str; 5] = ["\n", "\r\n", "\r", "\u{2028}", "\u{2029}"];

/// Lines without their ends, and the text they make.
fn text() -> impl Strategy<Value = (Vec<String>, String)> {
    vec(("[a-c ;=()\u{e4}\u{1f600}]{0,30}", 0usize..ENDS.len()), 1..6).prop_map(|lines| {
        let last = lines.len() - 1;
        let mut text = String::new();
        for (number, (line, end)) in lines.iter().enumerate() {
            // A line feed right behind a carriage return would end no line of its own.
            let end = if line.is_empty() && text.ends_with('\r') { ENDS[3] } else { ENDS[*end] };
            let _ = write!(text, "{line}{}", if number < last { end } else { "" });
        }
        (lines.into_iter().map(|(line, _)| line).collect(), text)
    })
}

/// The same question answered in the simplest way.
fn scanned(segments: &[Segment], line: u32, column: u32) -> Option<(u32, u32, u32)> {
    let mut sorted = segments.to_vec();
    sorted.sort_by_key(|(line, column, _)| (*line, *column));
    sorted.into_iter().rfind(|segment| segment.0 == line && segment.1 <= column)?.2
}

fn origin(answer: JsAnswer<'_>) -> Option<(u32, u32, u32)> {
    match answer {
        JsAnswer::Mapped(mapped) => {
            Some((mapped.source_index.0, mapped.line - 1, mapped.column - 1))
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn lookup_is_a_scan_of_the_sorted_segments((lines, text) in text(), segments in segments(6, 35)) {
        prop_assume!(!text.trim_ascii().is_empty());
        let units = |line: &String| line.encode_utf16().count() as u32;
        let inside: Vec<Segment> = segments
            .into_iter()
            .filter(|(line, column, _)| lines.get(*line as usize).is_some_and(|text| *column <= units(text)))
            .collect();
        let lookup = open(derive(Some(text.as_bytes()), regular(&inside).as_bytes()).unwrap());
        for line in 0..8 {
            for column in 0..40 {
                let answer = lookup.lookup(line + 1, column + 1);
                let length = lines.get(line as usize).map(units);
                if length.is_some_and(|length| column < length) {
                    prop_assert_eq!(origin(answer), scanned(&inside, line, column), "{}:{}", line, column);
                } else if length == Some(0) && column == 0 {
                    prop_assert_eq!(answer, JsAnswer::NoMapping);
                } else {
                    prop_assert!(matches!(answer, JsAnswer::OutOfRange(_)), "{}:{} {:?}", line, column, answer);
                }
            }
        }
    }

    #[test]
    fn without_text_lookup_is_a_scan_too(segments in segments(6, 1000)) {
        let lookup = open(derive(None, regular(&segments).as_bytes()).unwrap());
        for line in 0..8 {
            for column in (0..1300).step_by(7) {
                let near = segments.iter().any(|segment| segment.0 == line && segment.1 + 128 > column);
                let expected = scanned(&segments, line, column).filter(|_| near);
                prop_assert_eq!(origin(lookup.lookup(line + 1, column + 1)), expected, "{}:{}", line, column);
            }
        }
    }

    #[test]
    fn an_index_map_equals_its_flat_form(parts in vec(segments(3, 20), 1..4)) {
        let mut flat = Vec::new();
        let mut sections = Vec::new();
        for (number, part) in parts.iter().enumerate() {
            let offset = number as u32 * 10;
            sections.push(format!(r#"{{"offset":{{"line":{offset},"column":0}},"map":{}}}"#, regular(part)));
            let source = number as u32 * 3;
            flat.extend(part.iter().map(|(line, column, origin)| {
                (line + offset, *column, origin.map(|(index, line, column)| (index + source, line, column)))
            }));
        }
        let index = format!(r#"{{"version":3,"sections":[{}]}}"#, sections.join(","));
        let lookup = open(derive(None, index.as_bytes()).unwrap());
        for line in 0..30 {
            for column in 0..30 {
                prop_assert_eq!(origin(lookup.lookup(line + 1, column + 1)), scanned(&flat, line, column));
            }
        }
    }

    #[test]
    fn damaged_files_never_panic(flips in vec((any::<Index>(), any::<u8>()), 1..12), cut in any::<Index>()) {
        static DERIVED: OnceLock<Vec<u8>> = OnceLock::new();
        let mut bytes = DERIVED.get_or_init(|| {
            let map = include_bytes!("../../../../fixtures/js-lookup/esbuild.js.map");
            let js = include_bytes!("../../../../fixtures/js-lookup/esbuild.js");
            derive(Some(js), map).unwrap().bytes
        }).clone();
        // Every second flip goes to the headers, where it does most.
        for (number, (at, value)) in flips.iter().enumerate() {
            let at = at.index(if number % 2 == 0 { 160 } else { bytes.len() });
            bytes[at] = *value;
        }
        if cut.index(4) == 0 {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(lookup) = JsLookup::open(Arc::new(bytes)) {
            for (line, column) in (0..3).flat_map(|line| (0..2000).step_by(97).map(move |column| (line, column))) {
                if let JsAnswer::Mapped(mapped) = lookup.lookup(line, column) {
                    let _ = lookup.sources().lines_around(mapped.source_index, mapped.line, mapped.column, 5, 5);
                }
            }
            let _ = lookup.lookup(u32::MAX, u32::MAX);
        }
    }

    #[test]
    fn no_bytes_panic(text in vec(any::<u8>(), 0..300), map in vec(any::<u8>(), 0..300)) {
        let _ = derive(Some(&text), &map);
        let _ = derive(Some(&text), regular(&[(0, 0, Some((0, 0, 0)))]).as_bytes());
        let _ = JsLookup::open(Arc::new(map));
        let _ = (debug_id_of_source(&text), debug_id_of_map(&text), map_reference(&text).is_some());
    }

    #[test]
    fn no_name_panics(source in "[a-z:/.~\\\\?#\u{e4}-]{0,30}", base in "[a-z:/.~\\\\?#\u{e4}-]{0,30}") {
        let _ = (source_url_parts(&source, Some(&base)), in_app(&source));
    }
}
