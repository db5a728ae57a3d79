//! Realistic pages, for tests and for looking at them (`cargo run -p symbolist-pages --example samples DIR`).

use protocol::event::Event;
use protocol::time::Timestamp;

use crate::activity::Activity;
use crate::chrome::{Chrome, Project, Section, Theme};
use crate::events::{EventRow, IssueEvents};
use crate::help::UploadHelp;
use crate::issue::{
    Attachment, Grouping, Issue, IssuePage, IssueStats, IssueStatus, Navigation, TraceView,
};
use crate::issue_head::IssueHead;
use crate::issues::IssueList;
use crate::login::Login;
use crate::message::MessagePage;
use crate::missing::MissingPage;
use crate::page::{Page, RenderError};
use crate::projects::{ProjectRow, Projects};
use crate::source::Contexts;
use crate::tags::{IssueTags, TagShare, TagValue};

mod issue_list;

/// When all samples are made: 2026-11-21 07:44:22 UTC.
const NOW: Timestamp = Timestamp(1_795_247_062_000);
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const DSN: &str = "http://7d1f4c0a9be64f20a1c53e8b7f2d6c90@127.0.0.1:8000/1";

/// Returns every sample page by name.
///
/// # Errors
/// Where a page could not be written.
pub fn all() -> Result<Vec<(&'static str, String)>, RenderError> {
    let native = IssuePage::sample();
    let with = |view, raw| IssuePage { view, raw, ..native.clone() };
    let mut all = vec![
        ("login", Login::sample().html()?),
        ("login-refused", Login::sample_refused().html()?),
        ("projects", Projects::sample().html()?),
        ("projects-new", Projects::sample_new().html()?),
        ("projects-empty", Projects::sample_empty().html()?),
        ("issues", IssueList::sample().html()?),
        ("issues-new", IssueList::sample_new().html()?),
        ("issues-done", IssueList::sample_done().html()?),
        ("issues-searched", IssueList::sample_searched().html()?),
        ("issues-nothing", IssueList::sample_nothing().html()?),
        ("issues-refused", IssueList::sample_refused().html()?),
        ("issue-events", IssueEvents::sample().html()?),
        ("issue-events-gone", IssueEvents::sample_empty().html()?),
        ("issue-tags", IssueTags::sample().html()?),
        ("issue", native.html()?),
        ("issue-full", with(TraceView::Full, false).html()?),
        ("issue-text", with(TraceView::Raw, false).html()?),
        ("issue-as-sent", with(TraceView::Relevant, true).html()?),
        ("issue-javascript", IssuePage::sample_javascript().html()?),
        ("issue-python", IssuePage::sample_python().html()?),
        ("issue-hostile", IssuePage::sample_hostile().html()?),
        ("missing", missing_sample(false).html()?),
        ("missing-none", missing_sample(true).html()?),
        ("not-found", MessagePage::not_found(Some(Chrome::sample(Section::None))).html()?),
        ("forbidden", MessagePage::forbidden(Some(Chrome::sample(Section::None))).html()?),
        ("failed", MessagePage::failed(None, Some("01JD3W8Q".to_owned())).html()?),
        ("busy", MessagePage::busy().html()?),
        ("first-run", MessagePage::first_run().html()?),
    ];
    all.extend(crate::sample_uploads::all()?);
    Ok(all)
}

fn ago(ms: i64) -> Timestamp {
    Timestamp(NOW.ms() - ms)
}

impl Chrome {
    /// A signed-in owner.
    pub fn sample(section: Section) -> Self {
        Self {
            user_email: "owner@example.com".to_owned(),
            organization: "default".to_owned(),
            section,
            csrf: "3f9a1c5e".to_owned(),
            search: None,
            project: None,
            theme: Theme::System,
            now: NOW,
        }
    }

    fn sample_in(project: &Project) -> Self {
        Self {
            project: Some(project.clone()),
            search: Some(String::new()),
            ..Self::sample(Section::Issues)
        }
    }
}

impl Project {
    /// A Rust program.
    pub fn sample() -> Self {
        Self {
            organization: "default".to_owned(),
            slug: "billing".to_owned(),
            name: "billing".to_owned(),
            platform: Some("rust".to_owned()),
        }
    }
}

impl Projects {
    /// Three busy projects and a new one.
    pub fn sample() -> Self {
        let row = |slug: &str, platform: &str, issues, events, minutes: Option<i64>| ProjectRow {
            slug: slug.to_owned(),
            name: slug.to_owned(),
            platform: Some(platform.to_owned()),
            issues_unresolved: issues,
            events_24h: events,
            last_event: minutes.map(|minutes| ago(minutes * MINUTE_MS)),
            dsn: DSN.to_owned(),
        };
        Self {
            chrome: Chrome::sample(Section::Projects),
            organization: "default".to_owned(),
            others: Vec::new(),
            projects: vec![
                row("billing", "rust", 14, 1_284, Some(3)),
                row("shop", "javascript", 52, 128_400, Some(0)),
                row("api", "python", 7, 311, Some(32)),
                row("firmware-updater", "native", 0, 0, Some(9 * 24 * 60)),
            ],
        }
    }

