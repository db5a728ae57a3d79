//! Rules about the code itself, which the compiler does not hold. `src/ARCHITECTURE.md` and `src/STYLE.md`
//! say why; each check is tried on a small bad example before it is believed.

mod fixtures;
mod imports;
mod manual;
mod places;
mod shape;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

/// Folders that hold what is built or fetched.
const NOT_OURS: &[&str] = &["target", "node_modules", ".git", ".cache", "symbolist-data"];

/// Returns the checkout.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files below `folder`, relative to the checkout, in order.
fn files_below(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("the folder is readable") {
            let entry = entry.expect("the entry is readable");
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let path = folder.join(&name);
            if !entry.file_type().expect("the entry has a type").is_dir() {
                found.push(path.display().to_string());
            } else if !NOT_OURS.contains(&name.as_str()) {
                folders.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no file below {folder}");
    found.sort();
    found
}

/// Returns a file's text, by its path in the checkout.
fn text(path: &str) -> String {
    let read = fs::read_to_string(root().join(path));
    read.unwrap_or_else(|error| panic!("cannot read {path}: {error}"))
}

/// Returns the Rust sources of the product, without those that hold only tests.
fn product() -> Vec<Source> {
    let files = ["src", "cli"].into_iter().flat_map(files_below);
    let texts: Vec<(String, String)> = files
        .filter(|path| path.ends_with(".rs"))
        .map(|path| (path.clone(), text(&path)))
        .collect();
    let tests: Vec<String> =
        texts.iter().flat_map(|(path, text)| source::test_modules(path, text)).collect();
    let is_ours =
        |path: &str| !source::is_test_file(path) && !tests.iter().any(|test| test == path);
    let ours = texts.iter().filter(|(path, _)| is_ours(path));
    let ours: Vec<Source> = ours.map(|(path, text)| Source::new(path, text)).collect();
    assert!(ours.len() > 100, "only {} files found", ours.len());
    ours
}

/// Fails with every problem in one message.
#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{} problems:\n{}", problems.len(), problems.join("\n"));
}
