//! Symbolist: a Sentry-compatible error tracker whose heart is symbolication.
//!
//! The modules from the outside in; each imports only what stands below it.

#![allow(dead_code, reason = "modules land one by one")]

// Entry points.
pub(crate) mod commands;
pub(crate) mod http;
pub(crate) mod jobs;
// Use cases.
pub(crate) mod accounts;
pub(crate) mod ingest;
pub(crate) mod issues;
pub(crate) mod symbols;
pub(crate) mod uploads;
// What is shared.
pub(crate) mod app;
// Stores.
pub(crate) mod blobs;
pub(crate) mod db;
// Base.
pub(crate) mod blocking;
pub(crate) mod clock;
pub(crate) mod config;
pub(crate) mod error;
pub(crate) mod grouping;
pub(crate) mod metrics;
pub(crate) mod remembered;
pub(crate) mod throttle;

pub use commands::run;
