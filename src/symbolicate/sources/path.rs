//! Paths of source files as text: they come from other machines, so nothing here asks the file system.

/// Returns `path` with `/` between its components, and `.`, `..` and empty components resolved.
///
/// A URL keeps its `scheme://`; a leading `..` stays.
pub(crate) fn normalized(path: &str) -> String {
    let path = path.replace('\\', "/");
    let (root, rest) = match path.find("://") {
        Some(at)
            if path[..at].bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) =>
        {
            path.split_at(at + 3)
        }
        _ if path.starts_with('/') => path.split_at(1),
        _ => ("", path.as_str()),
    };
    let mut components: Vec<&str> = Vec::new();
    for component in rest.split('/') {
        match component {
            "" | "." => {}
            ".." if components.last().is_some_and(|last| *last != "..") => {
                components.truncate(components.len() - 1);
            }
            ".." if !root.is_empty() => {}
            component => components.push(component),
        }
    }
    format!("{root}{}", components.join("/"))
}

/// Returns the number of components of a normalized path.
pub(crate) fn components(path: &str) -> usize {
    path.split('/').filter(|component| !component.is_empty()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: &str) {
        assert_eq!(normalized(path), expected);
    }

    #[test]
    fn dots_and_backslashes_are_resolved() {
        check(r"C:\src\.\app\..\main.c", "C:/src/main.c");
        check("/usr//src/./a/../b.c", "/usr/src/b.c");
        check("../../src/a.ts", "../../src/a.ts");
        check("/../a.c", "/a.c");
        check("", "");
    }

    #[test]
    fn urls_keep_their_root() {
        check("webpack:///./src/x.ts", "webpack:///src/x.ts".replace(":///", "://").as_str());
        check("https://host/a/../b.js", "https://host/b.js");
    }
}
