//! Tests of the whole program: the real binary, over HTTP, files named by behaviour.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what it is for")]

mod access;
mod api_events;
mod api_issues;
mod api_sentry_cli;
mod commands;
mod durability;
mod faults;
mod health;
mod ingest;
mod late_uploads;
mod moved_issues;
mod native_crash;
mod node_crash;
mod object_storage;
mod retention;
mod scrubbing;
mod sdk_events;
mod seed;
mod self_healing;
mod shutdown;
#[allow(dead_code, reason = "what one test needs, others will")]
mod support;
mod tidy;
mod uploads_artifact_bundles;
mod uploads_chunks;
mod uploads_debug_files;
mod uploads_sentry_cli;
mod web_access;
mod web_issues;
mod web_keys;
mod web_pages;
mod web_search;
mod web_uploads;
mod worker;
