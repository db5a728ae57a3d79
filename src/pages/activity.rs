//! What happened to an issue, in sentences.

use protocol::time::Timestamp;

use crate::chrome::Project;
use crate::figure::counted;
use crate::issue::IssueStatus;

/// What happened to an issue, the newest first.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    /// Short id of the issue whose address led here, because its events are part of this one now.
    pub from: Option<String>,
    /// The entries.
    pub entries: Vec<ActivityEntry>,
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct ActivityEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: Happened,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// Events came from another issue.
    MovedIn {
        /// How many.
        events: u64,
        /// Short id of the other issue.
        other: String,
        /// Why.
        cause: Option<MoveCause>,
    },
    /// Events went to another issue.
    MovedOut {
        /// How many.
        events: u64,
        /// Short id of the other issue.
        other: String,
        /// Why.
        cause: Option<MoveCause>,
    },
    /// Another issue lost its last event, most of them to this one.
    Redirect {
        /// Short id that leads here now.
        other: String,
    },
    /// Somebody decided about the issue.
    Decided {
        /// What it was set to.
        status: IssueStatus,
        /// Who did.
        actor: String,
        /// Short id of the issue it was said of, if that leads here now.
        other: Option<String>,
    },
    /// An event came after it was resolved.
    Regressed,
    /// The first event.
    FirstSeen {
        /// Its release.
        release: Option<String>,
    },
}

/// Why events moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MoveCause {
    /// A file arrived.
    File(String),
    /// Somebody ran a command.
    Command(String),
}

/// A sentence with an issue in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sentence {
    pub(crate) before: String,
    /// Short id and address of the issue.
    pub(crate) link: Option<(String, String)>,
    pub(crate) after: String,
}

impl ActivityEntry {
    /// Returns what the entry says.
    pub(crate) fn sentence(&self, project: &Project) -> Sentence {
        let plain = |before: String| Sentence { before, link: None, after: String::new() };
        let with = |before: String, other: &str, after: String| Sentence {
            before,
            link: Some((other.to_owned(), project.issue_url(other))),
            after,
        };
        match &self.what {
            Happened::MovedIn { events, other, cause } => {
                with(format!("{} came from ", moved(*events)), other, because(cause.as_ref()))
            }
            Happened::MovedOut { events, other, cause } => {
                with(format!("{} went to ", moved(*events)), other, because(cause.as_ref()))
            }
            Happened::Redirect { other } => {
                plain(format!("{other} has no events left and leads here"))
            }
            Happened::Decided { status, actor, other } => {
                let of = other
                    .as_ref()
                    .map(|other| format!(" {other}, which is part of this issue now"));
                plain(format!("{actor} {}{}", decided(*status), of.unwrap_or_default()))
            }
            Happened::Regressed => plain("reopened by a new event".to_owned()),
            Happened::FirstSeen { release } => plain(match release {
                Some(release) => format!("first seen in {release}"),
                None => "first seen".to_owned(),
            }),
        }
    }
}

fn moved(events: u64) -> String {
    counted(events, "event", "events")
}

fn because(cause: Option<&MoveCause>) -> String {
    match cause {
        Some(MoveCause::File(name)) => format!(", because {name} was uploaded"),
        Some(MoveCause::Command(command)) => format!(", by {command}"),
        None => String::new(),
    }
}

fn decided(status: IssueStatus) -> &'static str {
    match status {
        IssueStatus::Unresolved => "reopened",
        IssueStatus::Resolved => "resolved",
        IssueStatus::Ignored => "ignored",
    }
}

impl Activity {
    /// An issue that two others became part of.
    pub(crate) fn sample(now: Timestamp) -> Self {
        let ago = |minutes: i64| Timestamp(now.ms() - minutes * 60_000);
        let other = "BILLING-3".to_owned();
        let cause = Some(MoveCause::File("libpayments.so.debug".to_owned()));
        let status = IssueStatus::Resolved;
        let actor = "owner@example.com".to_owned();
        let entry = |minutes, what| ActivityEntry { at: ago(minutes), what };
        Self {
            from: Some(other.clone()),
            entries: vec![
                entry(4, Happened::Regressed),
                entry(55, Happened::Redirect { other: other.clone() }),
                entry(55, Happened::MovedIn { events: 214, other, cause }),
                entry(90, Happened::Decided { status, actor, other: None }),
                entry(3_210, Happened::FirstSeen { release: Some("billing@2.4.0".to_owned()) }),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(what: Happened, expected: &str) {
        let entry = ActivityEntry { at: Timestamp(0), what };
        let Sentence { before, link, after } = entry.sentence(&Project::sample());
        let link = link.map_or_else(String::new, |(name, url)| format!("[{name}]({url})"));
        assert_eq!(format!("{before}{link}{after}"), expected);
    }

    #[test]
    fn moves_say_how_many_where_and_why() {
        let other = "BILLING-3".to_owned();
        let cause = Some(MoveCause::File("libpay.so.debug".to_owned()));
        check(
            Happened::MovedIn { events: 1_200, other: other.clone(), cause },
            "1,200 events came from [BILLING-3](/default/billing/issues/BILLING-3/), because libpay.so.debug was \
             uploaded",
        );
        let cause = Some(MoveCause::Command("symbolist redigest".to_owned()));
        check(
            Happened::MovedOut { events: 1, other, cause },
            "1 event went to [BILLING-3](/default/billing/issues/BILLING-3/), by symbolist redigest",
        );
    }

    #[test]
    fn decisions_say_who() {
        let actor = "ann@example.com".to_owned();
        let status = IssueStatus::Resolved;
        check(
            Happened::Decided { status, actor: actor.clone(), other: None },
            "ann@example.com resolved",
        );
        check(
            Happened::Decided { status, actor, other: Some("BILLING-3".to_owned()) },
            "ann@example.com resolved BILLING-3, which is part of this issue now",
        );
    }
}
