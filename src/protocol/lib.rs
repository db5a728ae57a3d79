//! What clients send and read, as types.
//!
//! Everything here is data: parsing is lenient and total (a bad field never costs the event), nothing
//! reads a clock, a file or the network. What is deliberately not here: defaults that depend on the
//! server (`ingest::normalize`) and what a missing symbol means for an event (`symbolicate`).

pub mod addr;
pub mod debug_meta;
pub mod dsn;
pub mod envelope;
pub mod event;
pub mod exception;
pub mod id;
pub mod lenient;
pub mod level;
pub mod node;
pub mod session;
pub mod short_id;
pub mod stacktrace;
pub mod surrogate;
pub mod time;
pub mod upload;
