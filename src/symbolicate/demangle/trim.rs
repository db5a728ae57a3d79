//! Shortens a demangled name to what tells functions apart for a person.
//!
//! In the spirit of Sentry's `trim_function_name`: no return type, no parameters, `<T>` for template
//! arguments. Unlike it, Rust's `<Type as Trait>::method` stays whole, since the type is the better half.

use std::borrow::Cow;

/// Spellings of operators that contain brackets or would be taken for them; longest first.
const OPERATORS: [&str; 16] = [
    "<=>", "<<=", ">>=", "->*", "()", "[]", "->", "<<", ">>", "<=", ">=", "<", ">", ",", "&&", "&",
];

/// Words that may follow a parameter list.
const QUALIFIERS: [&str; 6] = ["const", "volatile", "noexcept", "restrict", "&&", "&"];

/// Suffixes that compilers give to parts and copies of a function.
const CLONES: [&str; 6] = [".cold", ".part", ".isra", ".constprop", ".lto_priv", ".llvm"];

/// Returns the short form of a demangled name: `int ns::f<int>(char) const` becomes `ns::f<T>`.
///
/// A name whose brackets do not match, and Objective-C's, are returned as they are.
pub fn trim(name: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':';
    if name.bytes().all(is_plain) && !name.contains("::h") {
        return Cow::Borrowed(name);
    }
    if ["[", "+[", "-[", "<redacted>", "<unknown>"].iter().any(|start| name.starts_with(start)) {
        return Cow::Borrowed(name);
    }
    let bare = without_suffixes(name);
    let mut trimmer = Trimmer {
        rest: bare,
        trimmed: String::with_capacity(bare.len()),
        follows_parameters: false,
    };
    match trimmer.run() {
        Some(()) if !trimmer.trimmed.is_empty() => Cow::Owned(trimmer.trimmed),
        _ => Cow::Borrowed(name),
    }
}

struct Trimmer<'a> {
    rest: &'a str,
    trimmed: String,
    follows_parameters: bool,
}

impl<'a> Trimmer<'a> {
    /// Consumes the name; `None` if its brackets do not match.
    fn run(&mut self) -> Option<()> {
        while let Some(next) = self.rest.chars().next() {
            match next {
                ' ' => self.space(),
                '(' => self.parenthesis()?,
                '<' => self.angle()?,
                '{' => self.brace()?,
                '[' => self.bracket()?,
                '`' | '\'' => self.quote(),
                '$' if self.rest.starts_with("$_") && self.is_at_segment_start() => {
                    self.numbered_lambda();
                }
                '?' if self.rest.starts_with("?A0x") => self.hashed_namespace(),
                'o' if self.is_at_operator() => self.operator(),
                other => self.keep(other.len_utf8()),
            }
        }
        Some(())
    }

    /// Copies the next `length` bytes.
    fn keep(&mut self, length: usize) {
        let (kept, rest) = self.rest.split_at(length);
        self.trimmed.push_str(kept);
        self.rest = rest;
        self.follows_parameters = false;
    }

    /// Replaces the next `length` bytes.
    fn replace(&mut self, length: usize, with: &str) {
        self.rest = &self.rest[length..];
        self.trimmed.push_str(with);
        self.follows_parameters = false;
    }

