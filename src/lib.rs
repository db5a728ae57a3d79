//! Stub.
#![allow(dead_code, unused_imports, reason = "modules land one by one")]
mod blobs;
mod blocking;
mod clock;
mod db;
mod error;
mod symbols;
