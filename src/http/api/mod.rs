//! The REST API in Sentry's shapes (`/api/0/…`): one file per resource.

pub(crate) mod auth_info;
pub(crate) mod organization;
pub(crate) mod project;
