//! Who may use this installation: organizations, projects, keys, users, tokens and sessions.
//!
//! These are the use cases: every change of who may do what has its name here. Which operation needs
//! which scope is in `permission`; that a request is checked at all is `http/extract`'s task.

pub(crate) mod first_start;
pub(crate) mod key;
pub(crate) mod organization;
pub(crate) mod password;
pub(crate) mod permission;
pub(crate) mod project;
pub(crate) mod scope;
pub(crate) mod session;
mod slug;
pub(crate) mod token;
pub(crate) mod user;

use crate::error::Error;

/// Returns the error of something that must be free and is not.
fn taken(what: &str, name: &str) -> Error {
    Error::Conflict(format!("there is a {what} `{name}` already: choose another name"))
}

/// Returns the error of something named on the command line that does not exist.
fn unknown(what: &str, name: &str) -> Error {
    Error::Invalid(format!("there is no {what} `{name}`: `symbolist {what} list` shows them"))
}
