//! A Rust source as the checks see it: comments, the insides of strings and test code are blank, and lines
//! stay where they are.

/// A source file.
pub(crate) struct Source {
    /// Its path in the checkout.
    pub(crate) path: String,
    /// Its code; as many lines as the file has.
    pub(crate) code: String,
    /// Lines that are not test code, comments included.
    pub(crate) lines: usize,
}

impl Source {
    /// Reads `text` as Rust.
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let (code, tests) = without_tests(&without_text(text));
        Self { path: path.to_owned(), code, lines: text.lines().count() - tests }
    }

    /// Returns the code without white space, so that a call is found however it is broken into lines.
    pub(crate) fn squeezed(&self) -> String {
        self.code.chars().filter(|c| !c.is_whitespace()).collect()
    }

    /// Returns the line of a place in the code, counted from 1.
    pub(crate) fn line(&self, place: usize) -> usize {
        self.code[..place].matches('\n').count() + 1
    }

    /// Returns the places where `word` stands as a word of its own.
    pub(crate) fn places_of(&self, word: &str) -> Vec<usize> {
        let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let places = self.code.match_indices(word).map(|(place, _)| place);
        places
            .filter(|place| {
                !is_part(self.code[..*place].chars().next_back())
                    && !is_part(self.code[place + word.len()..].chars().next())
            })
            .collect()
    }
}

/// Says whether a file holds only tests.
pub(crate) fn is_test_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    path.contains("/tests/")
        || path.contains("/fuzz/")
        || name.starts_with("tests")
        || name == "testing.rs"
}

/// Returns the files that a source declares as `#[cfg(test)] mod name;`.
pub(crate) fn test_modules(path: &str, text: &str) -> Vec<String> {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let folder = match file.trim_end_matches(".rs") {
        "mod" | "lib" | "main" => folder.to_owned(),
        stem => format!("{folder}/{stem}"),
    };
    let after = text.split("#[cfg(test)]").skip(1);
    let declared = after.filter_map(|rest| {
        let rest = rest.trim_start().trim_start_matches("pub(crate) ");
        Some(rest.strip_prefix("mod ")?.split_once(';')?.0)
    });
    let names = declared.filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'));
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

/// Blanks comments and the insides of string and character literals.
fn without_text(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_in_word =
            blanked.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            '"' => string(rest),
            'r' | 'b' | 'c' if !is_in_word => raw_string(rest),
            '\'' => character(rest),
            _ => 0,
        };
        if length == 0 {
            blanked.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (blank, after) = rest.split_at(length);
        blanked.extend(blank.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    blanked
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut place = 0;
    while place < text.len() {
        if text[place..].starts_with("/*") {
            depth += 1;
            place += 2;
        } else if text[place..].starts_with("*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += text[place..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut is_escaped = false;
    for (place, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Length of `r"…"`, `r#"…"#`, `br"…"`…; 0 where there is none. `b"…"` is left to [`string`].
fn raw_string(text: &str) -> usize {
    let marks = text.trim_start_matches(['b', 'c']);
    let Some(marks) = marks.strip_prefix('r') else { return 0 };
    let hashes = marks.len() - marks.trim_start_matches('#').len();
    let Some(inside) = marks[hashes..].strip_prefix('"') else { return 0 };
    let end = format!("\"{}", "#".repeat(hashes));
    let head = text.len() - inside.len();
    inside.find(&end).map_or(text.len(), |place| head + place + end.len())
}

/// Length of a character literal; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut characters = text.char_indices().skip(1);
    match characters.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |place| 3 + place + 1),
        Some(_) => match characters.next() {
            Some((place, '\'')) => place + 1,
            _ => 0,
        },
        None => 0,
    }
}

/// Blanks what stands below `#[cfg(test)]`, and returns how many lines that were.
fn without_tests(code: &str) -> (String, usize) {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    let mut lines = 0;
    while let Some(place) = rest.find(MARK) {
        let (before, tests) = rest.split_at(place);
        kept.push_str(before);
        let (tests, after) = tests.split_at(item_length(tests));
        let newlines = tests.matches('\n').count();
        lines += newlines + 1;
        kept.extend(std::iter::repeat_n('\n', newlines));
        rest = after;
    }
    kept.push_str(rest);
    (kept, lines)
}

/// Length of what an attribute stands at: up to its `;`, its `,` (a variant, an arm) or the end of its block.
fn item_length(code: &str) -> usize {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (place, c) in code.char_indices() {
        match c {
            '{' if depth == 0 => return place + block_length(&code[place..]),
            ';' | ',' if depth == 0 => return place + 1,
            '}' if depth == 0 => return place,
            '(' | '[' | '<' => depth += 1,
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    code.len()
}

/// Length of a block that begins with `{`, its `}` included.
pub(crate) fn block_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (place, c) in code.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return place + 1;
        }
    }
    code.len()
}

#[test]
fn comments_strings_and_tests_are_blank() {
    let text = "fn a<'x>(c: &'x str) { b(\"crate::no\", 'c', '\\'', b\"x\"); } // crate::no\n\
                /* crate::no /* nested */ crate::no */ r#\"crate::\"no\"#; \"a\\\"crate::no\"\n\
                #[cfg(test)]\nmod tests {\n    use crate::no;\n}\nfn last() {}";
    let source = Source::new("src/a.rs", text);
    assert!(!source.code.contains("no"), "{}", source.code);
    assert!(source.code.contains("fn a<'x>(c: &'x str) { b("), "{}", source.code);
    assert_eq!(source.code.lines().count(), 7);
    assert_eq!(source.lines, 3);
    assert_eq!(source.line(source.places_of("last")[0]), 7);
}

#[test]
fn a_test_module_in_its_own_file_ends_at_its_semicolon() {
    let source = Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\nfn kept() {}\n");
    assert!(source.code.contains("kept"));
    let code = "enum E {\n    A,\n    #[cfg(test)]\n    B(u8, u8),\n    C\n}\n\
                #[cfg(test)]\nfn gone(a: &[u8; 2]) -> Result<A, B> { gone }\nfn kept() {}";
    let source = Source::new("src/a.rs", code);
    assert!(source.code.contains("C") && source.code.contains("kept"), "{}", source.code);
    assert!(!source.code.contains("B") && !source.code.contains("gone"), "{}", source.code);
    assert!(
        is_test_file("src/db/engine/tests_kill.rs")
            && is_test_file("src/symbolicate/js/tests/demo.rs")
    );
    assert!(!is_test_file("src/ingest/digest.rs"));
}

#[test]
fn files_of_test_modules_are_known() {
    let text = "#[cfg(test)]\npub(crate) mod markup;\nmod a;\n#[cfg(test)]\nmod tests { mod b; }\n#[cfg(test)]\nuse a;\nmod c;";
    assert_eq!(test_modules("src/pages/lib.rs", text), ["src/pages/markup.rs"]);
    assert_eq!(test_modules("src/ingest/keep.rs", "#[cfg(test)] mod b;"), ["src/ingest/keep/b.rs"]);
}

#[test]
fn words_are_found_as_words() {
    let source = Source::new("src/a.rs", "sqlx::x; my_sqlx; sqlxy; sqlx;");
    assert_eq!(source.places_of("sqlx").len(), 2);
}
