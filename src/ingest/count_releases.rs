//! Counts digested events in their releases: how many, when, and how many of their frames could be read.

use std::collections::BTreeMap;

use super::digest::Digested;
use crate::db::engine::Tx;
use crate::db::release::{self, Added, ReleaseKey};
use crate::error::Result;

/// Verdicts of frames that were symbolicated, as `FrameStatus::name` has them.
const RESOLVED: [&str; 2] = ["symbolicated", "symbolicated_without_line"];
/// The verdict of frames that needed nothing.
const AS_SENT: &str = "as_sent";

/// Adds events to their releases; an event without one is counted nowhere.
pub(super) async fn count<'a>(
    tx: &mut Tx<'_>,
    events: impl Iterator<Item = &'a Digested>,
) -> Result<()> {
    let mut counts: BTreeMap<ReleaseKey, Added> = BTreeMap::new();
    for event in events {
        let Some(version) = event.summary.release.clone() else { continue };
        let key = ReleaseKey { project_id: event.project_id, version };
        let one = of(event);
        counts.entry(key).and_modify(|sum| merge(sum, one)).or_insert(one);
    }
    release::add(tx, &counts.into_iter().collect::<Vec<_>>()).await
}

fn of(event: &Digested) -> Added {
    let (frames_resolved, frames_unresolved) = resolved_and_not(&event.frames);
    Added {
        first_ms: event.occurred_at_ms,
        last_ms: event.occurred_at_ms,
        n: 1,
        frames_resolved,
        frames_unresolved,
    }
}

/// Frames by platform and status, as digested events have them.
pub(super) type Frames = BTreeMap<(&'static str, &'static str), u64>;

/// Returns how many frames could be read with the help of files, and how many could not.
fn resolved_and_not(frames: &Frames) -> (i64, i64) {
    let sum = |is_counted: &dyn Fn(&str) -> bool| {
        let counted = frames.iter().filter(|((_, status), _)| is_counted(status));
        counted.map(|(_, n)| i64::try_from(*n).unwrap_or(0)).sum()
    };
    let resolved = sum(&|status| RESOLVED.contains(&status));
    (resolved, sum(&|status| status != AS_SENT && !RESOLVED.contains(&status)))
}

/// By how much the frames of releases change when events are digested again.
#[derive(Debug, Default)]
pub(super) struct FrameChanges(BTreeMap<ReleaseKey, (i64, i64)>);

impl FrameChanges {
    /// Notes what was counted of an event and what it is now.
    pub(super) fn note(&mut self, event: &Digested, before: &Frames) {
        let Some(version) = event.summary.release.clone() else { return };
        let (old, new) = (resolved_and_not(before), resolved_and_not(&event.frames));
        let change =
            self.0.entry(ReleaseKey { project_id: event.project_id, version }).or_default();
        *change = (change.0 + new.0 - old.0, change.1 + new.1 - old.1);
    }

    /// Counts it.
    pub(super) async fn keep(self, tx: &mut Tx<'_>) -> Result<()> {
        for (key, (resolved, unresolved)) in self.0.iter().filter(|(_, change)| **change != (0, 0))
        {
            release::add_frames(tx, key, *resolved, *unresolved).await?;
        }
        Ok(())
    }
}

fn merge(sum: &mut Added, other: Added) {
    sum.first_ms = sum.first_ms.min(other.first_ms);
    sum.last_ms = sum.last_ms.max(other.last_ms);
    sum.n += other.n;
    sum.frames_resolved += other.frames_resolved;
    sum.frames_unresolved += other.frames_unresolved;
}
