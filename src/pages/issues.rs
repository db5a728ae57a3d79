//! The issues of one project, or of an organization: found, ordered, and changed by the handful.

use askama::Template;
use protocol::level::Level;
use protocol::time::Timestamp;

use crate::bars::Spark;
use crate::chrome::{Chrome, Project};
use crate::figure::{counted, full};
use crate::first_event::FirstEvent;
use crate::issue::IssueStatus;
use crate::page::{Page, RenderError};
use crate::search::Search;
use crate::when::When;

/// `/{organization}/{project}/issues/` and `/{organization}/issues/`.
#[derive(Debug, Clone, Template)]
#[template(path = "issues.html")]
pub struct IssueList {
    /// Around the page.
    pub chrome: Chrome,
    /// The project; `None` lists all of the organization's.
    pub project: Option<Project>,
    /// What is asked for.
    pub search: Search,
    /// Why the search was not understood.
    pub refused: Option<RefusedTerm>,
    /// One page of issues, in the order they are shown.
    pub issues: Vec<IssueRow>,
    /// Values that the list can be narrowed to.
    pub facets: Vec<Facet>,
    /// Issues of each status, in the order of the tabs; empty where that is not known.
    pub counts: Vec<u64>,
    /// Address of the page before, where there is one.
    pub previous: Option<String>,
    /// Address of the next page, where there is one.
    pub next: Option<String>,
    /// What was changed by the request before this one.
    pub changed: Option<Changed>,
    /// What an empty list says.
    pub hints: Hints,
    /// The project's DSN, for the empty list.
    pub dsn: String,
    /// Whether there ever was an event; decides what an empty list says.
    pub has_events: bool,
}

/// A term of a search that was not understood.
#[derive(Debug, Clone)]
pub struct RefusedTerm {
    /// As it was written.
    pub term: String,
    /// Why, as a fragment.
    pub why: String,
}

/// A tag with its most frequent values.
#[derive(Debug, Clone)]
pub struct Facet {
    /// Its key: `environment`.
    pub key: String,
    /// What it is called: `Environment`.
    pub words: &'static str,
    /// The values, those that matter most first.
    pub values: Vec<String>,
}

/// What a change of several issues did.
#[derive(Debug, Clone, Copy)]
pub struct Changed {
    /// How many had another status.
    pub issues: u64,
    /// The status they have now.
    pub status: IssueStatus,
}

/// What might help where nothing was found.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// Tags that no issue has, each with the name that was probably meant.
    pub unknown_tags: Vec<(String, Option<String>)>,
    /// Whether the same search finds something in other statuses or further back.
    pub is_elsewhere: bool,
}

/// One issue of the list.
#[derive(Debug, Clone)]
pub struct IssueRow {
    /// The issue's id.
    pub id: i64,
    /// `APP-1K`.
    pub short_id: String,
    /// Address of its page.
    pub url: String,
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
    /// Events over the period of the list, oldest first, in [`crate::search::Period::spread`]'s bars.
    pub trend: Vec<u64>,
}

impl Page for IssueList {
    fn html(&self) -> Result<String, RenderError> {
        self.render()
    }
}

/// The tabs, in their order.
const TABS: [(Option<IssueStatus>, &str); 4] = [
    (Some(IssueStatus::Unresolved), "Unresolved"),
    (Some(IssueStatus::Resolved), "Resolved"),
    (Some(IssueStatus::Ignored), "Ignored"),
    (None, "All"),
];

/// Severities that the list can be narrowed to.
const LEVELS: [&str; 5] = ["fatal", "error", "warning", "info", "debug"];

impl IssueList {
    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    fn first_event(&self, project: &Project) -> FirstEvent {
        FirstEvent::new(&self.dsn, "first", project)
    }

    /// What the list is of.
    fn name(&self) -> &str {
        self.project.as_ref().map_or(&self.chrome.organization, |project| &project.name)
    }

