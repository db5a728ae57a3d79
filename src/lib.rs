//! Stub.
mod clock;
mod db;
mod error;
