//! Realistic pages, for tests and for looking at them (`cargo run -p symbolist-pages --example samples DIR`).

use protocol::event::Event;
use protocol::level::Level;
use protocol::time::Timestamp;

use crate::activity::Activity;
use crate::chrome::{Chrome, Project, Section, Theme};
use crate::help::UploadHelp;
use crate::issue::{
    Attachment, Issue, IssuePage, IssueStats, IssueStatus, Navigation, TagShare, TraceView,
};
use crate::issues::{IssueList, IssueRow, StatusTab};
use crate::login::Login;
use crate::message::MessagePage;
use crate::missing::MissingPage;
use crate::page::{Page, RenderError};
use crate::projects::{ProjectRow, Projects};
use crate::source::Contexts;

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
    Ok(vec![
        ("login", Login::sample().html()?),
        ("login-refused", Login::sample_refused().html()?),
        ("projects", Projects::sample().html()?),
        ("projects-new", Projects::sample_new().html()?),
        ("projects-empty", Projects::sample_empty().html()?),
        ("issues", IssueList::sample().html()?),
        ("issues-new", IssueList::sample_new().html()?),
        ("issues-done", IssueList::sample_done().html()?),
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
    ])
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

impl IssueList {
    /// A page of unresolved issues.
    pub fn sample() -> Self {
        let project = Project::sample();
        Self {
            chrome: Chrome::sample_in(&project),
            project,
            issues: sample_rows(),
            filter: StatusTab::Unresolved,
            next: Some("/default/billing/issues/?cursor=17".to_owned()),
            first: None,
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
        Self { issues: Vec::new(), next: None, ..Self::sample() }
    }
}

fn sample_rows() -> Vec<IssueRow> {
    let long = "connection to postgres://billing@db-1.internal:5432/billing was closed by the server while a \
                transaction was open (SQLSTATE 57P01)";
    let row =
        |short_id: &str, title: &str, culprit: &str, level, events: u64, minutes: i64| IssueRow {
            id: i64::try_from(events).unwrap_or(i64::MAX),
            short_id: short_id.to_owned(),
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
fn sample_days(events: u64) -> Vec<u64> {
    let shape: [u64; 30] = [
        4, 5, 3, 8, 6, 2, 1, 5, 6, 4, 7, 9, 3, 2, 6, 11, 19, 24, 15, 12, 9, 10, 8, 7, 11, 14, 9,
        12, 16, 21,
    ];
    let sum: u64 = shape.iter().sum();
    shape.iter().map(|part| part * events / sum).collect()
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
        page.stats.tags.push(TagShare { key: attack.clone(), value: attack.clone(), percent: 3 });
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
    let tag = |key: &str, value: &str, percent| TagShare {
        key: key.to_owned(),
        value: value.to_owned(),
        percent,
    };
    IssueStats {
        daily: sample_days(1_284),
        tags: vec![
            tag("os", "Linux 6.12", 91),
            tag("arch", "x86_64", 78),
            tag("region", "eu-west", 64),
            tag("queue", "invoices", 100),
        ],
    }
}
