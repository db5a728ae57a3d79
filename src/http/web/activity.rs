//! What happened to an issue, for its page.

use pages::activity::{Activity, ActivityEntry, Happened, MoveCause};
use pages::issue::IssueStatus;
use protocol::short_id::{ShortId, short_id};
use protocol::time::Timestamp;

use super::figures::count;
use crate::db::issue::StoredIssue;
use crate::db::issue_journal::Entry;
use crate::issues::journal::{COMMAND, Kind};

/// Returns what the page says; `from` is the short id whose address led to it.
pub(super) fn activity(
    slug: &str,
    issue: &StoredIssue,
    journal: &[Entry],
    from: Option<&str>,
) -> Activity {
    let first = ActivityEntry {
        at: Timestamp(issue.first_seen_ms),
        what: Happened::FirstSeen { release: issue.first_release.clone() },
    };
    let led_here = |number: i64| {
        journal.iter().any(|entry| {
            entry.kind == Kind::Redirect.as_str() && entry.other_number == Some(number)
        })
    };
    // Only what is true is repeated: the address is anybody's words.
    let from =
        from.and_then(ShortId::parse).filter(|from| from.slug == slug && led_here(from.number));
    Activity {
        from: from.map(|from| short_id(slug, from.number)),
        entries: journal.iter().filter_map(|entry| shown(slug, entry)).chain([first]).collect(),
    }
}

/// One entry; `None` where a newer version wrote it.
fn shown(slug: &str, entry: &Entry) -> Option<ActivityEntry> {
    let other = entry.other_number.filter(|number| *number > 0);
    let other = other.map(|number| short_id(slug, number));
    let named = || other.clone().unwrap_or_else(|| "another issue".to_owned());
    let cause = entry.cause.clone().map(|cause| {
        if cause == COMMAND { MoveCause::Command(cause) } else { MoveCause::File(cause) }
    });
    let events = count(entry.n);
    let decided = |status| Happened::Decided {
        status,
        actor: entry.actor.clone().unwrap_or_else(|| "somebody".to_owned()),
        other: other.clone(),
    };
    let what = match Kind::from_text(&entry.kind)? {
        Kind::MovedIn => Happened::MovedIn { events, other: named(), cause },
        Kind::MovedOut => Happened::MovedOut { events, other: named(), cause },
        Kind::Redirect => Happened::Redirect { other: named() },
        Kind::Resolved => decided(IssueStatus::Resolved),
        Kind::Ignored => decided(IssueStatus::Ignored),
        Kind::Unresolved => decided(IssueStatus::Unresolved),
        Kind::Regressed => Happened::Regressed,
    };
    Some(ActivityEntry { at: Timestamp(entry.at_ms), what })
}
