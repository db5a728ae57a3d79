//! Data in, HTML out: every page of the web interface.
//!
//! One struct per page with everything it shows; the server fills it and calls [`page::Page::html`]. All
//! decisions about presentation are made here: which frames fold, what an unresolved frame says, how a
//! time is written. What is deliberately not here: any I/O, any clock (`Chrome::now` brings the time),
//! and anything that decides what the data *is*.
//!
//! Pages work without JavaScript and under `default-src 'none'; style-src 'self'; script-src 'self';
//! img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`:
//! no inline style, no inline script, ever (a test reads every sample for them).

pub mod activity;
pub mod address;
pub mod artifact_bundles;
pub mod asset;
mod bars;
pub mod chrome;
mod crumbs;
pub mod debug_files;
mod details;
pub mod events;
mod figure;
mod first_event;
mod fold;
mod frame;
pub mod help;
mod images;
pub mod issue;
pub mod issue_head;
pub mod issues;
pub mod login;
pub mod markdown;
#[cfg(test)]
mod markup;
pub mod message;
pub mod missing;
mod owner;
pub mod page;
mod path;
pub mod projects;
pub mod reason;
pub mod releases;
pub mod sample;
mod sample_uploads;
pub mod search;
pub mod source;
pub mod tags;
pub mod text;
mod threads;
mod trace;
mod value;
mod when;
