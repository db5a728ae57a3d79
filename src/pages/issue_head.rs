//! What stands above the pages beside an issue's own: which issue it is, and the way between them.

use crate::chrome::Project;

/// The issue that a page is about.
#[derive(Debug, Clone)]
pub struct IssueHead {
    /// `APP-1K`.
    pub short_id: String,
    /// Title.
    pub title: String,
    /// Where it happens.
    pub culprit: String,
    /// Events received.
    pub events: u64,
}

impl IssueHead {
    /// Returns the address of the issue's page.
    pub(crate) fn url(&self, project: &Project) -> String {
        project.issue_url(&self.short_id)
    }
}
