//! What stands around every page: who is signed in, where one is, what time it is.

use protocol::time::Timestamp;

use crate::address::encoded;

/// Around the page: filled by the server for every page of a signed-in user.
#[derive(Debug, Clone)]
pub struct Chrome {
    /// E-mail address of the signed-in user.
    pub user_email: String,
    /// Slug of the organization.
    pub organization: String,
    /// Which entry of the main navigation is current.
    pub section: Section,
    /// Token that every form sends back as `csrf`.
    pub csrf: String,
    /// What stands in the search field; `None` hides the field. It is sent as `query` to the project's
    /// issue list, so it is shown only where `project` is known.
    pub search: Option<String>,
    /// The project one is in.
    pub project: Option<Project>,
    /// Light, dark, or what the system says.
    pub theme: Theme,
    /// When the page is made; relative times are relative to it.
    pub now: Timestamp,
}

/// Entry of the main navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// The list of projects.
    Projects,
    /// A project's issues, and everything below.
    Issues,
    /// The files that a project's events wait for.
    Missing,
    /// A project's releases.
    Releases,
    /// A project's debug files.
    DebugFiles,
    /// A project's source maps.
    SourceMaps,
    /// None of them.
    None,
}

/// Which colours a page has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    /// As the system says.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl Theme {
    /// All themes, in the order of the switch.
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// Returns the word that the form sends and the cookie holds.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// Reads that word; anything unknown is [`Theme::System`].
    pub fn from_text(text: &str) -> Self {
        Self::ALL.into_iter().find(|theme| theme.as_str() == text).unwrap_or_default()
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }

    /// Returns the class of the `html` element.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::System => "",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The project a page is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Slug of its organization.
    pub organization: String,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its platform, where known.
    pub platform: Option<String>,
}

impl Project {
    /// Returns the address of its issue list.
    pub fn issues_url(&self) -> String {
        format!("/{}/{}/issues/", self.organization, self.slug)
    }

    /// Returns the address of the list of files that its events wait for.
    pub fn missing_url(&self) -> String {
        format!("/{}/{}/missing/", self.organization, self.slug)
    }

    /// Returns the address that says whether an event came.
    pub fn first_event_url(&self) -> String {
        format!("/{}/{}/first-event", self.organization, self.slug)
    }

    /// Returns the address of its releases.
    pub fn releases_url(&self) -> String {
        format!("/{}/{}/releases/", self.organization, self.slug)
    }

    /// Returns the address of one of its releases.
    pub fn release_url(&self, version: &str) -> String {
        format!("{}{}/", self.releases_url(), encoded(version))
    }

    /// Returns the address of its debug files.
    pub fn debug_files_url(&self) -> String {
        format!("/{}/{}/debug-files/", self.organization, self.slug)
    }

    /// Returns the address of its source maps.
    pub fn source_maps_url(&self) -> String {
        format!("/{}/{}/source-maps/", self.organization, self.slug)
    }

    /// Returns the address of one of its issues, showing the latest event.
    pub fn issue_url(&self, short_id: &str) -> String {
        format!("/{}/{}/issues/{short_id}/", self.organization, self.slug)
    }
}
