//! Pages for people: links lead somewhere, lists say what the code does, the top level stays small.
//!
//! That every setting and every metric is documented is tested where they are defined.

use std::fs;

use super::{assert_none, files_below, root, text};

/// What may stand at the top level; hidden files are configuration of tools.
const TOP_LEVEL: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "cli",
    "docs",
    "fixtures",
    "migrations",
    "rust-toolchain.toml",
    "src",
    "symbolist-data",
    "target",
    "tests",
];

/// Returns what Markdown links to, without anchors and other sites.
fn links(markdown: &str) -> Vec<String> {
    let targets = markdown.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let local = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    local.map(|target| target.split('#').next().unwrap_or_default().to_owned()).collect()
}

/// Returns the string constants of `const NAME: … = &[…];` in a source.
fn constants(code: &str, name: &str) -> Vec<String> {
    let list =
        code.split(&format!("const {name}:")).nth(1).and_then(|rest| rest.split("];").next());
    let list = list.unwrap_or_else(|| panic!("no list {name}"));
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns what stands in backticks in the paragraph that follows `heading`.
fn quoted_below(markdown: &str, heading: &str) -> Vec<String> {
    let rest =
        markdown.split(&format!("{heading}\n")).nth(1).unwrap_or_else(|| panic!("no {heading}"));
    let list = rest.lines().skip_while(|line| !line.starts_with('`'));
    let list: Vec<&str> = list.take_while(|line| !line.is_empty()).collect();
    list.join(" ").split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn links_lead_to_files() {
    let mut pages: Vec<String> =
        files_below("docs").into_iter().filter(|path| path.ends_with(".md")).collect();
    pages.extend(
        ["README.md", "fixtures/README.md", "src/ARCHITECTURE.md", "src/STYLE.md"]
            .map(str::to_owned),
    );
    let mut problems = Vec::new();
    for page in pages {
        let folder = root().join(&page);
        let folder = folder.parent().expect("a file has a folder");
        let broken = links(&text(&page)).into_iter().filter(|target| !folder.join(target).exists());
        problems
            .extend(broken.map(|target| format!("{page} links to {target}, which is not there")));
    }
    assert_none(&problems);
}

#[test]
fn every_page_of_the_manual_is_in_its_index() {
    let linked = links(&text("docs/index.md"));
    let pages = files_below("docs").into_iter().map(|path| path["docs/".len()..].to_owned());
    let lost =
        pages.filter(|page| page.ends_with(".md") && page != "index.md" && !linked.contains(page));
    assert_none(
        &lost.map(|page| format!("docs/index.md does not link to {page}")).collect::<Vec<_>>(),
    );
}

#[test]
fn scrubbed_names_are_the_documented_ones() {
    let (code, manual) = (text("src/ingest/scrub.rs"), text("docs/scrubbing.md"));
    assert_eq!(quoted_below(&manual, "## Field names"), constants(&code, "SECRET_NAMES"));
    assert_eq!(quoted_below(&manual, "### Secret words"), constants(&code, "SECRET_WORDS"));
    assert_eq!(quoted_below(&manual, "### Names that stay"), constants(&code, "HARMLESS_NAMES"));
}

#[test]
fn stored_formats_are_the_documented_ones() {
    let (code, manual) = (text("src/ingest/stored.rs"), text("docs/stored-events.md"));
    let formats: Vec<&str> = code
        .lines()
        .filter_map(|line| {
            line.strip_prefix("const FORMAT_")?.split(" = ").nth(1)?.strip_suffix(';')
        })
        .collect();
    assert!(!formats.is_empty());
    for format in formats {
        assert!(
            manual.contains(&format!("| {format} |")),
            "format {format} is not in docs/stored-events.md"
        );
    }
}

#[test]
fn routes_are_documented() {
    let manual = [text("docs/ingest.md"), text("docs/uploads.md")].concat();
    for kind in [
        "/api/{project}/envelope/",
        "/api/{project}/store/",
        "chunk-upload/",
        "artifactbundle/assemble/",
        "files/difs/assemble/",
    ] {
        assert!(text("src/http/routes.rs").contains(kind), "{kind} is no route any more");
        assert!(manual.contains(kind), "{kind} is not in the manual");
    }
}

/// Says whether a text holds what a merge leaves where it could not decide.
fn is_half_merged(text: &str) -> bool {
    let marks = ["<", ">"].map(|mark| format!("{} ", mark.repeat(7)));
    text.lines().any(|line| marks.iter().any(|mark| line.starts_with(mark)))
}

#[test]
fn nothing_is_half_merged() {
    let folders = ["cli", "docs", "migrations", "src", "tests"].into_iter().flat_map(files_below);
    let files = folders.chain(["README.md", "Cargo.toml", "fixtures/README.md"].map(str::to_owned));
    let texts = files.filter_map(|path| Some((fs::read_to_string(root().join(&path)).ok()?, path)));
    let bad = texts.filter(|(text, _)| is_half_merged(text)).map(|(_, path)| path);
    assert_none(&bad.collect::<Vec<_>>());
    assert!(is_half_merged(&format!("a\n{} HEAD\nb", "<".repeat(7))));
    assert!(!is_half_merged("a << b\n======="));
}

#[test]
fn nothing_new_stands_at_the_top_level() {
    let entries = fs::read_dir(root()).expect("the checkout is readable");
    let names =
        entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"));
    let new = names.filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()));
    assert_none(&new.collect::<Vec<_>>());
}

#[test]
fn lists_and_links_are_read() {
    let page = "## Names\n\nProse with `no`.\n\n`a`, `b`,\n`c`\n\n`d` [x](y.md#z) [w](https://a.b) [v](#u)\n";
    assert_eq!(quoted_below(page, "## Names"), ["a", "b", "c"]);
    assert_eq!(links(page), ["y.md"]);
    assert_eq!(
        constants("const X: &[&str] =\n    &[\"a\", \"b\"];\nconst Y: &str = \"c\";", "X"),
        ["a", "b"]
    );
}
