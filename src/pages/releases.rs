//! The releases of a project: the list, and one release.

use askama::Template;
use protocol::level::Level;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::figure::counted;
use crate::help::UploadHelp;
use crate::issue::IssueStatus;
use crate::page::{Page, RenderError};
use crate::when::When;

/// `/{organization}/{project}/releases/`.
#[derive(Debug, Clone, Template)]
#[template(path = "releases.html")]
pub struct ReleaseList {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// What is searched for; empty: nothing.
    pub query: String,
    /// One page of releases, the last active first.
    pub releases: Vec<ReleaseRow>,
    /// Address of the first page, where this is another.
    pub first: Option<String>,
    /// Address of the next page (older), where there is one.
    pub next: Option<String>,
}

/// One release.
#[derive(Debug, Clone)]
pub struct ReleaseRow {
    /// As SDKs send it.
    pub version: String,
    /// Address of its page.
    pub url: String,
    /// First event; `None` where there was none, or nobody wrote it down.
    pub first_event: Option<Timestamp>,
    /// Last event; `None` where there was none.
    pub last_event: Option<Timestamp>,
    /// When it was first heard of, by an event or an upload.
    pub created: Timestamp,
    /// Number of events received.
    pub events: u64,
    /// Number of issues that appeared in it.
    pub issues_new: u64,
    /// Number of artifact bundles uploaded for it.
    pub bundles: u64,
    /// Frames that symbolication had a verdict about.
    pub frames: Frames,
}

/// How many frames could be resolved; those that were sent readable are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Frames {
    /// Frames with a function, file and line.
    pub resolved: u64,
    /// Frames without.
    pub unresolved: u64,
}

impl Frames {
    /// Parts of a hundred that are resolved, rounded down so that 100 means all; `None` where no frame needed it.
    pub(crate) fn percent(&self) -> Option<u64> {
        let all = self.resolved.saturating_add(self.unresolved);
        self.resolved.saturating_mul(100).checked_div(all)
    }

    /// The class of the words.
    pub(crate) fn class(&self) -> &'static str {
        match self.percent() {
            None | Some(100) => "",
            Some(_) => "part",
        }
    }

    fn words(&self) -> String {
        let all = counted(self.resolved.saturating_add(self.unresolved), "frame", "frames");
        format!("{} of {all} resolved", crate::figure::full(self.resolved))
    }
}

impl Page for ReleaseList {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl ReleaseList {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }
}

/// `/{organization}/{project}/releases/{version}/`.
#[derive(Debug, Clone, Template)]
#[template(path = "release.html")]
pub struct ReleasePage {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The release.
    pub release: ReleaseRow,
    /// Address of its issues in the issue list.
    pub issues_url: String,
    /// Issues that appeared in it, the most frequent first; `release.issues_new` says how many there are.
    pub new: Vec<ReleaseIssue>,
    /// Other issues that were seen in it, most often first.
    pub seen: Vec<ReleaseIssue>,
    /// Bundles that were uploaded for it, newest first.
    pub bundles: Vec<BundleRow>,
    /// Commands that bring what is missing.
    pub upload: UploadHelp,
}

/// An issue of a release.
#[derive(Debug, Clone)]
pub struct ReleaseIssue {
    /// Address of its page.
    pub url: String,
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
    /// Whether its last event has frames that are not resolved.
    pub unresolved_frames: bool,
    /// Events in this release.
    pub events: u64,
    /// The last of them.
    pub last_seen: Timestamp,
}

/// An uploaded artifact bundle.
#[derive(Debug, Clone)]
pub struct BundleRow {
    /// Address of its page.
    pub url: String,
    /// What its maker calls it.
    pub bundle_id: String,
    /// The releases it was uploaded for, newest first; a bundle may have none.
    pub releases: Vec<String>,
    /// Files in it.
    pub files: u64,
    /// Its size.
    pub bytes: u64,
    /// When it was uploaded.
    pub uploaded: Timestamp,
}

/// Releases that a row names.
const RELEASES_SHOWN_MAX: usize = 3;

impl BundleRow {
    pub(crate) fn releases_shown(&self) -> impl Iterator<Item = &String> {
        self.releases.iter().take(RELEASES_SHOWN_MAX)
    }

    pub(crate) fn releases_hidden(&self) -> Option<String> {
        let hidden = self.releases.len().checked_sub(RELEASES_SHOWN_MAX).filter(|n| *n > 0)?;
        Some(format!("and {}", counted(hidden as u64, "other release", "other releases")))
    }
}

/// A list of issues on the page.
struct IssueTable<'a> {
    anchor: &'static str,
    heading: &'static str,
    issues: &'a [ReleaseIssue],
    has_more: bool,
}

impl Page for ReleasePage {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl ReleasePage {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    fn tables(&self) -> Vec<IssueTable<'_>> {
        let table =
            |anchor, heading, issues, has_more| IssueTable { anchor, heading, issues, has_more };
        let has_more = self.release.issues_new > self.new.len() as u64;
        let mut tables = vec![table("new", "New in this release", self.new.as_slice(), has_more)];
        if !self.seen.is_empty() {
            tables.push(table("seen", "Also seen in this release", &self.seen, false));
        }
        tables
    }

    /// Whether its events come from minified scripts, as far as the project says.
    fn wants_bundles(&self) -> bool {
        let platform = self.project.platform.as_deref().unwrap_or_default();
        platform.starts_with("javascript") || platform.starts_with("node")
    }

    fn source_maps_command(&self) -> String {
        self.upload.source_maps_of_release(&self.release.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_frames_are_resolved_only_when_all_are() {
        let percent = |resolved, unresolved| Frames { resolved, unresolved }.percent();
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(999, 1), Some(99));
        assert_eq!(percent(7, 0), Some(100));
        assert_eq!(percent(u64::MAX, u64::MAX), Some(1));
    }
}
