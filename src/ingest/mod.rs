//! The life of an event: accepted durably, then normalized, scrubbed, symbolicated, grouped and kept.

pub(crate) mod accept;
mod compress;
pub(crate) mod consistency;
pub(crate) mod count_releases;
pub(crate) mod count_tags;
pub(crate) mod dictionaries;
pub(crate) mod digest;
pub(crate) mod disk;
mod heir;
pub(crate) mod held;
pub(crate) mod intake;
pub(crate) mod keep;
mod large_attachment;
pub(crate) mod look_up;
pub(crate) mod missing;
pub(crate) mod missing_files;
mod moves;
pub(crate) mod normalize;
pub(crate) mod normalize_frames;
pub(crate) mod portion;
pub(crate) mod redigest;
pub(crate) mod redigest_run;
pub(crate) mod scrub;
pub(crate) mod stored;
pub(crate) mod summary;
pub(crate) mod tags;
pub(crate) mod train;
pub(crate) mod trim;
pub(crate) mod user_hash;

#[cfg(test)]
mod tests;