    fn tabs(&self) -> Vec<Tab> {
        let current = self.search.status();
        let tab = |(at, (status, words)): (usize, (Option<IssueStatus>, &'static str))| Tab {
            words,
            url: self.search.status_url(status.as_ref()),
            is_current: self.refused.is_none() && current == Ok(status),
            count: self.counts.get(at).map(|count| crate::figure::count(*count)),
        };
        TABS.into_iter().enumerate().map(tab).collect()
    }

    fn level_facet(&self) -> Facet {
        let values = LEVELS.iter().map(|level| (*level).to_owned()).collect();
        Facet { key: "level".to_owned(), words: "Level", values }
    }

    /// The menus of filters.
    fn menus(&self) -> Vec<Menu> {
        let level = self.level_facet();
        let facets = self.facets.iter().chain([&level]).filter(|facet| !facet.values.is_empty());
        facets.map(|facet| Menu::of(facet, &self.search)).collect()
    }

    fn spark(&self, issue: &IssueRow) -> Spark {
        let total: u64 = issue.trend.iter().sum();
        let period = self.search.period.trend_words();
        Spark::new(format!("{} in {period}", counted(total, "event", "events")), &issue.trend)
    }

    fn changed_words(&self) -> Option<String> {
        let changed = self.changed?;
        let issues = match changed.issues {
            0 => {
                return Some(
                    "Nothing was changed: nothing was chosen, or it was so already.".to_owned(),
                );
            }
            1 => "1 issue is".to_owned(),
            many => format!("{} issues are", full(many)),
        };
        let state = match changed.status {
            IssueStatus::Unresolved => "unresolved again",
            IssueStatus::Resolved if changed.issues == 1 => {
                "resolved now; a new event brings it back"
            }
            IssueStatus::Resolved => "resolved now; a new event brings them back",
            IssueStatus::Ignored => "ignored now",
        };
        Some(format!("{issues} {state}."))
    }

    /// What can be done with several issues, without what they all are already.
    fn actions(&self) -> Vec<(IssueStatus, &'static str)> {
        let all = [
            (IssueStatus::Resolved, "Resolve"),
            (IssueStatus::Ignored, "Ignore"),
            (IssueStatus::Unresolved, "Reopen"),
        ];
        let current = self.search.status();
        all.into_iter().filter(|(status, _)| current != Ok(Some(*status))).collect()
    }

    fn has_pages(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

/// One tab.
struct Tab {
    words: &'static str,
    url: String,
    is_current: bool,
    count: Option<String>,
}

/// A menu of one filter.
struct Menu {
    words: &'static str,
    /// The value that the search has, where it has one of these.
    chosen: Option<String>,
    choices: Vec<Choice>,
}

struct Choice {
    value: String,
    url: String,
    is_chosen: bool,
}

impl Menu {
    fn of(facet: &Facet, search: &Search) -> Self {
        let choice = |value: &String| Choice {
            value: value.clone(),
            url: search.toggle_url(&facet.key, value),
            is_chosen: search.has(&facet.key, value),
        };
        let choices: Vec<Choice> = facet.values.iter().map(choice).collect();
        let chosen = choices.iter().find(|choice| choice.is_chosen);
        Self { words: facet.words, chosen: chosen.map(|choice| choice.value.clone()), choices }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(list: &IssueList) -> String {
        list.html().unwrap()
    }

    #[test]
    fn a_search_that_is_not_understood_says_which_word() {
        let list = IssueList::sample_refused();
        let html = html(&list);
        assert!(
            html.contains("<code>assigned:me</code>") && html.contains("not assigned"),
            "{html}"
        );
        assert!(html.contains("value=\"is:unresolved assigned:me\""), "{html}");
    }

    #[test]
    fn an_empty_search_says_what_to_change() {
        let html = html(&IssueList::sample_nothing());
        for words in ["enviroment", "environment", "Search everywhere", "Without"] {
            assert!(html.contains(words), "{words}: {html}");
        }
    }

    #[test]
    fn what_is_chosen_can_be_taken_away_again() {
        let mut list = IssueList::sample();
        list.search.query = "is:unresolved environment:production".to_owned();
        list.search.terms = vec!["is:unresolved".to_owned(), "environment:production".to_owned()];
        let html = html(&list);
        assert!(html.contains("aria-label=\"Remove environment:production\""), "{html}");
        assert!(html.contains("Environment <b>production</b>"), "{html}");
    }

    #[test]
    fn an_organizations_list_names_no_project() {
        let mut list = IssueList::sample();
        list.project = None;
        list.chrome.project = None;
        list.search.path = "/default/issues/".to_owned();
        let html = html(&list);
        assert!(html.contains("action=\"/default/issues/\""), "{html}");
        assert!(html.contains("action=\"/default/issues/status\""), "{html}");
    }
}
