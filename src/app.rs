//! Everything that is shared, built once.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::Notify;

use crate::blobs::Blobs;
use crate::clock::Clock;
use crate::db::engine::Db;
use crate::symbols::derived::Derived;
use crate::symbols::worker::Workers;

/// The server's shared parts. Cheap to clone; passed, never stored.
#[derive(Debug, Clone)]
pub(crate) struct App(Arc<Shared>);

/// What an [`App`] shares.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) blobs: Blobs,
    pub(crate) workers: Workers,
    pub(crate) derived: Derived,
    pub(crate) wake: Wake,
}

/// Who sleeps until there is work.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// The digest: events were accepted.
    pub(crate) digest: Notify,
    /// The job runner: jobs were queued.
    pub(crate) jobs: Notify,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
