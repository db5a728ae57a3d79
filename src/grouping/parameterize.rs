//! Replaces what varies in a message by a name, so that messages of one kind share a fingerprint.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Longest message that is looked at, in bytes; longer ones are cut first.
const MESSAGE_BYTES_MAX: usize = 8_192;

/// One alternation; the first name that matches at a place wins, so order is priority.
static VARYING: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
        r"(?P<url>\b(?:wss?|https?|ftp|file)://[^\s'\x22<>]+)",
        r"(?P<ip>\b(?:\d{1,3}\.){3}\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b)",
        r"(?P<traceparent>\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b)",
        r"(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)",
        r"(?P<sha1>\b[0-9a-fA-F]{40}\b)",
        r"(?P<md5>\b[0-9a-fA-F]{32}\b)",
        r"(?P<date>\b\d{4}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b|\b[0-2]\d:[0-5]\d:[0-5]\d\b)",
        r"(?P<duration>\b\d+(?:\.\d+)?(?:ms|s)\b)",
        r"(?P<hex>\b0[xX][0-9a-fA-F]+\b|\b(?:[0-9a-f]{8,128}|[0-9A-F]{8,128})\b)",
        r"(?P<float>-?\b\d+\.\d+\b)",
        r"(?P<int>\b\d{1,7}\b)",
    ];
    Regex::new(&parts.join("|")).expect("the expression is a constant")
});

/// Returns the first two non-blank lines with everything that varies replaced by `<name>`.
pub(crate) fn parameterize(message: &str) -> String {
    let end = message.floor_char_boundary(MESSAGE_BYTES_MAX);
    let lines: Vec<&str> =
        message[..end].lines().filter(|line| !line.trim().is_empty()).take(2).collect();
    let text = lines.join("\n");
    let replace = |captures: &Captures<'_>| {
        let names = VARYING.capture_names().flatten();
        let name = names.into_iter().find(|name| captures.name(name).is_some());
        // Look-around is not to be had: a word of letters only ("feedbeef") is no number.
        if !captures[0].bytes().any(|byte| byte.is_ascii_digit()) && name == Some("hex") {
            return captures[0].to_owned();
        }
        format!("<{}>", name.unwrap_or("value"))
    };
    VARYING.replace_all(&text, replace).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(message: &str, expected: &str) {
        assert_eq!(parameterize(message), expected);
    }

    #[test]
    fn what_varies_is_named() {
        check("user a@b.example failed 3 times", "user <email> failed <int> times");
        check("GET https://h/x?y=1 took 12ms", "GET <url> took <duration>");
        check("no route to 10.0.0.1:80", "no route to <ip>:<int>");
        check("id 9ec79c33-ec99-42ab-8353-589fcb2e04dc", "id <uuid>");
        check("at 2026-11-21T01:55:27.147Z", "at <date>");
        check("address 0x7ffe12ab, ratio 0.25", "address <hex>, ratio <float>");
        check("order 123456789 of deadbeef0", "order <hex> of <hex>");
    }

    #[test]
    fn words_stay() {
        check(
            "index out of bounds: the len is 0 but the index is 3",
            "index out of bounds: the len is <int> but the index is <int>",
        );
        check("feedback added by decade", "feedback added by decade");
        check("\n\none\n\ntwo\nthree", "one\ntwo");
    }
}
