//! Deletes what is too old or too much, once a minute.

use std::time::Duration;

use tracing::info;

use crate::app::App;
use crate::error::Result;
use crate::retention;

/// Time between two rounds.
const EVERY: Duration = Duration::from_secs(60);

/// Does a round and waits for the next.
///
/// # Errors
/// When the database or the blob store cannot be reached.
pub(crate) async fn turn(app: App) -> Result<()> {
    // A clock that jumped ahead would make everything old.
    if !app.clock.is_doubtful() {
        let deleted = retention::round(&app, app.clock.now_ms()).await?;
        app.metrics.retention_events.inc_by(deleted.events);
        if deleted != retention::Deleted::default() {
            info!(
                "retention deleted {} events, {} issues, {} attachments ({} bytes) and {} blobs",
                deleted.events, deleted.issues, deleted.attachments, deleted.bytes, deleted.blobs
            );
        }
    }
    tokio::select! {
        () = tokio::time::sleep(EVERY) => {}
        () = app.shutdown.cancelled() => {}
    }
    Ok(())
}
