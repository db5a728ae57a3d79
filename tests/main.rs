//! Tests of the whole program: the real binary, over HTTP, files named by behaviour.

mod access;
mod commands;
mod health;
mod shutdown;
mod support;
mod tidy;
