//! Bytes in, frames out: symbolication without I/O, clock or network.

use std::sync::Arc;

pub mod bundle;
pub mod demangle;
pub mod derive;
pub mod identify;
mod images;
pub mod in_app;
pub mod js;
mod js_frames;
pub mod language;
pub mod native;
mod native_frames;
pub mod sections;
pub mod sources;
pub mod symbolication;
pub mod unusable;
pub mod wanted;

/// Bytes that several look-ups share, typically a mapped file.
pub type SharedBytes = Arc<dyn AsRef<[u8]> + Send + Sync>;
