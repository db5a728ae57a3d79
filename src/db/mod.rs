//! Every SQL statement of the server, one file per table, over one small layer for two engines.
//!
//! Callers name the layer by its own path (`crate::db::engine::Tx`): nothing is re-exported.

pub(crate) mod engine;

pub(crate) mod accepted;
pub(crate) mod attachment;
pub(crate) mod event;
pub(crate) mod issue;
pub(crate) mod issue_count;
pub(crate) mod missing_file;
pub(crate) mod outcome;
