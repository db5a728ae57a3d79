//! Full source paths: compilation directory, directory and file joined, dots removed.

/// Joins what a line program says about a file.
///
/// An absolute part makes those before it void. `.`, `..` and empty components are removed, except a `..`
/// that would lead out of a relative path. Windows paths keep their backslashes and drive.
pub(super) fn full_path(compilation_directory: &str, directory: &str, file: &str) -> String {
    let parts = [compilation_directory, directory, file];
    let first = parts.iter().rposition(|part| is_absolute(part)).unwrap_or(0);
    let parts = &parts[first..];
    let is_windows = !parts[0].starts_with('/') && parts.iter().any(|part| is_windows(part));
    let separator = if is_windows { '\\' } else { '/' };
    let (root, rest) = parts[0].split_at(root_length(parts[0]));
    let mut path = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
    path.extend(root.chars().map(|c| if c == '/' { separator } else { c }));
    let root = path.len();
    for part in [rest].iter().chain(&parts[1..]) {
        for component in part.split(|c| c == '/' || (is_windows && c == '\\')) {
            push(&mut path, root, component, separator);
        }
    }
    path
}

/// Appends one component; `root` is the length of what `..` cannot remove.
fn push(path: &mut String, root: usize, component: &str, separator: char) {
    let is_above = path[root..].rsplit(separator).next() == Some("..");
    match component {
        "" | "." => {}
        ".." if path.len() > root && !is_above => {
            let parent = path[root..].rfind(separator).map_or(root, |at| root + at);
            path.truncate(parent);
        }
        ".." if root > 0 => {}
        component => {
            if path.len() > root {
                path.push(separator);
            }
            path.push_str(component);
        }
    }
}

fn is_absolute(path: &str) -> bool {
    root_length(path) > 0
}

fn is_windows(path: &str) -> bool {
    has_drive(path) || path.starts_with("\\\\") || (path.contains('\\') && !path.contains('/'))
}

fn has_drive(path: &str) -> bool {
    matches!(path.as_bytes(), [drive, b':', b'/' | b'\\', ..] if drive.is_ascii_alphabetic())
}

/// Length of the part that makes a path absolute: `/`, `C:\`, `\\`.
fn root_length(path: &str) -> usize {
    match path.as_bytes() {
        [b'/', ..] => 1,
        [b'\\', b'\\', ..] => 2,
        _ if has_drive(path) => 3,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::full_path;

    #[track_caller]
    fn check(compilation_directory: &str, directory: &str, file: &str, expected: &str) {
        assert_eq!(full_path(compilation_directory, directory, file), expected);
    }

    #[test]
    fn parts_are_joined_and_dots_removed() {
        check("/src/app", "", "main.c", "/src/app/main.c");
        check("/src/app", "../lib", "./x.h", "/src/lib/x.h");
        check("/src/app", "/usr/include//c++", "vector", "/usr/include/c++/vector");
        check("/src/app", "lib", "/abs/y.c", "/abs/y.c");
        check("", "lib", "z.c", "lib/z.c");
        check("", "", "a/../b.c", "b.c");
        check(".", "", "b.c", "b.c");
        check("/", "../..", "b.c", "/b.c");
        check("", "../../lib", "../b.c", "../../b.c");
        check("", "", "", "");
    }

    #[test]
    fn windows_paths_keep_their_backslashes() {
        check("C:\\src", "lib", "z.cpp", "C:\\src\\lib\\z.cpp");
        check("C:\\src", "D:\\sdk", "..\\z.h", "D:\\z.h");
        check("C:/src", "lib\\a", "z.cpp", "C:\\src\\lib\\a\\z.cpp");
        check("\\\\server\\share", "a", "b.c", "\\\\server\\share\\a\\b.c");
    }

    #[test]
    fn backslash_in_a_unix_name_is_a_character() {
        check("/src", "", "od\\d.c", "/src/od\\d.c");
    }
}
