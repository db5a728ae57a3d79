//! What comes over the network: routes, who may call them, and how answers look.

pub(crate) mod access_log;
pub(crate) mod api;
pub(crate) mod error;
pub(crate) mod extract;
pub(crate) mod health;
pub(crate) mod ingest;
pub(crate) mod issue_access;
pub(crate) mod listener;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod routes;
pub(crate) mod session_cookie;
pub(crate) mod upload;
pub(crate) mod upload_help;
pub(crate) mod web;
