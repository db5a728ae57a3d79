//! The issues of one project.

use askama::Template;
use protocol::level::Level;
use protocol::time::Timestamp;

use crate::bars::Bars;
use crate::chrome::{Chrome, Project};
use crate::figure::counted;
use crate::first_event::FirstEvent;
use crate::issue::IssueStatus;
use crate::page::{Page, RenderError};
use crate::when::When;

/// `/{organization}/{project}/issues/`.
#[derive(Debug, Clone, Template)]
#[template(path = "issues.html")]
pub struct IssueList {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// One page of issues, in the order they are shown.
    pub issues: Vec<IssueRow>,
    /// Which issues are listed.
    pub filter: StatusTab,
    /// Address of the next page (older), where there is one.
    pub next: Option<String>,
    /// Address of the first page, where this is another.
    pub first: Option<String>,
    /// The project's DSN, for the empty list.
    pub dsn: String,
    /// Whether the project ever received an event; decides what an empty list says.
    pub has_events: bool,
}

/// Which issues are listed; `?status=` in the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StatusTab {
    /// Unresolved ones.
    #[default]
    Unresolved,
    /// Resolved ones.
    Resolved,
    /// Ignored ones.
    Ignored,
    /// All.
    All,
}

impl StatusTab {
    /// All tabs, in their order.
    pub const ALL: [Self; 4] = [Self::Unresolved, Self::Resolved, Self::Ignored, Self::All];

    /// Reads the value of `?status=`; anything unknown is [`StatusTab::Unresolved`].
    pub fn from_query(text: &str) -> Self {
        Self::ALL.into_iter().find(|tab| tab.as_str() == text).unwrap_or_default()
    }

    /// Returns the value for `?status=`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
            Self::All => "all",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Unresolved => "Unresolved",
            Self::Resolved => "Resolved",
            Self::Ignored => "Ignored",
            Self::All => "All",
        }
    }
}

/// One issue of the list.
#[derive(Debug, Clone)]
pub struct IssueRow {
    /// The issue's id.
    pub id: i64,
    /// `APP-1K`.
    pub short_id: String,
    /// Title.
    pub title: String,
    /// Where it happens.
    pub culprit: String,
    /// Severity.
    pub level: Level,
    /// Status.
    pub status: IssueStatus,
    /// Platform of its events.
    pub platform: String,
    /// Number of events received.
    pub times_seen: u64,
    /// Number of users affected.
    pub users: u64,
    /// First event.
    pub first_seen: Timestamp,
    /// Last event.
    pub last_seen: Timestamp,
    /// Release of the last event.
    pub release: Option<String>,
    /// Whether its last event has frames that are not resolved.
    pub unresolved_frames: bool,
    /// Whether the program handled it; `None` where nobody said.
    pub handled: Option<bool>,
    /// Events per day, oldest first, the last is today; empty where not known.
    pub trend: Vec<u64>,
}

impl IssueRow {
    fn bars(&self) -> Bars {
        let total: u64 = self.trend.iter().sum();
        let label = format!("{} in {} days", counted(total, "event", "events"), self.trend.len());
        Bars::new("bars small", label, &self.trend, |_, events| counted(events, "event", "events"))
    }
}

impl Page for IssueList {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl IssueList {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    fn first_event(&self) -> FirstEvent {
        FirstEvent::new(&self.dsn, "first", &self.project)
    }

    fn is_search(&self) -> bool {
        self.chrome.search.as_deref().is_some_and(|text| !text.is_empty())
    }

    fn has_trend(&self) -> bool {
        self.issues.iter().any(|issue| !issue.trend.is_empty())
    }
}
