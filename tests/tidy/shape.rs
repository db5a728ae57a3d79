//! How large a file and a function may be, and what a file may not be called.

use super::source::{Source, block_length};
use super::{assert_none, product};

/// Longest file, in lines, tests not counted.
const FILE_LINES_MAX: usize = 400;
/// Longest function, in lines, from its `fn` to its end.
const FUNCTION_LINES_MAX: usize = 70;
/// Names that say nothing.
const NO_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "manager"];

fn too_long(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    let (path, lines) = (&source.path, source.lines);
    if lines > FILE_LINES_MAX {
        problems.push(format!("{path}: {lines} lines, at most {FILE_LINES_MAX} without tests"));
    }
    for (line, name, lines) in functions(source) {
        if lines > FUNCTION_LINES_MAX {
            problems.push(format!(
                "{path}:{line}: fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX}"
            ));
        }
    }
    problems
}

/// Returns line, name and length of each function that has a body.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for place in source.places_of("fn") {
        let rest = &source.code[place..];
        let name: String = rest[2..]
            .trim_start()
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect();
        let Some(body) = rest.find(['{', ';']).filter(|end| rest[*end..].starts_with('{')) else {
            continue;
        };
        if !name.is_empty() {
            let end = body + block_length(&rest[body..]);
            found.push((source.line(place), name, rest[..end].matches('\n').count() + 1));
        }
    }
    found
}

fn badly_named(path: &str) -> bool {
    path.split('/').any(|part| NO_NAMES.contains(&part.trim_end_matches(".rs")))
}

#[test]
fn files_and_functions_are_short() {
    assert_none(&product().iter().flat_map(too_long).collect::<Vec<_>>());
}

#[test]
fn files_are_named_by_what_they_are() {
    let bad = product().into_iter().map(|source| source.path).filter(|path| badly_named(path));
    assert_none(&bad.collect::<Vec<_>>());
}

#[test]
fn long_files_and_functions_are_found() {
    let long = format!("fn short() {{}}\nfn long(a: u8) {{\n{}}}\n", "    a();\n".repeat(70));
    let source = Source::new("src/a.rs", &long);
    assert_eq!(functions(&source).iter().map(|it| it.2).collect::<Vec<_>>(), [1, 72]);
    assert_eq!(too_long(&source), ["src/a.rs:2: fn long has 72 lines, at most 70"]);
    let lines = "// a\n".repeat(401);
    assert_eq!(too_long(&Source::new("src/a.rs", &lines)).len(), 1);
    let tested =
        format!("fn a() {{}}\n#[cfg(test)]\nmod tests {{\n{}}}\n", "    // a\n".repeat(500));
    assert!(too_long(&Source::new("src/a.rs", &tested)).is_empty());
}

#[test]
fn names_that_say_nothing_are_found() {
    assert!(badly_named("src/http/util.rs") && badly_named("src/helpers/a.rs"));
    assert!(!badly_named("src/http/utilization.rs"));
}