    /// A space ends a return type, unless it only sets off what qualifies the name before it.
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches(' ');
        if self.rest.starts_with("[clone ") || self.rest.starts_with("(.") {
            self.rest = "";
            return;
        }
        // `operator<< <char>` and `operator< (A, B)` are one name each.
        if self.rest.starts_with(['<', '('])
            && self.trimmed.ends_with(['<', '>', '=', '-', '+', ')', ']'])
        {
            return;
        }
        if self.follows_parameters
            && let Some(qualifier) = QUALIFIERS.iter().find(|word| self.rest.starts_with(**word))
        {
            self.rest = &self.rest[qualifier.len()..];
            return;
        }
        if !self.rest.is_empty() {
            self.trimmed.clear();
            self.follows_parameters = false;
        }
    }

    fn parenthesis(&mut self) -> Option<()> {
        let length = balanced(self.rest)?;
        // `(anonymous namespace)` is a name, and `(*Server)` a receiver in Go.
        if self.rest.starts_with("(anonymous ") || self.trimmed.ends_with('.') {
            self.keep(length);
        } else {
            self.rest = &self.rest[length..];
            self.follows_parameters = true;
        }
        Some(())
    }

    fn angle(&mut self) -> Option<()> {
        let length = balanced(self.rest)?;
        if self.rest.starts_with("<lambda") {
            self.replace(length, "lambda");
        } else if self.trimmed.is_empty() || self.rest.starts_with("<impl ") {
            self.keep(length);
        } else if self.trimmed.ends_with("::") {
            // Rust's generic arguments of a function; the legacy mangling does not have them.
            self.trimmed.truncate(self.trimmed.len() - 2);
            self.replace(length, "");
        } else {
            self.replace(length, "<T>");
        }
        Some(())
    }

    fn brace(&mut self) -> Option<()> {
        let length = balanced(self.rest)?;
        if self.rest.starts_with("{lambda(") {
            self.replace(length, "lambda");
        } else {
            self.keep(length);
        }
        Some(())
    }

    fn bracket(&mut self) -> Option<()> {
        let length = balanced(self.rest)?;
        if self.rest.starts_with("[abi:") {
            self.replace(length, "");
        } else {
            self.keep(length);
        }
        Some(())
    }

    /// MSVC quotes with `` `…' ``, LLVM with `'…'`.
    fn quote(&mut self) {
        let Some(end) = self.rest[1..].find('\'') else {
            return self.keep(1);
        };
        let (quoted, length) = (&self.rest[1..=end], end + 2);
        if quoted == "anonymous namespace" || quoted == "anonymous-namespace" {
            self.replace(length, "(anonymous namespace)");
        } else if quoted.starts_with("lambda") {
            self.replace(length, "lambda");
        } else {
            self.keep(length);
        }
    }

    fn numbered_lambda(&mut self) {
        let digits = self.rest[2..].bytes().take_while(u8::is_ascii_digit).count();
        self.replace(2 + digits, "lambda");
    }

    fn hashed_namespace(&mut self) {
        let digits = self.rest[4..].bytes().take_while(u8::is_ascii_hexdigit).count();
        self.replace(4 + digits, "(anonymous namespace)");
    }

    fn is_at_segment_start(&self) -> bool {
        self.trimmed.is_empty() || self.trimmed.ends_with([':', ' '])
    }

    fn is_at_operator(&self) -> bool {
        let Some(after) = self.rest.strip_prefix("operator") else {
            return false;
        };
        self.is_at_segment_start()
            && after.starts_with(|c: char| !c.is_alphanumeric() && c != '_' && c != ':')
    }

    fn operator(&mut self) {
        self.keep("operator".len());
        if let Some(operator) = OPERATORS.iter().find(|operator| self.rest.starts_with(**operator))
        {
            self.keep(operator.len());
        } else if self.rest.starts_with([' ', '"']) {
            // A conversion, `new`, `delete` or a literal suffix: all up to the parameters is the name.
            let end = self.rest.find('(').unwrap_or(self.rest.len());
            self.keep(end);
        }
    }
}

/// Returns the length of the bracketed text at the start of `text`; `None` if it does not end.
fn balanced(text: &str) -> Option<usize> {
    let mut open: Vec<u8> = Vec::new();
    let bytes = text.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => open.push(*byte),
            b'<' if !text[..at].ends_with("operator") && !text[..at].ends_with("operator<") => {
                open.push(b'<');
            }
            b')' => close(&mut open, b'(')?,
            b']' => close(&mut open, b'[')?,
            b'}' => close(&mut open, b'{')?,
            // Not a bracket: `->`, and comparisons within parentheses.
            b'>' if open.last() == Some(&b'<') && (at == 0 || bytes[at - 1] != b'-') => {
                open.pop();
            }
            _ => {}
        }
        if open.is_empty() {
            return Some(at + 1);
        }
    }
    None
}

/// Closes the innermost `bracket`; a `<` left open within it was a comparison.
fn close(open: &mut Vec<u8>, bracket: u8) -> Option<()> {
    while open.pop()? != bracket {}
    Some(())
}

/// Removes Rust's hash, the version of a dynamic symbol, and marks of copies.
fn without_suffixes(name: &str) -> &str {
    let name = if name.contains('@') { without_version(name) } else { name };
    let name = if name.contains('.') { without_clone_marks(name) } else { name };
    without_hash(name)
}

/// Removes the version of a dynamic symbol and the size that `__stdcall` and `__fastcall` names end with.
fn without_version(name: &str) -> &str {
    if let Some(at) = name.find("@@").or_else(|| name.find("@GLIBC")).filter(|at| *at > 0) {
        return &name[..at];
    }
    match name.rsplit_once('@') {
        Some((rest, bytes))
            if !bytes.is_empty() && bytes.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            rest.strip_prefix('@').unwrap_or(rest)
        }
        _ => name,
    }
}

fn without_clone_marks(name: &str) -> &str {
    let start =
        |mark: &&str| name.find(*mark).filter(|at| *at > 0 && is_clone_suffix(&name[at + 1..]));
    CLONES.iter().filter_map(start).min().map_or(name, |at| &name[..at])
}

/// Says whether the text is only words, numbers and dots, as in `part.0.cold`.
fn is_clone_suffix(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_')
}

/// Removes the `::h` and 16 digits at the end of a legacy Rust name.
fn without_hash(name: &str) -> &str {
    match name.rsplit_once("::h") {
        Some((rest, hash))
            if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
        {
            rest
        }
        _ => name,
    }
}
