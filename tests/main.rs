//! Tests of the whole program: the real binary, over HTTP, files named by behaviour.

#![allow(clippy::unwrap_used, reason = "clippy allows it in functions marked as tests only")]

mod access;
mod commands;
mod health;
mod shutdown;
mod support;
mod uploads_artifact_bundles;
mod uploads_chunks;
mod uploads_debug_files;
mod uploads_sentry_cli;
mod worker;
