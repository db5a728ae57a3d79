//! What people do with issues, what happened to them, and what is needed to look at one.

pub(crate) mod journal;
pub(crate) mod named;
pub(crate) mod source_lines;
pub(crate) mod status;
