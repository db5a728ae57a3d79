//! Makes our own look-up files from uploaded ones. Runs in the worker: its input is untrusted.

pub mod js;
pub mod native;
pub mod sources;
