//! Runs one statement on a connection to PostgreSQL.

use sqlx::PgConnection;
use sqlx::postgres::PgArguments;

use crate::db::engine::bind::Bind;
use crate::db::engine::failure::Failure;
use crate::db::engine::row::{FromRow, Row};
use crate::error::Error;

/// Runs a statement and returns how many rows it changed.
pub(in crate::db::engine) async fn execute(
    connection: &mut PgConnection,
    sql: &'static str,
    arguments: PgArguments,
) -> Result<u64, Failure> {
    let done = sqlx::query_with(sql, arguments).execute(connection).await?;
    Ok(done.rows_affected())
}

/// Runs a statement and returns its rows.
pub(in crate::db::engine) async fn rows<T: FromRow>(
    connection: &mut PgConnection,
    sql: &'static str,
    arguments: PgArguments,
) -> Result<Vec<T>, Failure> {
    let rows = sqlx::query_with(sql, arguments).fetch_all(connection).await?;
    rows.iter().map(|row| T::from_row(&Row::Pg(row)).map_err(Failure::from)).collect()
}

/// Returns the values as the driver wants them.
pub(in crate::db::engine) fn arguments(args: &[&dyn Bind]) -> Result<PgArguments, Failure> {
    let mut arguments = PgArguments::default();
    for arg in args {
        arg.value()
            .add_to(&mut arguments)
            .map_err(|error| Error::internal(format!("could not encode a value: {error}")))?;
    }
    Ok(arguments)
}
