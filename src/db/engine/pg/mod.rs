//! PostgreSQL: two pools, one that writes and one that only reads.

pub(super) mod migrate;
mod options;
pub(super) mod statement;
mod store;

pub(super) use store::Store;
