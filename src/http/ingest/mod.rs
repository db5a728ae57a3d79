//! What SDKs send to: envelopes, and single events in the old form.

pub(crate) mod body;
pub(crate) mod cors;
pub(crate) mod credentials;
pub(crate) mod envelope;
mod spill;
pub(crate) mod store;
