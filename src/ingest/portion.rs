//! How much of what is digested again is taken at once, and when: beside the accepts, not before them.

use std::time::Duration;

use crate::app::App;
use crate::db::event::StoredEvent;
use crate::db::{accepted, event};
use crate::error::Result;

/// Bytes of packed events that are digested together; the first is taken whatever its size. Unpacked and
/// parsed they take up to a hundred times as much.
const PACKED_BYTES_MAX: usize = 512 << 10;
/// How often it is looked whether events still wait for their first digest.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// Looks after which a portion is digested all the same: half a second, so that a server under constant load
/// still gets through.
const LOOKS_MAX: u32 = 20;

/// Reads events from the front of a list until they are a portion, and returns how many of the list were
/// taken; rows that are gone are passed over.
pub(crate) async fn read(app: &App, ids: &[i64]) -> Result<(usize, Vec<StoredEvent>)> {
    let ids = ids.to_vec();
    app.db
        .read(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let (mut taken, mut bytes, mut rows) = (0, 0, Vec::new());
                for id in ids {
                    let Some(row) = event::by_row(tx, id).await? else {
                        taken += 1;
                        continue;
                    };
                    bytes += row.original.len() + row.result.len();
                    if bytes > PACKED_BYTES_MAX && !rows.is_empty() {
                        break;
                    }
                    taken += 1;
                    rows.push(row);
                }
                Ok((taken, rows))
            })
        })
        .await
}

/// Waits while events wait for their first digest, but not for ever.
pub(crate) async fn wait_for_accepts(app: &App) -> Result<()> {
    for _ in 0..LOOKS_MAX {
        let now_ms = app.clock.now_ms();
        let look = app.db.read(move |tx| Box::pin(accepted::is_waiting(tx, now_ms)));
        if !look.await? || app.shutdown.is_cancelled() {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}
