//! Lists of issues: full, empty, searched, not understood.

use protocol::level::Level;

use super::{DAY_MS, DSN, MINUTE_MS, ago};
use crate::chrome::{Chrome, Project};
use crate::issue::IssueStatus;
use crate::issues::{Changed, Facet, Hints, IssueList, IssueRow, RefusedTerm};
use crate::search::{Period, Search, Sort};

impl Search {
    /// What the plain list of the sample project asks for.
    fn sample() -> Self {
        Self {
            path: "/default/billing/issues/".to_owned(),
            query: "is:unresolved".to_owned(),
            terms: vec!["is:unresolved".to_owned()],
            sort: Sort::LastSeen,
            period: Period::All,
        }
    }

    fn sample_of(terms: &[&str]) -> Self {
        let terms: Vec<String> = terms.iter().map(|term| (*term).to_owned()).collect();
        Self { query: terms.join(" "), terms, ..Self::sample() }
    }
}

impl IssueList {
    /// A page of unresolved issues.
    pub fn sample() -> Self {
        let project = Project::sample();
        let facet = |key: &str, words, values: &[&str]| Facet {
            key: key.to_owned(),
            words,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        Self {
            chrome: Chrome { search: None, ..Chrome::sample_in(&project) },
            project: Some(project),
            search: Search::sample(),
            refused: None,
            issues: sample_rows(),
            facets: vec![
                facet("environment", "Environment", &["production", "staging"]),
                facet("release", "Release", &["billing@2.4.1", "billing@2.4.0"]),
            ],
            counts: vec![14, 231, 3, 248],
            previous: None,
            next: Some("/default/billing/issues/?cursor=17".to_owned()),
            changed: None,
            hints: Hints::default(),
            dsn: DSN.to_owned(),
            has_events: true,
        }
    }

    /// A project without any event.
    pub fn sample_new() -> Self {
        Self { issues: Vec::new(), next: None, has_events: false, ..Self::sample() }
    }

    /// A project where everything is resolved.
    pub fn sample_done() -> Self {
        let changed = Some(Changed { issues: 14, status: IssueStatus::Resolved });
        Self { issues: Vec::new(), next: None, changed, ..Self::sample() }
    }

    /// A search with filters, after something was changed.
    pub fn sample_searched() -> Self {
        let search = Search {
            period: Period::Day,
            sort: Sort::Events,
            ..Search::sample_of(&["is:unresolved", "environment:production", "is:unhandled"])
        };
        let changed = Some(Changed { issues: 3, status: IssueStatus::Ignored });
        Self { search, changed, counts: Vec::new(), ..Self::sample() }
    }

    /// A search that finds nothing.
    pub fn sample_nothing() -> Self {
        let hints = Hints {
            unknown_tags: vec![("enviroment".to_owned(), Some("environment".to_owned()))],
            is_elsewhere: true,
        };
        let search = Search::sample_of(&["is:unresolved", "enviroment:production", "disk"]);
        Self { search, hints, issues: Vec::new(), next: None, counts: Vec::new(), ..Self::sample() }
    }

    /// A search that is not understood.
    pub fn sample_refused() -> Self {
        let refused = RefusedTerm {
            term: "assigned:me".to_owned(),
            why: "issues are not assigned to people here".to_owned(),
        };
        let search = Search {
            query: "is:unresolved assigned:me".to_owned(),
            terms: Vec::new(),
            ..Search::sample()
        };
        Self { search, refused: Some(refused), ..Self::sample_nothing() }
    }
}

fn sample_rows() -> Vec<IssueRow> {
    let long = "connection to postgres://billing@db-1.internal:5432/billing was closed by the server while a \
                transaction was open (SQLSTATE 57P01)";
    let row =
        |short_id: &str, title: &str, culprit: &str, level, events: u64, minutes: i64| IssueRow {
            id: i64::try_from(events).unwrap_or(i64::MAX),
            short_id: short_id.to_owned(),
            url: Project::sample().issue_url(short_id),
            title: title.to_owned(),
            culprit: culprit.to_owned(),
            level,
            status: IssueStatus::Unresolved,
            platform: "native".to_owned(),
            times_seen: events,
            users: events / 15,
            first_seen: ago(2 * DAY_MS + minutes * MINUTE_MS),
            last_seen: ago(minutes * MINUTE_MS),
            release: Some("billing@2.4.1".to_owned()),
            unresolved_frames: false,
            handled: None,
            trend: sample_days(events),
        };
    vec![
        IssueRow {
            unresolved_frames: true,
            handled: Some(false),
            ..row(
                "BILLING-1K",
                "panic: index out of bounds: the len is 0 but the index is 3",
                "<billing::TieredPricing as billing::Pricing>::price",
                Level::Fatal,
                1_284,
                3,
            )
        },
        row("BILLING-1J", long, "billing::store::Orders::open", Level::Error, 412, 11),
        IssueRow {
            handled: Some(false),
            release: None,
            ..row("BILLING-12", "SIGSEGV: 0x7f31a2c04b9e", "libpayments.so", Level::Fatal, 214, 47)
        },
        row(
            "BILLING-Z",
            "no discounts configured, list is empty",
            "billing::config",
            Level::Warning,
            128_400,
            95,
        ),
        row("BILLING-4", "invoice run finished", "billing::run", Level::Info, 31, 60 * 26),
    ]
}

/// Thirty days that look like a week's rhythm with a rise at the end.
pub(super) fn sample_days(events: u64) -> Vec<u64> {
    let shape: [u64; 30] = [
        4, 5, 3, 8, 6, 2, 1, 5, 6, 4, 7, 9, 3, 2, 6, 11, 19, 24, 15, 12, 9, 10, 8, 7, 11, 14, 9,
        12, 16, 21,
    ];
    let sum: u64 = shape.iter().sum();
    shape.iter().map(|part| part * events / sum).collect()
}
