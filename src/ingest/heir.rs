//! An issue that lost its last event to others leads to the one that took most of them.
//!
//! Its hashes go: an event that comes later with one of them is not known to be of the heir (often all that
//! such events have in common is that nobody could read them), so it opens an issue of its own.

use crate::clock::Clock;
use crate::db::engine::Tx;
use crate::db::issue::{self, StoredIssue};
use crate::db::issue_redirect::{self, Redirect};
use crate::db::{issue_count, issue_journal};
use crate::error::Result;
use crate::issues::journal::{self, Other};

/// Turns an issue without events into a redirect to its heir. `last` took one of its events just now.
///
/// What it still counts are events that expired; they go along, because it is known of none of them that it
/// would have gone elsewhere. The heir's status stays.
pub(super) async fn inherit(
    tx: &mut Tx<'_>,
    clock: &Clock,
    emptied: &StoredIssue,
    last: i64,
) -> Result<()> {
    let to = issue_journal::heir(tx, emptied.id).await?.unwrap_or(last);
    if emptied.times_seen > 0 {
        issue_count::hand_over_users(tx, emptied.id, to).await?;
        issue_count::hand_over_tags(tx, emptied.id, to).await?;
        issue_count::hand_over_hours(tx, emptied.id, to).await?;
        issue::hand_over(tx, emptied, to).await?;
    }
    let redirect = Redirect {
        old_issue_id: emptied.id,
        project_id: emptied.project_id,
        number: emptied.number,
        issue_id: to,
        created_at_ms: clock.now_ms(),
    };
    issue_redirect::insert(tx, &redirect).await?;
    issue_redirect::collapse(tx, emptied.id, to).await?;
    let from = Other { id: emptied.id, number: emptied.number };
    journal::redirected(tx, clock, from, to).await?;
    issue::delete_emptied(tx, emptied.id).await
}
