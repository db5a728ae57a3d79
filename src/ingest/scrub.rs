//! Removes secrets and personal data before anything is kept. One list of field names and one of patterns;
//! both stand in `docs/scrubbing.md`.
//!
//! Never touched is what look-ups need: image ids and names, addresses, registers, paths, modules, debug
//! ids. Attachments are not scrubbed either.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, Match};
use protocol::event::Event;
use protocol::lenient::Object;
use protocol::stacktrace::Stacktrace;
use regex::{Captures, Regex};
use serde_json::Value;

/// What stands in place of a removed value.
pub(crate) const FILTERED: &str = "[Filtered]";

/// Deepest nesting that is looked into; below it (never after trimming) everything is removed.
const DEPTH_MAX: usize = 32;

/// Parts of field names whose values are secrets; compared in lower case without `-` and `_`.
pub(crate) const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "apikey",
    "auth",
    "credential",
    "mysqlpwd",
    "privatekey",
    "token",
    "bearer",
    "cookie",
    "session",
    "csrf",
    "xsrf",
    "signature",
    "accesskey",
    "cardnumber",
    "creditcard",
    "connectionstring",
    "databaseurl",
];

/// Words of field names whose values are secrets; too short to be looked for inside of other words
/// (`class_name` contains `ssn`).
pub(crate) const SECRET_WORDS: &[&str] = &["pwd", "cvv", "ssn", "iban", "dsn"];

/// Finds parts and words, the parts first.
static SECRET_PARTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::new(SECRET_NAMES.iter().chain(SECRET_WORDS)).expect("the patterns are constants")
});

/// How much of a name is looked at, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Names that contain such a part and are no secrets.
const HARMLESS_NAMES: &[&str] =
    &["author", "authority", "authors", "sessions", "tokens", "tokencount"];

/// Secrets by their look, wherever they stand. Groups `keep`/`after` frame what is removed.
static SECRET_VALUES: LazyLock<Regex> = LazyLock::new(|| {
    let parts = [
        // Our and Sentry's own tokens; sentry-cli's send-event uploads its whole environment.
        r"\bsntry[su]_[A-Za-z0-9+/=_-]{8,}",
        r"(?i)\b(?P<bearer>bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}",
        r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"\bgh[pousr]_[A-Za-z0-9]{20,}\b",
        r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        r"(?P<url>\b[a-zA-Z][a-zA-Z0-9+.-]*://)[^\s/@:'\x22]+:[^\s/@'\x22]+@",
        r"\b\d{3}-\d{2}-\d{4}\b",
        r"(?P<card>\b(?:\d[ -]?){12,18}\d\b)",
        r#"(?i)(?P<named>['"]?\b[\w.-]*(?:password|passwd|secret|api_?key|access_?token|auth_?token|private_?key)[\w.-]*['"]?\s*[:=]\s*)(?:\[Filtered\]|"[^"]*"|'[^']*'|[^\s,;&}\])]+)"#,
    ];
    Regex::new(&parts.join("|")).expect("the expression is a constant")
});

/// Removes secrets from an event.
pub(crate) fn scrub(event: &mut Event) {
    if let Some(entry) = &mut event.logentry {
        optional(&mut entry.message);
        optional(&mut entry.formatted);
        value(&mut entry.params, DEPTH_MAX);
    }
    for exception in &mut event.exception.values {
        optional(&mut exception.value);
        if let Some(mechanism) = &mut exception.mechanism {
            object(&mut mechanism.data, DEPTH_MAX);
            object(&mut mechanism.meta, DEPTH_MAX);
            optional(&mut mechanism.description);
        }
        trace(&mut exception.stacktrace);
    }
    trace(&mut event.stacktrace);
    event.threads.values.iter_mut().for_each(|thread| trace(&mut thread.stacktrace));
    for breadcrumb in &mut event.breadcrumbs.values {
        optional(&mut breadcrumb.message);
        object(&mut breadcrumb.data, DEPTH_MAX);
    }
    for (name, context) in event.contexts.iter_mut() {
        // Trace ids look like secrets and are what people search for.
        if name != "trace" {
            value(context, DEPTH_MAX);
        }
    }
    object(&mut event.extra, DEPTH_MAX);
    event.tags.iter_mut().for_each(|(name, value)| named_text(name, value));
    if let Some(user) = &mut event.user {
        object(&mut user.data, DEPTH_MAX);
    }
    optional(&mut event.transaction);
    // What was wrong with a field quotes the field.
    event.errors.iter_mut().for_each(|error| optional(&mut error.value));
    request(event);
}

