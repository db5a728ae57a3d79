//! What people do with issues, and what is needed to look at them.

pub(crate) mod list;
pub(crate) mod query;
pub(crate) mod source_lines;
pub(crate) mod status;
