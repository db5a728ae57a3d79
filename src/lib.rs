//! Symbolist: a Sentry-compatible error tracker whose heart is symbolication.

#![allow(dead_code, reason = "modules land one by one")]

pub(crate) mod clock;
pub(crate) mod db;
pub(crate) mod error;
pub(crate) mod grouping;
pub(crate) mod ingest;
