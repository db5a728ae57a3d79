//! The rings of the server: every module imports only what stands further in.

use super::source::Source;
use super::{assert_none, product, text};

/// The modules of the server from the outside in; each may use itself and what stands after it.
const INWARD: &[&str] = &[
    // Entry points.
    "commands",
    "http",
    "jobs",
    // Use cases.
    "retention",
    "ingest",
    "uploads",
    "releases",
    "issues",
    "alerts",
    "symbols",
    "accounts",
    "garbage",
    // What is shared.
    "app",
    // Stores.
    "db",
    "blobs",
    // Base.
    "throttle",
    "remembered",
    "metrics",
    "config",
    "blocking",
    "clock",
    "grouping",
    "error",
];

/// What the order alone would allow.
const FORBIDDEN: &[(&str, &str)] = &[("http", "jobs")];

/// State that a use case keeps in the `App`, which is built once: their types, and nothing that acts.
const STATE_IN_APP: &[&str] = &[
    "crate::ingest::dictionaries",
    "crate::ingest::intake",
    "crate::symbols::derived",
    "crate::symbols::find",
    "crate::symbols::worker",
];

/// Crates whose code gets values and returns values.
const PURE: &[&str] = &["src/protocol/", "src/symbolicate/", "src/pages/", "src/grouping/"];
/// What reaches outside of the program.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::io::stdin",
    "SystemTime",
    "Instant",
    "tokio",
    "reqwest",
];
/// A program of its own beside the pages, which writes them to a folder.
const PAGES_TOOL: &str = "src/pages/samples.rs";

/// The place in the server that a path stands in: `src/db/engine/row.rs` → `db`.
fn module(path: &str) -> Option<&str> {
    let inside = path.strip_prefix("src/")?;
    let first = inside.split('/').next()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    let is_other = ["protocol", "symbolicate", "pages", "main", "lib"].contains(&module);
    (!is_other).then_some(module)
}

/// Returns the paths that a file names from the root of its crate on, groups spread out.
fn paths(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for place in source.places_of("crate") {
        let rest = &source.code[place + "crate".len()..];
        spread("crate", rest, &mut |path| found.push((source.line(place), path)));
    }
    found
}

/// Calls `found` with each path that `rest` continues `path` to: `::a::{b, c}` → `…::a::b`, `…::a::c`.
fn spread(path: &str, rest: &str, found: &mut dyn FnMut(String)) {
    let Some(rest) = rest.trim_start().strip_prefix("::") else {
        if path.contains("::") {
            found(path.to_owned());
        }
        return;
    };
    let rest = rest.trim_start();
    if rest.starts_with('{') {
        let inside = &rest[1..super::source::block_length(rest) - 1];
        for part in parts(inside) {
            let part = part.trim();
            if !part.is_empty() {
                spread(path, &format!("::{part}"), found);
            }
        }
        return;
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    spread(&format!("{path}::{}", &rest[..end]), &rest[end..], found);
}

/// Splits at the commas that stand in no inner group.
fn parts(group: &str) -> Vec<&str> {
    let mut depth = 0;
    group
        .split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        })
        .collect()
}

/// Returns what a file imports against the direction.
fn outward(source: &Source) -> Vec<String> {
    let Some(from) = module(&source.path) else { return Vec::new() };
    let Some(from_place) = INWARD.iter().position(|name| *name == from) else {
        return vec![format!(
            "{}: module `{from}` has no place in tests/tidy/imports.rs",
            source.path
        )];
    };
    let mut problems = Vec::new();
    for (line, path) in paths(source) {
        let to = path.split("::").nth(1).unwrap_or_default();
        let Some(to_place) = INWARD.iter().position(|name| *name == to) else {
            problems
                .push(format!("{}:{line}: {path}: `{to}` has no place in the order", source.path));
            continue;
        };
        let is_state = from == "app" && STATE_IN_APP.iter().any(|state| path.starts_with(state));
        let is_inward = to_place >= from_place && !FORBIDDEN.contains(&(from, to));
        if !is_inward && !is_state {
            problems.push(format!("{}:{line}: {from} must not use {path}", source.path));
        }
    }
    problems
}

/// Returns where pure code reaches outside.
fn impure(source: &Source) -> Vec<String> {
    if !PURE.iter().any(|folder| source.path.starts_with(folder)) || source.path == PAGES_TOOL {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for name in OUTSIDE {
        for place in source.places_of(name) {
            problems.push(format!(
                "{}:{}: pure code must not use {name}",
                source.path,
                source.line(place)
            ));
        }
    }
    problems
}

#[test]
fn imports_point_inward() {
    assert_none(&product().iter().flat_map(outward).collect::<Vec<_>>());
}

#[test]
fn pure_code_reaches_nothing_outside() {
    assert_none(&product().iter().flat_map(impure).collect::<Vec<_>>());
}

#[test]
fn every_module_has_a_place_in_the_order() {
    for line in text("src/lib.rs").lines() {
        let declared = line.strip_prefix("pub(crate) mod ").and_then(|rest| rest.strip_suffix(';'));
        if let Some(declared) = declared {
            assert!(
                INWARD.contains(&declared),
                "`{declared}` has no place in tests/tidy/imports.rs"
            );
        }
    }
}

#[track_caller]
fn check(path: &str, code: &str, expected: &[&str]) {
    assert_eq!(outward(&Source::new(path, code)), expected);
}

#[test]
fn outward_imports_are_found_in_groups_and_paths() {
    check("src/db/issue.rs", "use crate::error::Result; use crate::{clock, metrics};", &[]);
    check(
        "src/db/issue.rs",
        "use crate::{\n    error::{Error, Result},\n    ingest::digest::{self, Digested},\n};",
        &[
            "src/db/issue.rs:1: db must not use crate::ingest::digest::self",
            "src/db/issue.rs:1: db must not use crate::ingest::digest::Digested",
        ],
    );
    check(
        "src/uploads/chunk.rs",
        "fn a() {}\nfn b(app: &crate::http::extract::Token) {}",
        &["src/uploads/chunk.rs:2: uploads must not use crate::http::extract::Token"],
    );
    check(
        "src/uploads/chunk.rs",
        "pub(crate) fn a() { /* crate::http::x */ \"crate::http::x\"; }",
        &[],
    );
    check(
        "src/http/a.rs",
        "use crate::jobs::runner;",
        &["src/http/a.rs:1: http must not use crate::jobs::runner"],
    );
}

#[test]
fn the_app_may_hold_the_state_of_use_cases_and_no_more() {
    check("src/app.rs", "use crate::ingest::intake::Intake;", &[]);
    check(
        "src/app.rs",
        "use crate::ingest::digest;",
        &["src/app.rs:1: app must not use crate::ingest::digest"],
    );
}

#[test]
fn a_new_module_is_asked_for_its_place() {
    check(
        "src/new/a.rs",
        "",
        &["src/new/a.rs: module `new` has no place in tests/tidy/imports.rs"],
    );
}

#[test]
fn impurity_is_found() {
    let source =
        Source::new("src/grouping/mod.rs", "use std::time::Instant;\nfn a() { std::fs::read(b) }");
    assert_eq!(impure(&source).len(), 2);
    assert!(impure(&Source::new("src/db/a.rs", "std::fs::read(b)")).is_empty());
}
