//! What commands print: aligned tables for people, JSON for scripts, errors on the other channel.

use std::io::Write as _;

use clap::Args;
use protocol::time::Timestamp;
use serde_json::{Map, Value};

use crate::error::{Context as _, Error, Result};

/// How to print.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Rows with named columns.
#[derive(Debug)]
pub(super) struct Table {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Table {
    /// Makes an empty table.
    pub(super) fn new(columns: &'static [&'static str]) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// Adds a row, a value per column.
    pub(super) fn row(mut self, values: Vec<Value>) -> Self {
        debug_assert_eq!(values.len(), self.columns.len());
        self.rows.push(values);
        self
    }

    /// Prints all rows: a list in JSON.
    pub(super) fn print(self, format: Format) -> Result<()> {
        if format.json {
            let rows = self.rows.into_iter().map(|row| object(self.columns, row)).collect();
            return print_json(&Value::Array(rows));
        }
        print(&self.text())
    }

    /// Prints the only row: an object in JSON.
    pub(super) fn print_one(mut self, format: Format) -> Result<()> {
        if !format.json {
            return print(&self.text());
        }
        match self.rows.pop() {
            Some(row) => print_json(&object(self.columns, row)),
            None => Ok(()),
        }
    }

    fn text(&self) -> String {
        let rows: Vec<Vec<String>> =
            self.rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let width = |column: usize| {
            let cells = rows.iter().map(|row| row[column].chars().count());
            cells.chain([self.columns[column].len()]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let header =
            self.columns.iter().map(|column| column.replace('_', " ").to_uppercase()).collect();
        let mut text = String::new();
        for row in [header].iter().chain(&rows) {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

/// Returns a value as a table shows it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn object(columns: &[&'static str], row: Vec<Value>) -> Value {
    let pairs = columns.iter().map(|column| (*column).to_owned()).zip(row);
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// Returns a time as commands show it.
pub(super) fn time(ms: i64) -> Value {
    Timestamp(ms).to_string().into()
}

/// Returns a time that may be missing.
pub(super) fn maybe_time(ms: Option<i64>) -> Value {
    ms.map_or(Value::Null, time)
}

fn print_json(value: &Value) -> Result<()> {
    print(&format!("{value:#}\n"))
}

/// Writes to the standard output.
pub(super) fn print(text: &str) -> Result<()> {
    let mut output = std::io::stdout().lock();
    output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush())
        .context("writing to the standard output")
}

/// Writes an error for a person.
pub(super) fn error(error: &Error) {
    // When even this cannot be written there is nobody to tell.
    let _ = writeln!(anstream::stderr(), "symbolist: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let table = Table::new(&["id", "name", "revoked_at"])
            .row(vec![1.into(), "first".into(), Value::Null])
            .row(vec![22.into(), "b".into(), time(0)]);
        assert_eq!(
            table.text(),
            "ID  NAME   REVOKED AT\n1   first  -\n22  b      1970-01-01T00:00:00.000Z\n"
        );
    }
}
