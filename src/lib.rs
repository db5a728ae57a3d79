//! Symbolist: a Sentry-compatible error tracker whose heart is symbolication.
//!
//! The modules from the outside in; each imports only what stands below it. `architecture` says why, and
//! `style` how it is written.

// Entry points.
pub(crate) mod commands;
pub(crate) mod http;
pub(crate) mod jobs;
// Use cases.
pub(crate) mod accounts;
pub(crate) mod garbage;
pub(crate) mod ingest;
pub(crate) mod issues;
pub(crate) mod retention;
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

/// The words of this page are [`App`](app::App), [`Db`](db::engine::Db), [`Tx`](db::engine::Tx),
/// [`Dialect::pick`](db::engine::Dialect::pick), [`Blobs`](blobs::Blobs), [`Error`](error::Error),
/// [`Clock`](clock::Clock), [`accept`](ingest::accept::accept), [`digest`](ingest::digest::digest),
/// [`keep`](ingest::keep::keep), [`redigest`](ingest::redigest::redigest), [`find_all`](symbols::find::find_all),
/// [`Workers`](symbols::worker::Workers), [`Derived`](symbols::derived::Derived),
/// [`GroupHash`](grouping::GroupHash), [`Symbolication`](symbolicate::symbolication::Symbolication),
/// [`Wanted`](symbolicate::wanted::Wanted), [`FrameStatus`](protocol::stacktrace::FrameStatus).
#[doc = include_str!("ARCHITECTURE.md")]
mod architecture {}
#[doc = include_str!("STYLE.md")]
mod style {}

pub use commands::run;