    /// Right after the first start.
    pub fn sample_new() -> Self {
        let mut page = Self::sample();
        page.projects.drain(1..);
        for row in &mut page.projects {
            "app".clone_into(&mut row.slug);
            "app".clone_into(&mut row.name);
            row.platform = None;
            row.issues_unresolved = 0;
            row.events_24h = 0;
            row.last_event = None;
        }
        page
    }

    /// No project at all.
    pub fn sample_empty() -> Self {
        Self { projects: Vec::new(), ..Self::sample() }
    }
}

impl IssuePage {
    /// A Rust panic, with a library whose debug file is missing.
    pub fn sample() -> Self {
        Self::of(include_str!("samples/native.json"), Project::sample(), "BILLING-1K")
    }

    /// A minified browser error, partly mapped.
    pub fn sample_javascript() -> Self {
        let project = Project {
            slug: "shop".to_owned(),
            name: "shop".to_owned(),
            platform: Some("javascript".to_owned()),
            ..Project::sample()
        };
        Self::of(include_str!("samples/javascript.json"), project, "SHOP-8C")
    }

    /// A chain of Python exceptions, with variables.
    pub fn sample_python() -> Self {
        let project = Project {
            slug: "api".to_owned(),
            name: "api".to_owned(),
            platform: Some("python".to_owned()),
            ..Project::sample()
        };
        let mut page = Self::of(include_str!("samples/python.json"), project, "API-3");
        page.issue.status = IssueStatus::Resolved;
        page
    }

    /// The native sample with markup wherever a stranger can put some.
    pub fn sample_hostile() -> Self {
        let json = include_str!("samples/native.json");
        let attack =
            r#"\"><script>alert(1)</script><img src=x onerror=alert(2)>' style=color:red "#;
        let json = json
            .replace("billing::main", attack)
            .replace("src/billing.rs", attack)
            .replace("libpayments.so", attack)
            .replace("eu-west", attack)
            .replace("charging order", attack)
            .replace("index out of bounds", attack)
            .replace("billing@2.4.1", attack)
            .replace("A-100", attack);
        let mut page = Self::of(&json, Project::sample(), "BILLING-1K");
        let attack = attack.replace('\\', "");
        page.issue.title.clone_from(&attack);
        page.issue.culprit.clone_from(&attack);
        let value = TagValue { value: attack.clone(), events: 3, percent: 3, url: "/".to_owned() };
        page.stats.tags.push(TagShare { key: attack.clone(), values: vec![value], hidden: 0 });
        page.attachments.push(Attachment {
            name: attack.clone(),
            kind: attack,
            bytes: 1,
            url: "/attachment".to_owned(),
        });
        page
    }

    fn of(json: &str, project: Project, short_id: &str) -> Self {
        let event = Event::from_json(json.as_bytes()).unwrap_or_default();
        let issue = sample_issue(&event, short_id);
        let current =
            format!("{}events/a1c0ffee2b7d41f8b0e95d3a7c214f60/", project.issue_url(short_id));
        Self {
            chrome: Chrome::sample_in(&project),
            upload: sample_help(&project),
            project,
            issue,
            event,
            navigation: Navigation {
                older: Some(format!("{current}older")),
                oldest: Some(format!("{current}oldest")),
                newer: None,
                latest: None,
                position: "1 of 1,284".to_owned(),
                json: format!("{current}json"),
                text: format!("{current}text"),
                markdown: format!("{current}markdown"),
                current,
            },
            view: TraceView::Relevant,
            raw: false,
            contexts: Contexts::new(),
            attachments: vec![Attachment {
                name: "billing.log".to_owned(),
                kind: "event.attachment".to_owned(),
                bytes: 48_213,
                url: "/api/0/projects/default/billing/events/a1c0/attachments/1/?download=1"
                    .to_owned(),
            }],
            stats: sample_stats(),
            grouping: sample_grouping(),
            activity: Activity::sample(NOW),
        }
    }
}

