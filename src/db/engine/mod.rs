//! The layer between the statements of `db/` and two engines: one text, one async body, SQLite or PostgreSQL.
//!
//! `Db::write` and `Db::read` run a body over [`Tx`] in a transaction. On SQLite a write joins the writer
//! thread's next group commit and the body is polled once, so it must await nothing but the database; on
//! PostgreSQL it is a transaction on a pool, run again after a deadlock. This is the only place that names
//! a driver.
//!
//! What a body may not do, because the engines differ: catch a failed statement and go on (use
//! `ON CONFLICT`); give two rows of one multi-row upsert the same key; rely on `greatest`/`least` (use
//! `CASE`) or on the order of text, unless its column is declared with `COLLATE "C"` on PostgreSQL; compare in the list of columns (`BOOLEAN` there,
//! a number here: use `CASE`); sum without `CAST(sum(x) AS BIGINT)`.

mod bind;
mod body;
mod database;
mod dialect;
mod failure;
mod folder_lock;
mod foreign;
mod group;
mod insert_many;
mod lite;
mod migrations;
mod pg;
mod protocol_types;
mod row;
mod tx;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests_basics;
#[cfg(test)]
mod tests_history;
#[cfg(test)]
mod tests_kill;
#[cfg(test)]
mod tests_migrations;
#[cfg(test)]
mod tests_postgres;
#[cfg(test)]
mod tests_sqlite;
#[cfg(test)]
mod tests_transactions;

pub(crate) use bind::{Bind, Kind, Value};
pub(crate) use body::BoxFuture;
pub(crate) use database::{DatabaseUrl, Db, Options};
pub(crate) use dialect::Dialect;
pub(crate) use group::Group;
#[cfg(test)]
pub(crate) use migrations::{MIGRATIONS, Migration};
pub(crate) use row::{FromColumn, FromRow, Row, from_row};
pub(crate) use tx::Tx;
