//! Tests of the whole program: the real binary, over HTTP, files named by behaviour.

mod access;
mod api_events;
mod api_issues;
mod api_sentry_cli;
mod commands;
mod health;
mod shutdown;
mod support;
