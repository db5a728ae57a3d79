//! What may be named only where it belongs: drivers, tasks, threads, writes.

use super::source::Source;
use super::{assert_none, product};

/// A word and the places that may use it; a folder ends with `/`.
struct Rule {
    word: &'static str,
    allowed: &'static [&'static str],
    reason: &'static str,
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { word: "rusqlite", allowed: &["src/db/engine/"], reason: "drivers are named in db/engine only" },
    Rule { word: "sqlx", allowed: &["src/db/engine/"], reason: "drivers are named in db/engine only" },
    Rule { word: "object_store", allowed: &["src/blobs/s3.rs", "src/blobs/client.rs"], reason: "the S3 client is named in blobs only" },
    // The PostgreSQL store runs a write in a task of its own, so that a caller that goes away does not undo it.
    Rule { word: "tokio::spawn", allowed: &["src/jobs/runner.rs", "src/http/listener.rs", "src/db/engine/pg/store.rs", "src/db/engine/group.rs"], reason: "tasks are spawned by the job runner and the listener only" },
    Rule { word: "task::spawn", allowed: &[], reason: "tasks are spawned by the job runner and the listener only" },
    Rule { word: "JoinSet", allowed: &["src/jobs/runner.rs", "src/http/listener.rs"], reason: "tasks are spawned by the job runner and the listener only" },
    Rule { word: "spawn_blocking", allowed: &["src/blocking.rs"], reason: "blocking work goes through blocking::run" },
    Rule { word: "block_in_place", allowed: &[], reason: "blocking work goes through blocking::run" },
    Rule { word: "static mut", allowed: &[], reason: "state lives in the App" },
];

/// Calls that only tests may make.
const TESTS_ONLY: &[&str] = &[".unwrap()", "todo!(", "unimplemented!(", "dbg!("];

fn is_allowed(path: &str, allowed: &[&str]) -> bool {
    allowed.iter().any(|place| path == *place || (place.ends_with('/') && path.starts_with(place)))
}

fn misplaced(source: &Source) -> Vec<String> {
    let mut problems = Vec::new();
    for rule in RULES.iter().filter(|rule| !is_allowed(&source.path, rule.allowed)) {
        for place in source.places_of(rule.word) {
            let (path, line) = (&source.path, source.line(place));
            problems.push(format!("{path}:{line}: `{}`: {}", rule.word, rule.reason));
        }
    }
    let squeezed = source.squeezed();
    if source.path.starts_with("src/http/") && squeezed.contains("db.write") {
        problems
            .push(format!("{}: handlers read, use cases write: no `db.write` here", source.path));
    }
    for call in TESTS_ONLY.iter().filter(|call| squeezed.contains(**call)) {
        problems.push(format!("{}: `{call}` outside of tests", source.path));
    }
    problems
}

#[test]
fn things_are_named_only_where_they_belong() {
    assert_none(&product().iter().flat_map(misplaced).collect::<Vec<_>>());
}

#[test]
fn no_test_is_ignored() {
    let files = ["src", "cli", "tests"].into_iter().flat_map(super::files_below);
    for path in files.filter(|path| path.ends_with(".rs")) {
        let squeezed =
            Source::new(&path, &super::text(&path).replace("#[cfg(test)]", "")).squeezed();
        assert!(
            !squeezed.contains("#[ignore"),
            "{path} ignores a test: assert what happens today instead"
        );
    }
}

#[track_caller]
fn check(path: &str, code: &str, expected: usize) {
    let problems = misplaced(&Source::new(path, code));
    assert_eq!(problems.len(), expected, "{problems:?}");
}

#[test]
fn misplaced_names_are_found() {
    check("src/db/issue.rs", "use rusqlite::Connection;", 1);
    check("src/db/engine/row.rs", "use rusqlite::Connection;", 0);
    check("src/blobs/mod.rs", "use object_store::path::Path;", 1);
    check(
        "src/ingest/accept.rs",
        "tokio::spawn(a); tokio::task::spawn(b); tokio::task::spawn_blocking(c);",
        3,
    );
    check("src/jobs/digest.rs", "let tasks = JoinSet::new();", 1);
    check("src/http/web/issue.rs", "app\n    .db\n    .write(|tx| a)", 1);
    check("src/ingest/keep.rs", "app\n    .db\n    .write(|tx| a)", 0);
    check("src/clock.rs", "a.unwrap(); b\n    .unwrap()", 1);
    check("src/clock.rs", "todo!()", 1);
    check(
        "src/clock.rs",
        "a.unwrap_or(1); // b.unwrap()\n#[cfg(test)]\nmod tests { fn a() { b.unwrap() } }",
        0,
    );
}
