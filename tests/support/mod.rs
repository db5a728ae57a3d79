//! A running server per test: the real binary, an empty data folder, a free port.

pub(crate) mod client;
pub(crate) mod command;
pub(crate) mod database;
pub(crate) mod postgres;
pub(crate) mod preload;
pub(crate) mod proxy;
pub(crate) mod reading;
pub(crate) mod rows;
pub(crate) mod sentry_cli;
pub(crate) mod server;
pub(crate) mod tmpfs;
pub(crate) mod trace;
pub(crate) mod upload;
pub(crate) mod visitor;
pub(crate) mod wait;
