//! SQLite: one writer thread with group commit, a few reader threads, one thread that checkpoints.

mod checkpoint;
pub(super) mod connection;
mod job;
pub(super) mod migrate;
mod queue;
mod reader;
pub(super) mod statement;
mod store;
mod writer;

pub(super) use store::Store;
