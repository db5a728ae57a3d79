//! Reads HTML for tests.
