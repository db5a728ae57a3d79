//! Uploaded source maps: the bundles of a project, and the files of one.

use askama::Template;
use protocol::time::Timestamp;

use crate::chrome::{Chrome, Project};
use crate::figure::counted;
use crate::help::UploadHelp;
use crate::page::{Page, RenderError};
use crate::releases::BundleRow;
use crate::when::When;

/// `/{organization}/{project}/source-maps/`.
#[derive(Debug, Clone, Template)]
#[template(path = "artifact_bundles.html")]
pub struct ArtifactBundleList {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// What is searched for, a debug id or part of a file's name or a release; empty: nothing.
    pub query: String,
    /// One page of bundles, newest first.
    pub bundles: Vec<BundleRow>,
    /// Address of the first page, where this is another.
    pub first: Option<String>,
    /// Address of the next page (older), where there is one.
    pub next: Option<String>,
    /// Commands that upload.
    pub upload: UploadHelp,
}

impl Page for ArtifactBundleList {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl ArtifactBundleList {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }
}

/// `/{organization}/{project}/source-maps/{bundle}/`.
#[derive(Debug, Clone, Template)]
#[template(path = "artifact_bundle.html")]
pub struct ArtifactBundlePage {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The bundle.
    pub bundle: BundleRow,
    /// Addresses of the pages of its releases, in their order.
    pub release_urls: Vec<String>,
    /// Its files, at most a page; `bundle.files` says how many there are.
    pub files: Vec<BundledFile>,
}

/// A file in a bundle.
#[derive(Debug, Clone)]
pub struct BundledFile {
    /// Name to look it up by.
    pub url: String,
    /// The manifest's word for its kind.
    pub kind: String,
    /// Which build it belongs to.
    pub debug_id: Option<String>,
    /// A minified file that no map of the bundle belongs to.
    pub lacks_map: bool,
}

impl BundledFile {
    fn words(&self) -> String {
        self.kind.replace('_', " ")
    }
}

impl Page for ArtifactBundlePage {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

impl ArtifactBundlePage {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    /// How many files are left out, in words.
    fn hidden(&self) -> Option<String> {
        let hidden = self.bundle.files.saturating_sub(self.files.len() as u64);
        let words = || counted(hidden, "more file is not shown.", "more files are not shown.");
        (hidden > 0).then(words)
    }

    fn linked_releases(&self) -> impl Iterator<Item = (&String, &String)> {
        self.bundle.releases.iter().zip(&self.release_urls)
    }
}
