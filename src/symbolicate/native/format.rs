//! The layout of the native look-up file; `docs/native-lookup-format.md` is its specification.
//!
//! Everything is little-endian. A change of the layout, or of what is written into it for the same input,
//! raises [`VERSION`].
//!
//! History: 1: first version.

/// The first eight bytes of every native look-up file.
pub const MAGIC: [u8; 8] = *b"SYMNATV1";

/// Version of the layout and of its contents.
pub const VERSION: u32 = 1;

/// "Nothing here": no scope, no parent, no string.
pub(crate) const NONE: u32 = u32::MAX;

/// Length of the header, in bytes.
pub(crate) const HEADER_BYTES: usize = 32 + SECTIONS * 16;

/// Number of sections.
pub(crate) const SECTIONS: usize = 6;

/// Index of the last segment at or before each bucket's start; `u32` each.
pub(crate) const BUCKETS: usize = 0;
/// Module offset of each segment's first byte, ascending; `u32` each.
pub(crate) const STARTS: usize = 1;
/// Innermost scope, file and line of each segment.
pub(crate) const SEGMENTS: usize = 2;
/// Functions and inlined calls, parents before children.
pub(crate) const SCOPES: usize = 3;
/// Names of functions.
pub(crate) const NAMES: usize = 4;
/// Text: each string is its length as `u32`, then UTF-8.
pub(crate) const STRINGS: usize = 5;

/// Length of one record of each section, in bytes.
pub(crate) const RECORD_BYTES: [usize; SECTIONS] = [4, 4, 12, 16, 16, 1];

/// Deepest chain of inlined calls, in frames. Real programs stay below 100.
pub(crate) const DEPTH_MAX: usize = 256;
