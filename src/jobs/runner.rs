//! Starts the background loops of a server and ends them: one of the two places that spawn tasks.

use std::time::Duration;

use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{derive, digest, housekeeping, resymbolicate, retention};
use crate::app::App;
use crate::error::Result;

/// Longest time background work may take to reach its next step after the server was asked to stop.
const DRAIN_MAX: Duration = Duration::from_secs(20);
/// How long a loop waits after a failure before it tries again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The running loops.
pub(crate) struct Runner {
    tasks: JoinSet<()>,
}

impl Runner {
    /// Starts every loop.
    ///
    /// # Errors
    /// When the queue cannot be read.
    pub(crate) async fn start(app: &App) -> Result<Self> {
        digest::recover(app).await?;
        resymbolicate::recover(app).await?;
        let mut tasks = JoinSet::new();
        for _ in 0..app.config.digest.workers.min(digest::workers_max(app)) {
            tasks.spawn(repeat(app.clone(), "digest", digest::turn));
        }
        tasks.spawn(repeat(app.clone(), "resymbolicate", resymbolicate::turn));
        tasks.spawn(repeat(app.clone(), "derive", derive::turn));
        tasks.spawn(repeat(app.clone(), "housekeeping", housekeeping::turn));
        tasks.spawn(repeat(app.clone(), "retention", retention::turn));
        Ok(Self { tasks })
    }

    /// Waits for every loop to end; the application's shutdown token must be cancelled first.
    pub(crate) async fn drain(mut self) {
        let drained = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN_MAX, drained).await.is_err() {
            warn!("background work did not end in {} s and is left behind", DRAIN_MAX.as_secs());
            self.tasks.shutdown().await;
        }
        info!("background work has ended");
    }
}

/// Runs turns of one loop until the server stops. A turn that fails is tried again after a pause.
async fn repeat<F, T>(app: App, name: &'static str, turn: F)
where
    F: Fn(App) -> T + Send + 'static,
    T: Future<Output = Result<()>> + Send,
{
    while !app.shutdown.is_cancelled() {
        if let Err(error) = turn(app.clone()).await {
            warn!(job = name, "{name} failed and is tried again: {error}");
            tokio::select! {
                () = tokio::time::sleep(PAUSE_AFTER_FAILURE) => {}
                () = app.shutdown.cancelled() => {}
            }
        }
    }
}
