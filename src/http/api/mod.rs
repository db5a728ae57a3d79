//! The REST API in Sentry's shapes (`/api/0/…`): one file per resource.

pub(crate) mod activity;
pub(crate) mod attachment;
pub(crate) mod auth_info;
mod entries;
pub(crate) mod event;
mod event_json;
mod frame_json;
pub(crate) mod issue;
mod issue_change;
mod issue_json;
pub(crate) mod issue_list;
mod issue_selection;
mod issue_stats;
pub(crate) mod missing;
pub(crate) mod organization;
pub(crate) mod paging;
mod parameters;
pub(crate) mod project;
