//! Every SQL statement of the server, one file per table, over one small layer for two engines.
//!
//! Callers name the layer by its own path (`crate::db::engine::Tx`): nothing is re-exported.

pub(crate) mod engine;

pub(crate) mod accepted;
pub(crate) mod artifact_bundle;
pub(crate) mod attachment;
pub(crate) mod blob_garbage;
pub(crate) mod chunk;
pub(crate) mod consistency;
pub(crate) mod debug_file;
pub(crate) mod derive_failure;
pub(crate) mod dictionary;
pub(crate) mod event;
pub(crate) mod file_key;
mod hash;
pub(crate) mod issue;
pub(crate) mod issue_count;
pub(crate) mod issue_journal;
pub(crate) mod issue_redirect;
pub(crate) mod issue_search;
pub(crate) mod job;
pub(crate) mod missing_file;
pub(crate) mod missing_key;
pub(crate) mod organization;
pub(crate) mod outcome;
pub(crate) mod project;
pub(crate) mod project_key;
pub(crate) mod redigest;
pub(crate) mod redigest_run;
pub(crate) mod release;
pub(crate) mod retention;
pub(crate) mod secret;
pub(crate) mod sequence;
pub(crate) mod statistics;
pub(crate) mod storage;
pub(crate) mod token;
pub(crate) mod user_account;
pub(crate) mod web_session;
