//! The pages a person reads: one file per page, each reads what it shows and fills a struct of `pages`.
//!
//! Handlers fail with the same `Error` as everywhere; `dress` turns failures into pages and adds the headers
//! that protect browsers. Nothing here decides how anything looks.

mod activity;
pub(crate) mod artifact_bundles;
pub(crate) mod asset;
pub(crate) mod attachment;
pub(crate) mod bulk;
pub(crate) mod debug_files;
pub(crate) mod dress;
pub(crate) mod event;
mod figures;
pub(crate) mod first_event;
mod grouped;
mod html;
pub(crate) mod issue;
pub(crate) mod issue_events;
pub(crate) mod issue_tags;
pub(crate) mod issues;
mod issues_found;
mod listing;
pub(crate) mod login;
pub(crate) mod missing;
mod next;
pub(crate) mod projects;
pub(crate) mod releases;
pub(crate) mod report;
pub(crate) mod sentry_links;
mod signed;
pub(crate) mod status;
pub(crate) mod theme;
mod visit;
