//! Runs one statement on a connection to SQLite.

use rusqlite::{CachedStatement, Connection};

use crate::db::engine::bind::Bind;
use crate::db::engine::failure::Failure;
use crate::db::engine::row::{FromRow, Row};
use crate::error::Error;

/// Where the values of a statement go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::db::engine) enum Order {
    /// By the number in their name, as a person writes them: `$2` may come first, or twice.
    Named,
    /// One after the other, as we write them ourselves for many rows.
    Sequential,
}

/// Runs a statement and returns how many rows it changed.
pub(in crate::db::engine) fn execute(
    connection: &Connection,
    sql: &str,
    order: Order,
    args: &[&dyn Bind],
) -> Result<u64, Failure> {
    let mut statement = prepare(connection, sql, order, args)?;
    Ok(statement.raw_execute()? as u64)
}

/// Runs a statement and returns at most `rows_max` of its rows.
pub(in crate::db::engine) fn rows<T: FromRow>(
    connection: &Connection,
    sql: &str,
    order: Order,
    args: &[&dyn Bind],
    rows_max: usize,
) -> Result<Vec<T>, Failure> {
    let mut statement = prepare(connection, sql, order, args)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while found.len() < rows_max
        && let Some(row) = rows.next()?
    {
        found.push(T::from_row(&Row::Lite(row))?);
    }
    Ok(found)
}

fn prepare<'c>(
    connection: &'c Connection,
    sql: &str,
    order: Order,
    args: &[&dyn Bind],
) -> Result<CachedStatement<'c>, Failure> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut used_count = 0;
    for index in 1..=statement.parameter_count() {
        // For SQLite `$1` is only a name: it numbers names by where they first stand.
        let number = match order {
            Order::Sequential => index,
            Order::Named => number_of(statement.parameter_name(index)).ok_or_else(|| {
                Error::internal(format!("placeholder {index} is not of the form $1: {sql}"))
            })?,
        };
        let arg = args.get(number - 1).ok_or_else(|| {
            Error::internal(format!("no value for ${number}, only {}: {sql}", args.len()))
        })?;
        statement.raw_bind_parameter(index, arg.value())?;
        used_count += 1;
    }
    // A value that nothing asks for is a mistake; PostgreSQL does not notice it.
    if used_count != args.len() {
        let message = format!("{} values for {used_count} placeholders: {sql}", args.len());
        return Err(Error::internal(message).into());
    }
    Ok(statement)
}

/// Returns the `1` of `$1`, counted from 1.
fn number_of(name: Option<&str>) -> Option<usize> {
    name?.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}
