//! Symbolist: a Sentry-compatible error tracker whose heart is symbolication.

#![allow(dead_code, unused_imports, reason = "modules land one by one")]

pub(crate) mod app;
pub(crate) mod blobs;
pub(crate) mod blocking;
pub(crate) mod clock;
pub(crate) mod commands;
pub(crate) mod db;
pub(crate) mod error;
pub(crate) mod grouping;
pub(crate) mod ingest;
pub(crate) mod symbols;

pub use commands::run;
