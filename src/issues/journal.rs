//! What happened to an issue, written down in the transaction in which it happened.

use pages::issue::IssueStatus;

use crate::clock::Clock;
use crate::db::engine::Tx;
use crate::db::issue_journal::{self, Entry};
use crate::error::Result;

/// What an entry says. That an issue was made is no entry: its id says when, its first event says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Events came from another issue, because they were digested again.
    MovedIn,
    /// Events went to another issue.
    MovedOut,
    /// Another issue lost its last event, most of them to this one: its names lead here.
    Redirect,
    /// Somebody resolved it.
    Resolved,
    /// Somebody ignored it.
    Ignored,
    /// Somebody reopened it.
    Unresolved,
    /// An event came after it was resolved.
    Regressed,
}

impl Kind {
    /// Every kind.
    const ALL: [Self; 7] = [
        Self::MovedIn,
        Self::MovedOut,
        Self::Redirect,
        Self::Resolved,
        Self::Ignored,
        Self::Unresolved,
        Self::Regressed,
    ];

    /// Returns the text under which it is kept.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::MovedIn => "moved_in",
            Self::MovedOut => "moved_out",
            Self::Redirect => "redirect",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
            Self::Unresolved => "unresolved",
            Self::Regressed => "regressed",
        }
    }

    /// Reads the text under which it is kept; a newer version may know more.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    fn of_status(status: IssueStatus) -> Self {
        match status {
            IssueStatus::Resolved => Self::Resolved,
            IssueStatus::Ignored => Self::Ignored,
            IssueStatus::Unresolved => Self::Unresolved,
        }
    }
}

/// The command that digests events again, as entries call it.
pub(crate) const COMMAND: &str = "symbolist redigest";

/// Why events were digested again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cause {
    /// The file, or the run of the command; 0 where it is not known.
    pub(crate) id: i64,
    /// For people: the name of a file, or the command.
    pub(crate) text: String,
}

/// An issue on the other side of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Other {
    /// Its id.
    pub(crate) id: i64,
    /// The number in its short id.
    pub(crate) number: i64,
}

fn entry(clock: &Clock, issue_id: i64, kind: Kind, at_ms: i64) -> Entry {
    Entry {
        id: clock.new_id(),
        issue_id,
        kind: kind.as_str().to_owned(),
        at_ms,
        n: 0,
        other_issue_id: None,
        other_number: None,
        cause_id: None,
        cause: None,
        actor: None,
    }
}

async fn keep(tx: &mut Tx<'_>, entry: &Entry) -> Result<()> {
    issue_journal::insert(tx, entry).await?;
    issue_journal::trim(tx, entry.issue_id).await
}

/// Notes that somebody set the status of an issue.
pub(crate) async fn decided(
    tx: &mut Tx<'_>,
    clock: &Clock,
    issue_id: i64,
    status: IssueStatus,
    actor: &str,
) -> Result<()> {
    let entry = entry(clock, issue_id, Kind::of_status(status), clock.now_ms());
    keep(tx, &Entry { actor: Some(actor.to_owned()), ..entry }).await
}

/// Notes that an event reopened an issue.
pub(crate) async fn regressed(
    tx: &mut Tx<'_>,
    clock: &Clock,
    issue_id: i64,
    now_ms: i64,
) -> Result<()> {
    keep(tx, &entry(clock, issue_id, Kind::Regressed, now_ms)).await
}

/// Notes on both sides that `n` events moved.
pub(crate) async fn moved(
    tx: &mut Tx<'_>,
    clock: &Clock,
    (from, to): (Other, Other),
    n: i64,
    cause: &Cause,
) -> Result<()> {
    let now_ms = clock.now_ms();
    for (own, kind, other) in [(from, Kind::MovedOut, to), (to, Kind::MovedIn, from)] {
        let entry = Entry {
            n,
            other_issue_id: Some(other.id),
            other_number: Some(other.number),
            cause_id: (cause.id != 0).then_some(cause.id),
            cause: (!cause.text.is_empty()).then(|| cause.text.clone()),
            ..entry(clock, own.id, kind, now_ms)
        };
        if !issue_journal::count_more(tx, &entry).await? {
            keep(tx, &entry).await?;
        }
    }
    Ok(())
}

/// Notes that the names of an emptied issue lead to another one, which takes over what people decided.
pub(crate) async fn redirected(tx: &mut Tx<'_>, clock: &Clock, from: Other, to: i64) -> Result<()> {
    issue_journal::hand_over(tx, from.id, from.number, to).await?;
    issue_journal::delete(tx, from.id).await?;
    let entry = Entry {
        other_issue_id: Some(from.id),
        other_number: Some(from.number),
        ..entry(clock, to, Kind::Redirect, clock.now_ms())
    };
    keep(tx, &entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_they_are_kept() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_text(kind.as_str()), Some(kind));
        }
        assert_eq!(Kind::from_text("assigned"), None);
    }
}
