//! Bytes in, frames out: symbolication without I/O, clock or network.

pub mod bundle;
