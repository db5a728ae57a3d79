//! The shell around `symbolicate`: opens untrusted files in a child process, keeps what was derived from them.

pub(crate) mod derived;
pub(crate) mod find;
pub(crate) mod mapping;
pub(crate) mod memory_limit;
pub(crate) mod worker;
