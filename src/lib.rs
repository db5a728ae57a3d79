//! Symbolist: a Sentry-compatible error tracker whose heart is symbolication.

#![allow(dead_code, reason = "modules land one by one")]

pub(crate) mod grouping;