fn request(event: &mut Event) {
    let Some(request) = &mut event.request else { return };
    optional(&mut request.url);
    optional(&mut request.fragment);
    value(&mut request.data, DEPTH_MAX);
    object(&mut request.env, DEPTH_MAX);
    for pairs in [&mut request.headers, &mut request.query_string] {
        pairs.iter_mut().for_each(|(name, value)| named_text(name, value));
    }
    // Every cookie may be a session.
    request.cookies.iter_mut().for_each(|(_, value)| *value = FILTERED.to_owned());
}

fn trace(trace: &mut Option<Stacktrace>) {
    for frame in trace.iter_mut().flat_map(|trace| &mut trace.frames) {
        object(&mut frame.vars, DEPTH_MAX);
    }
}

fn object(object: &mut Object, depth: usize) {
    for (name, field) in object.iter_mut() {
        if is_secret_name(name) && !field.is_null() {
            *field = Value::String(FILTERED.to_owned());
        } else {
            value(field, depth);
        }
    }
}

fn value(value: &mut Value, depth: usize) {
    match value {
        Value::Array(_) | Value::Object(_) if depth == 0 => {
            *value = Value::String(FILTERED.to_owned());
        }
        Value::String(content) => text(content),
        Value::Array(values) => values.iter_mut().for_each(|entry| self::value(entry, depth - 1)),
        Value::Object(fields) => object(fields, depth - 1),
        _ => {}
    }
}

fn named_text(name: &str, content: &mut String) {
    if is_secret_name(name) {
        FILTERED.clone_into(content);
    } else {
        text(content);
    }
}

fn optional(content: &mut Option<String>) {
    if let Some(content) = content {
        text(content);
    }
}

/// Replaces secrets inside a text.
fn text(content: &mut String) {
    // No pattern matches fewer characters.
    if content.len() < 8 {
        return;
    }
    let replaced = SECRET_VALUES.replace_all(content, |captures: &Captures<'_>| {
        if let Some(card) = captures.name("card")
            && !is_card_number(card.as_str())
        {
            return card.as_str().to_owned();
        }
        let kept = ["named", "url"].iter().find_map(|name| captures.name(name));
        let kept = kept.map(|kept| kept.as_str()).unwrap_or_default();
        let at = if captures.name("url").is_some() { "@" } else { "" };
        let scheme = captures.name("bearer").map(|scheme| format!("{} ", scheme.as_str()));
        format!("{kept}{}{FILTERED}{at}", scheme.unwrap_or_default())
    });
    if let std::borrow::Cow::Owned(replaced) = replaced {
        *content = replaced;
    }
}

