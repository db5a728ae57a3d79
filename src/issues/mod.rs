//! What people do with issues, what happened to them, and what is needed to look at them.

pub(crate) mod journal;
pub(crate) mod list;
pub(crate) mod named;
pub(crate) mod query;
pub(crate) mod source_lines;
pub(crate) mod status;