fn sample_issue(event: &Event, short_id: &str) -> Issue {
    let newest = event.exception.values.last();
    let kind = newest.and_then(|e| e.kind.clone()).unwrap_or_default();
    let value = newest.and_then(|e| e.value.clone()).unwrap_or_default();
    let frames = newest.and_then(|e| e.stacktrace.as_ref()).map(|s| s.frames.as_slice());
    let own = frames.unwrap_or_default().iter().rev().find(|frame| frame.in_app == Some(true));
    Issue {
        id: 1,
        short_id: short_id.to_owned(),
        title: format!("{kind}: {value}"),
        culprit: own.and_then(|frame| frame.function.clone()).unwrap_or_default(),
        level: event.level.unwrap_or_default(),
        status: IssueStatus::Unresolved,
        times_seen: 1_284,
        users: 87,
        first_seen: ago(2 * DAY_MS + 330 * MINUTE_MS),
        last_seen: ago(3 * MINUTE_MS),
        first_release: Some("billing@2.4.0".to_owned()).filter(|_| short_id.starts_with('B')),
        last_release: event.release.clone(),
        status_changed: None,
    }
}

fn missing_sample(is_empty: bool) -> MissingPage {
    let project = Project::sample();
    let chrome = Chrome { section: Section::Missing, ..Chrome::sample_in(&project) };
    let mut page = MissingPage::sample(chrome, project.clone(), &sample_help(&project));
    if is_empty {
        page.files.clear();
    }
    page
}

fn sample_help(project: &Project) -> UploadHelp {
    let waiting = [
        ("debug-id:bf5627ec-1a34-c0cc-408d-e3b4ae21aaee", 214),
        ("sourcemap:5ca1ab1e-77aa-4c0b-8d2e-90ab12cd34ef", 1_021),
    ];
    UploadHelp {
        origin: "http://127.0.0.1:8000".to_owned(),
        organization: project.organization.clone(),
        project: project.slug.clone(),
        waiting: waiting.into_iter().map(|(key, count)| (key.to_owned(), count)).collect(),
    }
}

fn sample_stats() -> IssueStats {
    let value = |(value, percent): &(&str, u8)| TagValue {
        value: (*value).to_owned(),
        events: u64::from(*percent) * 12,
        percent: *percent,
        url: "/default/billing/issues/?query=is%3Aunresolved".to_owned(),
    };
    let tag = |key: &str, values: &[(&str, u8)], hidden| TagShare {
        key: key.to_owned(),
        values: values.iter().map(value).collect(),
        hidden,
    };
    IssueStats {
        daily: issue_list::sample_days(1_284),
        tags: vec![
            tag("os", &[("Linux 6.12", 91), ("Linux 6.1", 7), ("Windows 11", 2)], 0),
            tag("arch", &[("x86_64", 78), ("arm64", 22)], 0),
            tag("region", &[("eu-west", 64), ("us-east", 20), ("us-west", 9)], 5),
            tag("queue", &[("invoices", 100)], 0),
        ],
    }
}

fn sample_grouping() -> Grouping {
    let part = |source: &str, value: &str| (source.to_owned(), value.to_owned());
    Grouping {
        hash: "0f2d1c5b7a9e4d3f8c6b5a4e3d2c1b0a".to_owned(),
        version: 1,
        hashes: 1,
        parts: vec![
            part("exception type", "panic"),
            part("frame", "billing::main"),
            part("frame", "billing::total"),
            part("frame", "<billing::TieredPricing as billing::Pricing>::price"),
        ],
    }
}

fn sample_head() -> IssueHead {
    IssueHead {
        short_id: "BILLING-1K".to_owned(),
        title: "panic: index out of bounds: the len is 0 but the index is 3".to_owned(),
        culprit: "<billing::TieredPricing as billing::Pricing>::price".to_owned(),
        events: 1_284,
    }
}

impl IssueEvents {
    /// The newest events of an issue.
    pub fn sample() -> Self {
        let project = Project::sample();
        let row = |minutes: i64, user: Option<&str>| EventRow {
            id: format!("{:032x}", 0xa1c0_ffee_u64.wrapping_mul(minutes.unsigned_abs() + 7)),
            url: project.issue_url("BILLING-1K"),
            at: ago(minutes * MINUTE_MS),
            release: Some("billing@2.4.1".to_owned()),
            environment: Some("production".to_owned()),
            user: user.map(str::to_owned),
            words: Some("index out of bounds: the len is 0 but the index is 3".to_owned()),
            place: Some("POST /invoices".to_owned()),
        };
        Self {
            chrome: Chrome::sample_in(&project),
            events: vec![row(3, Some("ada@example.com")), row(41, None), row(9_000, Some("7"))],
            head: sample_head(),
            previous: None,
            next: Some("/default/billing/issues/BILLING-1K/events/?cursor=1".to_owned()),
            project,
        }
    }

    /// All of its events are gone.
    pub fn sample_empty() -> Self {
        Self { events: Vec::new(), next: None, ..Self::sample() }
    }
}

impl IssueTags {
    /// All tags of an issue.
    pub fn sample() -> Self {
        let project = Project::sample();
        Self {
            chrome: Chrome::sample_in(&project),
            head: sample_head(),
            tags: sample_stats().tags,
            project,
        }
    }
}
