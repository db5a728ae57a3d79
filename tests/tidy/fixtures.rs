//! Fixtures: where each comes from, and that none betrays the machine it was made on.

use std::fs;
use std::io::{Cursor, Read as _};

use object::{Object as _, ObjectSection as _};

use super::{assert_none, files_below, root, text};

/// Folders of people and checkouts.
const HOMES: &[&str] = &["/work/", "/root/", "/home/", "/Users/", "/bash_jobs"];
/// Folders of build tools, which stand in homes. The samples of pages show how such paths are shortened.
const TOOLS: &[&str] = &["/.cargo/", "/.rustup/", "/registry/src/"];

/// Returns the names and patterns that the first column of the table in `fixtures/README.md` lists.
fn listed(readme: &str) -> Vec<String> {
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).flat_map(alternatives).collect()
}

/// Spreads the first `{a,b}` of a pattern, and then the others: `x-{a,b}` → `x-a`, `x-b`.
fn alternatives(pattern: &str) -> Vec<String> {
    let Some((head, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((group, tail)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    group.split(',').flat_map(|part| alternatives(&format!("{head}{part}{tail}"))).collect()
}

/// Says whether a pattern means a file: its name, a folder above it (`a/`), or one `*` inside of a name.
fn means(pattern: &str, file: &str) -> bool {
    match pattern.split_once('*') {
        Some((head, tail)) => file
            .strip_prefix(head)
            .and_then(|rest| rest.strip_suffix(tail))
            .is_some_and(|middle| !middle.contains('/')),
        None => file == pattern || (pattern.ends_with('/') && file.starts_with(pattern)),
    }
}

/// Returns the paths of machines in `bytes`, and in what is compressed inside of them.
fn machine_paths(bytes: &[u8]) -> Vec<&'static str> {
    let inner = [inflated_entries(bytes), inflated_sections(bytes)].concat();
    let texts = inner.iter().map(Vec::as_slice).chain([bytes]);
    let mut found: Vec<&str> = texts
        .flat_map(|text| {
            HOMES.iter().chain(TOOLS).copied().filter(move |path| contains(text, path))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

fn contains(bytes: &[u8], path: &str) -> bool {
    bytes.windows(path.len()).any(|window| window == path.as_bytes())
}

/// What a ZIP archive holds, also behind the eight bytes that source bundles begin with.
fn inflated_entries(bytes: &[u8]) -> Vec<Vec<u8>> {
    if !bytes.starts_with(b"PK") && !bytes.starts_with(b"SYSB") {
        return Vec::new();
    }
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("archives are readable");
    let read = |index| {
        let mut entry = archive.by_index(index).expect("entries are readable");
        let mut inflated = entry.name().as_bytes().to_vec();
        entry.read_to_end(&mut inflated).expect("entries are whole");
        inflated
    };
    let count = zip::ZipArchive::new(Cursor::new(bytes)).expect("archives are readable").len();
    (0..count).map(read).collect()
}

/// The sections of an object file that are compressed.
fn inflated_sections(bytes: &[u8]) -> Vec<Vec<u8>> {
    let Ok(file) = object::File::parse(bytes) else { return Vec::new() };
    let data = file.sections().filter_map(|section| section.uncompressed_data().ok());
    data.map(|data| data.into_owned()).collect()
}

#[test]
fn every_fixture_has_a_line_in_the_readme() {
    let patterns = listed(&text("fixtures/README.md"));
    let files = files_below("fixtures");
    let files =
        files.iter().map(|path| &path["fixtures/".len()..]).filter(|path| *path != "README.md");
    let files: Vec<&str> = files.collect();
    let unlisted = files.iter().filter(|file| !patterns.iter().any(|it| means(it, file)));
    assert_none(
        &unlisted
            .map(|file| format!("fixtures/{file} is not in fixtures/README.md"))
            .collect::<Vec<_>>(),
    );
    let stale = patterns.iter().filter(|it| !files.iter().any(|file| means(it, file)));
    assert_none(
        &stale
            .map(|it| format!("fixtures/README.md lists {it}, which is not there"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn no_fixture_and_no_page_names_a_machine_path() {
    let is_script = |path: &String| path.starts_with("fixtures/") && path.matches('/').count() == 1;
    let mut files: Vec<String> =
        ["fixtures", "docs", "src/pages/samples"].into_iter().flat_map(files_below).collect();
    // The scripts name what they look for.
    files.retain(|path| !is_script(path));
    files.extend(["README.md", "src/ARCHITECTURE.md", "src/STYLE.md"].map(str::to_owned));
    let mut problems = Vec::new();
    for path in files {
        let bytes = fs::read(root().join(&path)).expect("the file is readable");
        let found = machine_paths(&bytes).into_iter();
        let found = found.filter(|it| HOMES.contains(it) || !path.starts_with("src/pages/samples"));
        problems.extend(found.map(|found| format!("{path} names {found}")));
    }
    assert_none(&problems);
}

#[test]
fn migrations_have_the_same_names_on_both_sides() {
    let names = |folder: &str| -> Vec<String> {
        files_below(folder).iter().map(|path| path[folder.len()..].to_owned()).collect()
    };
    assert_eq!(names("migrations/sqlite"), names("migrations/postgres"));
}

#[test]
fn patterns_mean_files() {
    let readme =
        "| file | what |\n| --- | --- |\n| `elf/a-{x,y}`, `b/` | `c` |\n| `d/*.expect` | |\n";
    let patterns = listed(readme);
    assert_eq!(patterns, ["elf/a-x", "elf/a-y", "b/", "d/*.expect"]);
    let is_listed = |file: &str| patterns.iter().any(|pattern| means(pattern, file));
    for file in ["elf/a-x", "b/c/d", "d/a.expect"] {
        assert!(is_listed(file), "{file}");
    }
    for file in ["elf/a-z", "c", "d/e/a.expect", "bb"] {
        assert!(!is_listed(file), "{file}");
    }
}

#[test]
fn machine_paths_are_found_in_archives_too() {
    use std::io::Write as _;
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    archive.start_file("a.map", deflated).unwrap();
    let text = "see /home/ann/a.ts ".repeat(20);
    archive.write_all(text.as_bytes()).unwrap();
    let bytes = archive.finish().unwrap().into_inner();
    let bundle = [b"SYSB\x02\0\0\0".as_slice(), &bytes].concat();
    for bytes in [&bytes, &bundle] {
        assert!(!contains(bytes, "/home/"));
        assert_eq!(machine_paths(bytes), ["/home/"]);
    }
    assert_eq!(machine_paths(b"\0/work/x\0"), ["/work/"]);
    assert!(machine_paths(b"/srv/photos").is_empty());
}

#[test]
fn compressed_sections_are_looked_into() {
    let bytes = fs::read(root().join("fixtures/elf/inlined-zlib")).unwrap();
    let inner = inflated_sections(&bytes);
    assert!(inner.iter().any(|data| contains(data, "inlined.c")), "no section names the source");
}
