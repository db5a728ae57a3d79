//! Work that outlives its request: the digest, the queue of jobs, and what happens on a timer.

pub(crate) mod derive;
pub(crate) mod digest;
pub(crate) mod housekeeping;
pub(crate) mod resymbolicate;
pub(crate) mod retention;
pub(crate) mod runner;
