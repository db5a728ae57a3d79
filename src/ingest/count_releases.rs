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
    let frames = |is_counted: &dyn Fn(&str) -> bool| {
        let counted = event.frames.iter().filter(|((_, status), _)| is_counted(status));
        counted.map(|(_, n)| i64::try_from(*n).unwrap_or(0)).sum()
    };
    Added {
        first_ms: event.occurred_at_ms,
        last_ms: event.occurred_at_ms,
        n: 1,
        frames_resolved: frames(&|status| RESOLVED.contains(&status)),
        frames_unresolved: frames(&|status| status != AS_SENT && !RESOLVED.contains(&status)),
    }
}

fn merge(sum: &mut Added, other: Added) {
    sum.first_ms = sum.first_ms.min(other.first_ms);
    sum.last_ms = sum.last_ms.max(other.last_ms);
    sum.n += other.n;
    sum.frames_resolved += other.frames_resolved;
    sum.frames_unresolved += other.frames_unresolved;
}
