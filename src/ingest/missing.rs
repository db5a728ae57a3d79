//! What digested events miss, written down in the transaction that keeps them, so that a file which arrives
//! later, or arrived since the look-up, finds its events.

use std::collections::BTreeMap;

use super::digest::Digested;
use crate::db::engine::Tx;
use crate::db::missing_file::{self, MissingFile};
use crate::db::missing_key;
use crate::error::Result;

/// What the events of one transaction miss.
#[derive(Default)]
pub(crate) struct Missing {
    /// Files by project and key, as this transaction sees them.
    stored: BTreeMap<(i64, String), i64>,
    rows: Vec<MissingFile>,
    /// By how much the number of events that wait for a key changes.
    waiting: BTreeMap<(i64, String), i64>,
}

impl Missing {
    /// Forgets what an event missed until now.
    pub(crate) async fn forget(
        &mut self,
        tx: &mut Tx<'_>,
        project_id: i64,
        event_row_id: i64,
    ) -> Result<()> {
        for key in missing_file::delete_of_event(tx, event_row_id).await? {
            *self.waiting.entry((project_id, key)).or_default() -= 1;
        }
        Ok(())
    }

    /// Adds what one event misses, and says whether a file arrived since it was looked up: then the event
    /// must be digested once more. Each such round has a new file for its reason, so the rounds end.
    pub(super) async fn of(
        &mut self,
        tx: &mut Tx<'_>,
        digested: &Digested,
        event_row_id: i64,
    ) -> Result<bool> {
        let mut has_arrived = false;
        for (key, looked_up) in &digested.missing {
            let place = (digested.project_id, key.clone());
            let stored = match self.stored.get(&place) {
                Some(stored) => *stored,
                None => missing_file::stored_count(tx, digested.project_id, key).await?,
            };
            *self.waiting.entry(place.clone()).or_default() += 1;
            self.stored.insert(place, stored);
            has_arrived |= stored > *looked_up;
            self.rows.push(MissingFile {
                project_id: digested.project_id,
                key: key.clone(),
                received_at_ms: digested.received_at_ms,
                event_row_id,
                seen_count: stored,
            });
        }
        Ok(has_arrived)
    }

    /// Writes it down, in key order.
    pub(crate) async fn keep(mut self, tx: &mut Tx<'_>) -> Result<()> {
        self.rows.sort();
        missing_file::insert(tx, &self.rows).await?;
        missing_key::add(tx, &self.waiting).await
    }
}
