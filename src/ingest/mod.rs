//! The life of an event: accepted durably, then normalized, scrubbed, symbolicated, grouped and kept.

pub(crate) mod normalize;
pub(crate) mod normalize_frames;
pub(crate) mod scrub;
pub(crate) mod tags;
pub(crate) mod trim;
