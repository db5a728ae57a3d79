//! Single positions of small texts.

use super::*;
use crate::unusable::Unusable;

/// Two sources of three lines each.
const HEAD: &str = r#""version":3,"sources":["a.ts","b.ts"],"sourcesContent":["a1\na2\na3","b1\nb2"],"names":["total"]"#;

fn map(mappings: &str) -> String {
    format!(r#"{{{HEAD},"mappings":"{mappings}"}}"#)
}

/// Writes an answer as `source:line:column`, with the name of the token.
fn shown(answer: JsAnswer<'_>) -> String {
    match answer {
        JsAnswer::Mapped(Mapped { source, line, column, token_name: None, .. }) => {
            format!("{source}:{line}:{column}")
        }
        JsAnswer::Mapped(Mapped { source, line, column, token_name: Some(name), .. }) => {
            format!("{source}:{line}:{column} {name}")
        }
        JsAnswer::NoMapping => "nothing".to_owned(),
        JsAnswer::OutOfRange(OutOfRange::Line { line_count }) => format!("only {line_count} lines"),
        JsAnswer::OutOfRange(OutOfRange::Column { column_count }) => {
            format!("only {column_count} columns")
        }
        JsAnswer::Misfit => "another build".to_owned(),
        JsAnswer::NeedsColumn => "which column?".to_owned(),
    }
}

#[track_caller]
fn check(text: Option<&str>, mappings: &str, positions: &[(u32, u32, &str)]) {
    let lookup = open(derive(text.map(str::as_bytes), map(mappings).as_bytes()).unwrap());
    for (line, column, expected) in positions {
        assert_eq!(shown(lookup.lookup(*line, *column)), *expected, "{line}:{column}");
    }
}

#[test]
fn a_segment_reaches_to_the_next_one_of_its_line() {
    check(
        Some("aaaa\nbbbb"),
        "CAAA,EACEA;ECDF",
        &[
            (1, 1, "nothing"),
            (1, 2, "a.ts:1:1"),
            (1, 3, "a.ts:1:1"),
            (1, 4, "a.ts:2:3 total"),
            (2, 1, "nothing"),
            (2, 2, "nothing"),
            (2, 3, "b.ts:1:1"),
        ],
    );
}

#[test]
fn a_segment_with_one_number_ends_the_one_before() {
    check(
        Some("aaaaaa"),
        "AAAA,E,EACA",
        &[(1, 2, "a.ts:1:1"), (1, 3, "nothing"), (1, 4, "nothing"), (1, 5, "a.ts:2:1")],
    );
}

#[test]
fn of_two_segments_at_one_place_the_last_counts() {
    check(Some("aaaaaa"), "AAAA,AACA", &[(1, 1, "a.ts:2:1"), (1, 6, "a.ts:2:1")]);
    check(Some("aaaaaa"), "A,AAAA", &[(1, 1, "a.ts:1:1")]);
}

#[test]
fn the_text_says_where_a_line_ends() {
    check(
        Some("aaaa\nb\n\n"),
        "AAAA;AACA",
        &[
            (1, 4, "a.ts:1:1"),
            (1, 5, "only 4 columns"),
            (1, 500, "only 4 columns"),
            (1, u32::MAX, "only 4 columns"),
            (2, 1, "a.ts:2:1"),
            (2, 2, "only 1 columns"),
            (3, 1, "nothing"),
            (3, 2, "only 0 columns"),
            (4, 1, "nothing"),
            (5, 1, "only 4 lines"),
            (u32::MAX, 1, "only 4 lines"),
            (0, 1, "nothing"),
        ],
    );
}

#[test]
fn without_the_text_a_line_ends_a_little_behind_its_last_segment() {
    check(
        None,
        "AAAA,EACA;;AAAA",
        &[
            (1, 3, "a.ts:2:1"),
            (1, 130, "a.ts:2:1"),
            (1, 131, "only 130 columns"),
            (2, 1, "nothing"),
            (2, 500, "nothing"),
            (3, 1, "a.ts:2:1"),
            (4, 1, "only 3 lines"),
        ],
    );
    check(None, "", &[(1, 1, "only 0 lines")]);
}

#[test]
fn every_line_end_of_ecmascript_counts() {
    for end in ["\n", "\r", "\r\n", "\u{2028}", "\u{2029}"] {
        check(
            Some(&format!("aa{end}bb")),
            "AAAA;AACA",
            &[
                (1, 2, "a.ts:1:1"),
                (1, 3, "only 2 columns"),
                (2, 2, "a.ts:2:1"),
                (3, 1, "only 2 lines"),
            ],
        );
    }
}

#[test]
fn columns_are_utf16_units() {
    check(
        Some("'😀ß';b"),
        "AAAA,MACA",
        &[(1, 6, "a.ts:1:1"), (1, 7, "a.ts:2:1"), (1, 8, "only 7 columns")],
    );
}

#[test]
fn an_unknown_column_is_answered_where_the_line_has_one_origin() {
    check(
        Some("aaaa\nbbbb\ncccc"),
        "AAAA,CAAC;AACA,CACA",
        &[(1, 0, "a.ts:1:1"), (2, 0, "which column?"), (3, 0, "nothing")],
    );
}

#[test]
fn a_map_that_reaches_out_of_the_text_is_another_files() {
    let derived = |text: &str| {
        derive(
            Some(text.as_bytes()),
            map("AAAA,CAAC,CAAC,CAAC,CAAC,CAAC,CAAC,CAAC,CAAC,CAAC").as_bytes(),
        )
    };
    assert!(derived("aaaaaaaa").is_ok());
    let error = derived("aaa").unwrap_err();
    assert!(
        matches!(&error, Unusable::WrongMap(text) if text.contains("only 4 of its 10")),
        "{error}"
    );
}

#[test]
fn sources_come_with_their_lines() {
    let lookup = open(derive(None, map("AAAA,CCAC").as_bytes()).unwrap());
    let JsAnswer::Mapped(mapped) = lookup.lookup(1, 2) else { panic!() };
    let context = lookup.sources().lines(mapped.source_index, mapped.line + 1, 1, 1).unwrap();
    assert_eq!(context.lines, ["b1", "b2"]);
    assert_eq!(lookup.sources().find("b.ts"), Some(mapped.source_index));
}

#[test]
fn a_source_without_name_or_text_is_still_a_source() {
    let map = r#"{"version":3,"sources":[null,"b.ts"],"mappings":"AAAA,CCAA"}"#;
    let derived = derive(None, map.as_bytes()).unwrap();
    assert_eq!(derived.report.sources_without_text, 2);
    let lookup = open(derived);
    assert_eq!(shown(lookup.lookup(1, 1)), ":1:1");
    assert_eq!(shown(lookup.lookup(1, 2)), "b.ts:1:1");
    assert_eq!(lookup.sources().lines(SourceIndex(1), 1, 5, 5), None);
}

#[test]
fn positions_behind_a_difference_between_builds_get_no_answer() {
    let statement = "window.console.log(identifier,another);";
    let text = statement.repeat(1000);
    let mut mappings = String::new();
    // Segments at every word of every statement: columns 0, 7, 15, 19, 30.
    for number in 0..1000 {
        let separator = if number == 0 { "AAAA" } else { ",SAAS" };
        mappings += &format!("{separator},OAAO,QAAQ,IAAI,WAAW");
    }
    let json = serde_json::json!({"version": 3, "sources": ["a.js"], "sourcesContent": [text], "mappings": mappings});
    let json = json.to_string();
    let lookup = |text: &str| open(derive(Some(text.as_bytes()), json.as_bytes()).unwrap());
    let right = lookup(&text);
    assert_eq!(shown(right.lookup(1, 8)), "a.js:1:8");
    assert_eq!(shown(right.lookup(1, 30_020)), "a.js:1:30011");
    // The other build has one more call in the middle.
    let other = lookup(&format!("{}more(){}", &text[..19_500], &text[19_500..]));
    assert_eq!(shown(other.lookup(1, 8)), "a.js:1:8");
    assert_eq!(shown(other.lookup(1, 30_020)), "another build");
}

#[test]
fn bytecode_comes_with_an_empty_script() {
    check(Some(""), "AAAA,gnBACA", &[(1, 1, "a.ts:1:1"), (1, 631, "a.ts:2:1")]);
}

/// Bundles join thousands of strings, and every `+` is one step deeper in the syntax tree.
#[test]
fn deep_expressions_are_no_problem() {
    let sums = "+'x'".repeat(10_000);
    let arrays = format!("{}{}", "[".repeat(2_000), "]".repeat(2_000));
    let text = format!("function outer(){{return function inner(){{return 1{sums};{arrays}}}}}");
    let mappings = format!("AAAA,SAAS{}", ",oBAAA".repeat(40));
    let derived = derive(Some(text.as_bytes()), map(&mappings).as_bytes()).unwrap();
    assert_eq!((derived.report.function_count, derived.report.problems), (2, Vec::new()));
}