/// Says whether a field of this name holds a secret.
fn is_secret_name(name: &str) -> bool {
    // Every field of every event comes by: nothing is allocated for the many harmless ones.
    let mut plain = [0; NAME_BYTES_MAX];
    let mut length = 0;
    for byte in name.bytes().filter(|byte| *byte != b'-' && *byte != b'_').take(NAME_BYTES_MAX) {
        plain[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let plain = &plain[..length];
    let is_word = |found: Match| found.pattern().as_usize() >= SECRET_NAMES.len();
    let mut found = SECRET_PARTS.find_overlapping_iter(plain);
    let is_suspect = match found.next() {
        None => return false,
        Some(first) => {
            !is_word(first) || found.any(|found| !is_word(found)) || has_secret_word(name)
        }
    };
    is_suspect && !HARMLESS_NAMES.iter().any(|harmless| harmless.as_bytes() == plain)
}

/// Looks at the words of `user_pwd`, `user-pwd`, `userPwd` and `USER_PWD`.
fn has_secret_word(name: &str) -> bool {
    let mut word = String::new();
    let mut was_lower = false;
    for c in name.chars().take(128).chain(std::iter::once('_')) {
        if !c.is_alphanumeric() || (was_lower && c.is_uppercase()) {
            if SECRET_WORDS.contains(&word.as_str()) {
                return true;
            }
            word.clear();
        }
        was_lower = c.is_lowercase();
        word.extend(c.is_alphanumeric().then(|| c.to_ascii_lowercase()));
    }
    false
}

/// Luhn's check over 13 to 19 digits: order numbers and times pass one in ten, so length and first digit
/// must fit as well.
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) || !matches!(digits[0], 2..=6) {
        return false;
    }
    let luhn = |(place, digit): (usize, &u32)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, doubled) => doubled / 10 + doubled % 10,
    };
    digits.iter().rev().enumerate().map(luhn).sum::<u32>() % 10 == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(before: &str, after: &str) {
        let mut content = before.to_owned();
        text(&mut content);
        assert_eq!(content, after);
    }

    #[test]
    fn secrets_are_found_by_their_look() {
        check("token sntrys_eyJpYXQiOjE3_abcdefgh used", "token [Filtered] used");
        check("Authorization: Bearer abcdef1234567", "Authorization: Bearer [Filtered]");
        check("postgres://app:hunter2@db/x", "postgres://[Filtered]@db/x");
        check("paid with 4111 1111 1111 1111.", "paid with [Filtered].");
        check("{'password': 'hun ter2', 'n': 1}", "{'password': [Filtered], 'n': 1}");
        check("client_secret=abc&x=1", "client_secret=[Filtered]&x=1");
        check("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "[Filtered]");
    }

    #[test]
    fn ordinary_text_stays() {
        for text in [
            "index out of bounds: the len is 0 but the index is 3",
            "order 4111111111111112 at 2026-11-21",
            "see https://example.com/a:b@c for the author",
            "9ec79c33-ec99-42ab-8353-589fcb2e04dc",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn fields_are_found_by_their_name_at_any_depth() {
        let event = json!({
            "extra": {"environ": {"SENTRY_AUTH_TOKEN": "x", "PATH": "/bin"}, "author": "ann"},
            "request": {"headers": {"X-Api-Key": "k", "Host": "h"}, "cookies": "a=b", "data": {"user": [{"pwd": "p"}]}},
            "exception": [{"type": "E", "stacktrace": {"frames": [
                {"function": "f", "abs_path": "/srv/token.py", "vars": {"password": "p", "n": "1"}}]}}],
        });
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        scrub(&mut event);
        assert_eq!(
            event.extra,
            *json!({"environ": {"SENTRY_AUTH_TOKEN": FILTERED, "PATH": "/bin"}, "author": "ann"})
                .as_object()
                .unwrap()
        );
        let request = event.request.unwrap();
        assert_eq!(request.headers[1].1, FILTERED);
        assert_eq!(request.cookies[0].1, FILTERED);
        assert_eq!(request.data["user"][0]["pwd"], FILTERED);
        let frame = &event.exception.values[0].stacktrace.as_ref().unwrap().frames[0];
        assert_eq!(frame.vars["password"], FILTERED);
        assert_eq!(frame.abs_path.as_deref(), Some("/srv/token.py"));
    }

    #[test]
    fn short_words_are_secrets_only_as_words() {
        for name in ["ssn", "user_ssn", "SENTRY_DSN", "sentryDsn", "user-pwd", "dbPassword", "IBAN"]
        {
            assert!(is_secret_name(name), "{name}");
        }
        for name in
            ["class_name", "className", "processName", "business_number", "taliban", "author"]
        {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn notes_about_bad_fields_quote_no_secret() {
        let event = json!({"user": {"id": {"password": "hunter22"}}, "transaction": "GET /?api_key=abcdef"});
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        scrub(&mut event);
        let text = serde_json::to_string(&event).unwrap();
        assert!(!text.contains("hunter22") && !text.contains("abcdef"), "{text}");
    }

    #[test]
    fn long_texts_are_scrubbed_in_linear_time() {
        let started = std::time::Instant::now();
        for unit in
            ["a", "a=", "password", "4 ", "http://a:", "-----BEGIN PRIVATE KEY-----", "\\\"x"]
        {
            text(&mut unit.repeat((256 << 10) / unit.len()));
        }
        // Unoptimized; what backtracks would take hours.
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    #[test]
    fn scrubbing_twice_changes_nothing() {
        let event = json!({"message": "password: hunter22 and Basic dXNlcjpwYXNz", "extra": {"a": "secret = 'x y z'"}});
        let mut event = Event::from_json(event.to_string().as_bytes()).unwrap();
        scrub(&mut event);
        let once = event.clone();
        scrub(&mut event);
        assert_eq!(event, once);
    }
}
