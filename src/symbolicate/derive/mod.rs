//! Derived files: what an uploaded file is turned into once, so that every later look-up is cheap.

pub mod native;
