//! Bytes in, frames out: symbolication without I/O, clock or network.

use std::sync::Arc;

pub mod bundle;
pub mod demangle;
pub mod derive;
pub mod identify;
pub mod js;
pub mod language;
pub mod native;
pub mod sections;
pub mod sources;
pub mod unusable;

/// Bytes that several look-ups share, typically a mapped file.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;
