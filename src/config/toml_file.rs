//! The configuration file: its values by dotted key, each with its line.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::problem::Problem;
use super::settings::{Given, Source};

/// How large a configuration file may be, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Reads a file into dotted keys and the text of their values; lists are joined by commas.
pub(super) fn read(path: &Path) -> Result<Vec<(String, Given)>, Problem> {
    let problem =
        |line, text| Problem { source: Source::File { path: path.to_owned(), line }, text };
    let size = std::fs::metadata(path).map(|file| file.len());
    if size.is_ok_and(|size| size > FILE_BYTES_MAX) {
        return Err(problem(0, format!("is larger than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path)
        .map_err(|error| problem(0, format!("cannot be read: {error}")))?;
    let table = DeTable::parse(&text).map_err(|error| {
        let line = error.span().map_or(0, |span| line_of(&text, span.start));
        problem(line, error.message().to_owned())
    })?;
    let mut values = Vec::new();
    collect(table.get_ref(), "", &mut |key, value, start| {
        let source = Source::File { path: path.to_owned(), line: line_of(&text, start) };
        values.push((key, Given { text: value, source }));
    });
    Ok(values)
}

/// Calls `found` with key, text and byte position of every value that is not a table.
fn collect(table: &DeTable<'_>, prefix: &str, found: &mut impl FnMut(String, String, usize)) {
    for (key, value) in table {
        let name = key.get_ref();
        let path = if prefix.is_empty() { name.to_string() } else { format!("{prefix}.{name}") };
        match value.get_ref() {
            DeValue::Table(table) => collect(table, &path, found),
            value => found(path, text_of(value), key.span().start),
        }
    }
}

/// Returns a value as a variable of the environment would say it.
fn text_of(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        DeValue::Array(values) => {
            let texts: Vec<String> = values.iter().map(|value| text_of(value.get_ref())).collect();
            texts.join(",")
        }
        DeValue::Table(_) => "a table".to_owned(),
    }
}

/// Returns the line of a byte position, counted from 1.
fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}
