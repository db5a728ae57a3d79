//! The list of projects: where one arrives after signing in.

use askama::Template;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::first_event::FirstEvent;
use crate::page::{Page, RenderError};
use crate::when::When;

/// `/`: the projects of the organization.
#[derive(Debug, Clone, Template)]
#[template(path = "projects.html")]
pub struct Projects {
    /// Around the page.
    pub chrome: Chrome,
    /// Slug of the organization.
    pub organization: String,
    /// Slugs of the user's other organizations.
    pub others: Vec<String>,
    /// Its projects, in the order they are shown.
    pub projects: Vec<ProjectRow>,
}

/// One project of the list.
#[derive(Debug, Clone)]
pub struct ProjectRow {
    /// Slug.
    pub slug: String,
    /// Name.
    pub name: String,
    /// Platform, where known.
    pub platform: Option<String>,
    /// Number of unresolved issues.
    pub issues_unresolved: u64,
    /// Number of events received in the last 24 hours.
    pub events_24h: u64,
    /// When the last event was received; `None` where there never was one.
    pub last_event: Option<Timestamp>,
    /// The DSN that its programs send to.
    pub dsn: String,
}

impl Page for Projects {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl Projects {
    /// How to send the first event, for the first project that never got one.
    fn first_event(&self) -> Option<(&ProjectRow, FirstEvent)> {
        let row = self.projects.iter().find(|project| project.last_event.is_none())?;
        let project = Project {
            organization: self.organization.clone(),
            slug: row.slug.clone(),
            name: row.name.clone(),
            platform: row.platform.clone(),
        };
        Some((row, FirstEvent::new(&row.dsn, "first", &project)))
    }

    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }
}
