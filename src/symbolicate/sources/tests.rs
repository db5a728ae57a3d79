use std::sync::Arc;

use super::*;
use crate::derive::sources::{LineEnds, SourceSet, line_starts};

fn set(files: &[(&str, Option<&str>)]) -> Vec<u8> {
    let mut set = SourceSet::default();
    for (path, text) in files {
        let starts = line_starts(text.unwrap_or_default(), LineEnds::Ecmascript);
        set.add(path, text.map(|text| (text, &starts[..]))).unwrap();
    }
    set.finish().unwrap()
}

fn open(bytes: Vec<u8>) -> Sources {
    Sources::open(Arc::new(bytes)).unwrap()
}

fn named(paths: &[&str]) -> Sources {
    open(set(&paths.iter().map(|path| (*path, Some("x"))).collect::<Vec<_>>()))
}

#[track_caller]
fn finds(stored: &[&str], wanted: &str, expected: Option<u32>) {
    assert_eq!(named(stored).find(wanted), expected.map(SourceIndex));
}

#[test]
fn exact_paths_are_found() {
    finds(&["/src/b.c", "/src/a.c", "a.c"], "/src/a.c", Some(1));
    finds(&["/src/b.c", "/src/a.c", "a.c"], "a.c", Some(2));
    finds(&[r"C:\src\a.c"], "C:/src/./a.c", Some(0));
    finds(&[], "a.c", None);
}

#[test]
fn the_only_path_with_the_same_end_is_found() {
    finds(&["/home/u/app/src/main.c", "/home/u/app/src/util.c"], "src/main.c", Some(0));
    finds(&["src/main.c", "src/util.c"], "/build/app/src/main.c", Some(0));
}

#[test]
fn an_end_that_fits_several_files_finds_nothing() {
    finds(&["/a/src/main.c", "/b/src/main.c"], "src/main.c", None);
    finds(&["src/main.c", "app/src/main.c"], "/build/app/src/main.c", None);
}

#[test]
fn a_file_name_alone_finds_nothing() {
    finds(&["/src/main.c"], "main.c", None);
    finds(&["main.c"], "/src/main.c", None);
    finds(&["/src/xmain.c"], "c/main.c", None);
    finds(&["/asrc/main.c"], "src/main.c", None);
}

#[track_caller]
fn context(text: &str, line: u32, expected: Option<(u32, &[&str])>) {
    let sources = open(set(&[("a", None), ("b", Some(text))]));
    let context = sources.lines(SourceIndex(1), line, 2, 1);
    assert_eq!(sources.has_line(SourceIndex(1), line), context.is_some());
    assert!(!sources.has_line(SourceIndex(0), line) && !sources.has_line(SourceIndex(2), line));
    let expected = expected.map(|(first_line, lines)| Context {
        first_line,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
    });
    assert_eq!(context, expected);
}

#[test]
fn context_is_clipped_at_the_ends_of_the_text() {
    context("1\n2\n3\n4\n5", 1, Some((1, &["1", "2"])));
    context("1\n2\n3\n4\n5", 3, Some((1, &["1", "2", "3", "4"])));
    context("1\n2\n3\n4\n5", 5, Some((3, &["3", "4", "5"])));
    context("1\n2\n3\n4\n5", 6, None);
    context("1\n2\n3\n4\n5", 0, None);
    context("", 1, Some((1, &[""])));
    context("1\n2\n", 2, Some((1, &["1", "2"])));
    context("1\n2\n", 3, Some((1, &["1", "2", ""])));
    context("1\n2\n\n", 2, Some((1, &["1", "2", ""])));
}

#[test]
fn all_line_ends_count_and_are_not_shown() {
    context("1\r\n2\r3\u{2028}4\u{2029}5", 4, Some((2, &["2", "3", "4", "5"])));
}

#[test]
fn a_long_text_is_read_from_its_frame() {
    let text: String = (1..=50_000).map(|n| format!("line {n}\n")).collect();
    let sources = open(set(&[("long", Some(&text))]));
    let context = sources.lines(SourceIndex(0), 40_000, 1, 1).unwrap();
    assert_eq!(context.lines, ["line 39999", "line 40000", "line 40001"]);
    assert_eq!(sources.lines(SourceIndex(0), 25_000, 1_000, 1_000).unwrap().lines.len(), 201);
}

#[test]
fn long_lines_are_cut_around_the_column() {
    let text = format!("{}here{}", "x".repeat(5_000), "y".repeat(5_000));
    let sources = open(set(&[("long", Some(&text))]));
    let context = sources.lines_around(SourceIndex(0), 1, 5_001, 5, 5).unwrap();
    assert!(context.lines[0].contains("xhere") && context.lines[0].len() < 160, "{context:?}");
}

#[test]
fn texts_are_found_by_hash() {
    let sources = open(set(&[("a", Some("one")), ("b", None), ("c", Some("two"))]));
    for index in [0, 2].map(SourceIndex) {
        assert_eq!(sources.find_by_hash(&sources.hash(index).unwrap()), Some(index));
    }
    assert_eq!(sources.hash(SourceIndex(1)), None);
    assert_eq!(sources.hash(SourceIndex(3)), None);
    assert_eq!(sources.find_by_hash(&[0; 32]), None);
    assert_eq!(sources.lines(SourceIndex(1), 1, 0, 0), None);
}

proptest::proptest! {
    #[test]
    fn damaged_files_never_panic(flips in proptest::collection::vec((0usize..4000, 0u8..), 1..10), cut in 0usize..4000) {
        let text = "some source text\n".repeat(40);
        let mut bytes = set(&[("/src/a.c", Some(&text)), ("/src/b.c", Some("b")), ("c", None)]);
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        bytes.truncate(bytes.len().max(cut).min(cut.max(bytes.len() / 2)));
        if let Ok(sources) = Sources::open(Arc::new(bytes)) {
            for index in (0..4).map(SourceIndex) {
                let _ = sources.path(index);
                let _ = sources.lines(index, 3, 5, 5);
                let _ = sources.hash(index).map(|hash| sources.find_by_hash(&hash));
            }
            let _ = sources.find("/src/a.c");
            let _ = sources.find("x/src/a.c");
        }
    }
}
