//! Texts that insert many rows at once, the same for both engines.
//!
//! `VALUES ($1, …), (…), …` in chunks of 2^k rows: a text is made once per statement and k and kept for
//! the life of the process, so it is `'static` like every other statement and stays prepared. Their
//! number is bounded by the statements in the source times nine.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{LazyLock, Mutex, PoisonError};

/// Rows in the largest chunk. More gain nothing: 256 and 1,024 rows cost the same per row.
const CHUNK_ROWS_MAX: usize = 256;
/// Placeholders in one statement: SQLite's default limit (`SQLITE_MAX_VARIABLE_NUMBER`); PostgreSQL
/// allows 65,535.
const PLACEHOLDERS_MAX: usize = 32_766;

/// Head, tail, columns, rows.
type Key = (&'static str, &'static str, usize, usize);

static TEXTS: LazyLock<Mutex<HashMap<Key, &'static str>>> = LazyLock::new(Mutex::default);

/// Cuts rows into chunks whose sizes are powers of two, largest first.
pub(super) fn chunks<R, const N: usize>(mut rows: &[[R; N]]) -> impl Iterator<Item = &[[R; N]]> {
    let rows_max = CHUNK_ROWS_MAX.min(largest_power_of_two(PLACEHOLDERS_MAX / N.max(1)));
    std::iter::from_fn(move || {
        let length = rows_max.min(largest_power_of_two(rows.len()));
        let (chunk, rest) = rows.split_at(length);
        rows = rest;
        (length > 0).then_some(chunk)
    })
}

/// Returns the statement for `row_count` rows of `column_count` values.
pub(super) fn text(
    head: &'static str,
    tail: &'static str,
    column_count: usize,
    row_count: usize,
) -> &'static str {
    let mut texts = TEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    texts
        .entry((head, tail, column_count, row_count))
        .or_insert_with(|| compose(head, tail, column_count, row_count).leak())
}

fn compose(head: &str, tail: &str, column_count: usize, row_count: usize) -> String {
    let mut sql = String::from(head);
    for row in 0..row_count {
        for column in 0..column_count {
            let before = match (row, column) {
                (0, 0) => " (",
                (_, 0) => "), (",
                _ => ", ",
            };
            let number = row * column_count + column + 1;
            // Writing to a String cannot fail.
            let _ = write!(sql, "{before}${number}");
        }
    }
    sql.push_str(") ");
    sql.push_str(tail);
    sql
}

/// Returns the largest power of two that is not larger than `number`; 0 for 0.
fn largest_power_of_two(number: usize) -> usize {
    number.checked_ilog2().map_or(0, |exponent| 1 << exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(row_count: usize, expected: &[usize]) {
        let rows = vec![[0u8; 3]; row_count];
        assert_eq!(chunks(&rows).map(<[_]>::len).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn no_row_makes_no_statement() {
        check(0, &[]);
    }

    #[test]
    fn chunks_are_powers_of_two() {
        check(7, &[4, 2, 1]);
        check(600, &[256, 256, 64, 16, 8]);
    }

    #[test]
    fn wide_rows_make_smaller_chunks() {
        let rows = vec![[0u8; 200]; 300];
        assert_eq!(chunks(&rows).next().map(<[_]>::len), Some(128));
    }

    #[test]
    fn placeholders_are_numbered_through() {
        let sql = text("INSERT INTO t (a, b) VALUES", "ON CONFLICT DO NOTHING", 2, 2);
        assert_eq!(sql, "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING");
    }

    #[test]
    fn a_text_is_made_once() {
        let first = text("INSERT INTO u (a) VALUES", "", 1, 4);
        assert!(std::ptr::eq(first, text("INSERT INTO u (a) VALUES", "", 1, 4)));
    }
}
