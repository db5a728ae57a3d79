//! The events of one issue, newest first.

use askama::Template;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::issue_head::IssueHead;
use crate::page::{Page, RenderError};
use crate::when::When;

/// `/{organization}/{project}/issues/{short_id}/events/`.
#[derive(Debug, Clone, Template)]
#[template(path = "issue_events.html")]
pub struct IssueEvents {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The issue.
    pub head: IssueHead,
    /// One page of its events.
    pub events: Vec<EventRow>,
    /// Address of the page before (newer), where there is one.
    pub previous: Option<String>,
    /// Address of the next page (older), where there is one.
    pub next: Option<String>,
}

/// One event.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// Its id, 32 digits.
    pub id: String,
    /// Address of its page.
    pub url: String,
    /// When it occurred.
    pub at: Timestamp,
    /// Release.
    pub release: Option<String>,
    /// Environment.
    pub environment: Option<String>,
    /// Who had it, as the SDK says.
    pub user: Option<String>,
    /// What happened: the exception's value, or the message.
    pub words: Option<String>,
    /// Where: transaction, address, host.
    pub place: Option<String>,
}

impl Page for IssueEvents {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl IssueEvents {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }
}

impl EventRow {
    /// The beginning of the id, enough to tell events apart.
    fn short_id(&self) -> &str {
        self.id.get(..8).unwrap_or(&self.id)
    }

    fn words(&self) -> &str {
        self.words.as_deref().unwrap_or("event without a message")
    }
}
