//! How paths are shown: without the part that is the same everywhere.

/// Shortens a source path for a narrow column; the whole path stays in the title.
///
/// The compiler's own sources start at `library/`, crates of a registry at their name and version, npm
/// packages at their last `node_modules/`, and what a browser loaded at the path of its address.
pub(crate) fn shown(path: &str) -> &str {
    compiler(path)
        .or_else(|| registry(path))
        .or_else(|| npm(path))
        .or_else(|| address(path))
        .unwrap_or(path)
}

fn compiler(path: &str) -> Option<&str> {
    let start =
        path.find("/library/").filter(|_| path.contains("rustc/") || path.contains("/rustlib/"))?;
    path.get(start + 1..)
}

fn registry(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once("/registry/src/")?;
    rest.split_once('/').map(|(_, rest)| rest)
}

fn npm(path: &str) -> Option<&str> {
    path.rfind("/node_modules/").and_then(|start| path.get(start + 1..))
}

fn address(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://"))?;
    rest.find('/').and_then(|start| rest.get(start..)).filter(|path| path.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_everywhere_is_left_out() {
        for (path, expected) in [
            ("/rustc/2d8144b/library/std/src/rt.rs", "library/std/src/rt.rs"),
            (
                "/c/registry/src/index.crates.io-1/tokio-1.54.1/src/lib.rs",
                "tokio-1.54.1/src/lib.rs",
            ),
            ("/app/node_modules/a/node_modules/@b/c/i.js", "node_modules/@b/c/i.js"),
            ("https://shop.example/assets/app.js?v=1", "/assets/app.js?v=1"),
            ("https://shop.example/", "https://shop.example/"),
            ("src/main.rs", "src/main.rs"),
            ("/srv/library/x.py", "/srv/library/x.py"),
            ("", ""),
        ] {
            assert_eq!(shown(path), expected);
        }
    }
}
