//! Counts digested events in their releases: how many, when, and how many of their frames could be read.

use std::collections::BTreeMap;

use super::digest::{Digested, Frames};
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

/// Changes what a release counts of the frames of an event that was digested again.
pub(super) async fn change(tx: &mut Tx<'_>, event: &Digested, old: &Frames) -> Result<()> {
    let Some(version) = event.summary.release.clone() else { return Ok(()) };
    let ((resolved, unresolved), (old_resolved, old_unresolved)) =
        (verdicts(&event.frames), verdicts(old));
    if (resolved, unresolved) == (old_resolved, old_unresolved) {
        return Ok(());
    }
    let key = ReleaseKey { project_id: event.project_id, version };
    release::change_frames(tx, &key, resolved - old_resolved, unresolved - old_unresolved).await
}

fn of(event: &Digested) -> Added {
    let (frames_resolved, frames_unresolved) = verdicts(&event.frames);
    let (first_ms, last_ms) = (event.occurred_at_ms, event.occurred_at_ms);
    Added { first_ms, last_ms, n: 1, frames_resolved, frames_unresolved }
}

/// Returns how many frames were symbolicated, and how many should have been.
fn verdicts(frames: &Frames) -> (i64, i64) {
    let count = |is_counted: &dyn Fn(&str) -> bool| -> i64 {
        let counted = frames.iter().filter(|((_, status), _)| is_counted(status));
        counted.map(|(_, n)| i64::try_from(*n).unwrap_or(0)).sum()
    };
    let is_resolved = |status: &str| RESOLVED.contains(&status);
    (count(&is_resolved), count(&|status| status != AS_SENT && !is_resolved(status)))
}

fn merge(sum: &mut Added, other: Added) {
    sum.first_ms = sum.first_ms.min(other.first_ms);
    sum.last_ms = sum.last_ms.max(other.last_ms);
    sum.n += other.n;
    sum.frames_resolved += other.frames_resolved;
    sum.frames_unresolved += other.frames_unresolved;
}
