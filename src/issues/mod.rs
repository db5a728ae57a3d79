//! What people do with issues, and what is needed to look at one.

pub(crate) mod source_lines;
pub(crate) mod status;
