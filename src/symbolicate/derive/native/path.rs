//! Full source paths: compilation directory, directory and file joined, dots removed.

use symbolic::common::{clean_path, join_path};

/// Joins what a line program says about a file.
///
/// Each part may be absolute and then makes those before it void. Windows paths keep their backslashes.
pub(super) fn full_path(compilation_directory: &str, directory: &str, file: &str) -> String {
    let path = join_path(&join_path(compilation_directory, directory), file);
    clean_path(&path).into_owned()
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
    }

    #[test]
    fn windows_paths_keep_their_backslashes() {
        check("C:\\src", "lib", "z.cpp", "C:\\src\\lib\\z.cpp");
        check("C:\\src", "D:\\sdk", "..\\z.h", "D:\\z.h");
    }
}
