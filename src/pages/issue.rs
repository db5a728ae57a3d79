//! The issue page: one event of an issue, its stack trace first.

use askama::Template;
use protocol::event::Event;
use protocol::level::Level;
use protocol::stacktrace::FrameStatus;
use protocol::time::Timestamp;

use crate::activity::Activity;
use crate::bars::Bars;
use crate::chrome::{Chrome, Project};
use crate::crumbs::{Crumb, crumbs};
use crate::details::{Section, name_and_version, sections};
use crate::figure::{counted, full};
use crate::frame::is_unresolved;
use crate::help::UploadHelp;
use crate::images::{Images, images};
use crate::page::{Page, RenderError};
use crate::reason::missing_keys;
use crate::source::Contexts;
use crate::tags::TagShare;
use crate::threads::{ThreadCard, other_threads};
use crate::trace::{TraceCard, Viewing, cards, first_missing, resolved, shown_frames};
use crate::when::{When, day_before};

/// `/{organization}/{project}/issues/{short_id}/` and `…/events/{event_id}/`.
#[derive(Debug, Clone)]
pub struct IssuePage {
    /// Around the page.
    pub chrome: Chrome,
    /// The project.
    pub project: Project,
    /// The issue.
    pub issue: Issue,
    /// The event that is shown: the *result*, with `raw_stacktrace` beside `stacktrace`.
    pub event: Event,
    /// The events beside this one.
    pub navigation: Navigation,
    /// How much of the trace is shown; `?view=` in the address.
    pub view: TraceView,
    /// Whether the trace is shown as the SDK sent it; `?raw=1` in the address.
    pub raw: bool,
    /// Source lines read from uploaded files; see [`crate::source::frames`].
    pub contexts: Contexts,
    /// What the commands on the page need, and how many events wait for what.
    pub upload: UploadHelp,
    /// Files that came with the event.
    pub attachments: Vec<Attachment>,
    /// Figures of the issue; what is empty is not shown.
    pub stats: IssueStats,
    /// Why the event is in this issue.
    pub grouping: Grouping,
    /// What happened to the issue.
    pub activity: Activity,
}

/// The issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// Its id.
    pub id: i64,
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
    /// Number of events received.
    pub times_seen: u64,
    /// Number of users affected.
    pub users: u64,
    /// First event.
    pub first_seen: Timestamp,
    /// Last event.
    pub last_seen: Timestamp,
    /// Release of the first event.
    pub first_release: Option<String>,
    /// Release of the last event.
    pub last_release: Option<String>,
    /// When its status was changed last.
    pub status_changed: Option<Timestamp>,
}

/// Whether somebody still has to look at an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IssueStatus {
    /// Somebody has.
    #[default]
    Unresolved,
    /// It is fixed.
    Resolved,
    /// Nobody wants to know.
    Ignored,
}

impl IssueStatus {
    /// Returns the word that the form sends as `status` and the database keeps.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Resolved => "resolved",
            Self::Ignored => "ignored",
        }
    }

    /// Reads that word.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Unresolved, Self::Resolved, Self::Ignored].into_iter().find(|s| s.as_str() == text)
    }

    /// Class of the word's mark.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Unresolved => "",
            Self::Resolved => "good",
            Self::Ignored => "quiet",
        }
    }
}

/// How much of a trace is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TraceView {
    /// The user's frames; library frames fold.
    #[default]
    Relevant,
    /// Every frame.
    Full,
    /// Plain text.
    Raw,
}

impl TraceView {
    /// Reads the value of `?view=`; anything unknown is [`TraceView::Relevant`].
    pub fn from_query(text: &str) -> Self {
        match text {
            "full" => Self::Full,
            "raw" => Self::Raw,
            _ => Self::Relevant,
        }
    }

    fn query(self) -> Option<&'static str> {
        match self {
            Self::Relevant => None,
            Self::Full => Some("view=full"),
            Self::Raw => Some("view=raw"),
        }
    }
}

/// The events beside the one that is shown; an address is `None` where there is none.
#[derive(Debug, Clone, Default)]
pub struct Navigation {
    /// The next older event.
    pub older: Option<String>,
    /// The next newer event.
    pub newer: Option<String>,
    /// The oldest event.
    pub oldest: Option<String>,
    /// The latest event.
    pub latest: Option<String>,
    /// Address of this very event, without a query.
    pub current: String,
    /// Where it stands: `1 of 1,284`.
    pub position: String,
    /// Address of the event's JSON; its text and its Markdown stand beside it.
    pub json: String,
    /// Address of the event as text.
    pub text: String,
    /// Address of the event as Markdown.
    pub markdown: String,
}

impl Navigation {
    /// Returns the words for the event's place among `all`, the newest being the first.
    pub fn position_of(place: u64, all: u64) -> String {
        format!("{} of {}", full(place), full(all))
    }
}

/// A file that came with the event.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// File name.
    pub name: String,
    /// Kind: `event.minidump`, `event.attachment`…
    pub kind: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Where to download it.
    pub url: String,
}

/// Figures of the issue.
#[derive(Debug, Clone, Default)]
pub struct IssueStats {
    /// Events per day, oldest first, the last is today; at most as many as fit (30).
    pub daily: Vec<u64>,
    /// How values of tags are distributed.
    pub tags: Vec<TagShare>,
}

/// Why events are in this issue.
#[derive(Debug, Clone, Default)]
pub struct Grouping {
    /// The hash over all parts, in hex digits.
    pub hash: String,
    /// Version of the algorithm.
    pub version: i64,
    /// Hashes that lead to the issue; more than one after a change of the algorithm.
    pub hashes: usize,
    /// What was hashed: where it comes from, and the value.
    pub parts: Vec<(String, String)>,
}

impl Page for IssuePage {
    fn html(&self) -> Result<String, RenderError> {
        View::new(self).render()
    }
}

/// Everything the template shows, computed.
#[derive(Template)]
#[template(path = "issue.html")]
struct View<'a> {
    chrome: &'a Chrome,
    page: &'a IssuePage,
    cards: Vec<TraceCard>,
    threads: Vec<ThreadCard>,
    threads_hidden: usize,
    crumbs: Vec<Crumb>,
    sections: Vec<Section>,
    images: Images,
    resolved: Option<(usize, usize)>,
    missing: Option<Missing>,
    daily: Option<Bars>,
    plain: String,
}

/// What the facts say about missing files.
struct Missing {
    words: String,
    url: String,
}

impl<'a> View<'a> {
    fn new(page: &'a IssuePage) -> Self {
        let viewing = Viewing {
            event: &page.event,
            view: page.view,
            raw: page.raw,
            contexts: &page.contexts,
            help: &page.upload,
        };
        let cards = cards(&viewing);
        let (threads, threads_hidden) = other_threads(&viewing);
        Self {
            chrome: &page.chrome,
            page,
            missing: missing(page, &cards),
            cards,
            threads,
            threads_hidden,
            crumbs: crumbs(&page.event),
            sections: sections(&page.event),
            images: images(&page.event, &page.upload),
            resolved: resolved(&page.event),
            daily: daily(page),
            plain: if page.raw {
                crate::text::trace_as_sent(&page.event)
            } else {
                crate::text::trace(&page.event)
            },
        }
    }

    fn when(&self, at: &Timestamp) -> When {
        When::new(*at, self.chrome.now)
    }

    /// Address of the same event with another view.
    fn view_url(&self, view: &TraceView, raw: &bool) -> String {
        let raw = raw.then_some("raw=1");
        let query: Vec<&str> = view.query().into_iter().chain(raw).collect();
        let current = &self.page.navigation.current;
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{current}{mark}{}#trace", query.join("&"))
    }

    /// Says whether there is anything to compare: a trace as sent beside the symbolicated one.
    fn has_raw(&self) -> bool {
        let event = &self.page.event;
        event.raw_stacktrace.is_some()
            || event.exception.values.iter().any(|e| e.raw_stacktrace.is_some())
            || event.threads.values.iter().any(|t| t.raw_stacktrace.is_some())
    }

    /// What the trace as sent is called on this platform.
    fn raw_words(&self) -> &'static str {
        match self.page.event.platform.as_deref() {
            Some("javascript" | "node") => "Minified",
            _ => "As sent",
        }
    }

    fn raw_title(&self) -> &'static str {
        match self.page.event.platform.as_deref() {
            Some("javascript" | "node") => "Source-mapped",
            _ => "Symbolicated",
        }
    }

    fn handled(&self) -> Option<bool> {
        self.page.event.exception.values.iter().rev().find_map(|e| e.mechanism.as_ref()?.handled)
    }

    fn message(&self) -> Option<&str> {
        self.page.event.logentry.as_ref().map(|entry| entry.text()).filter(|text| !text.is_empty())
    }

    /// System, runtime, device, browser: what a reader wants to know at a glance.
    fn highlights(&self) -> Vec<(&'static str, String)> {
        let known = [
            ("os", "System"),
            ("runtime", "Runtime"),
            ("rust", "Runtime"),
            ("browser", "Browser"),
            ("device", "Device"),
            ("app", "Application"),
        ];
        let contexts = &self.page.event.contexts;
        let context = |key: &str| contexts.get(key).and_then(name_and_version);
        let mut found: Vec<(&'static str, String)> =
            known.into_iter().filter_map(|(key, words)| Some((words, context(key)?))).collect();
        found.extend(self.page.event.server_name.clone().map(|name| ("Host", name)));
        found
    }

    /// What was hashed, in words.
    fn grouped_by(&self) -> &'static str {
        let is = |source: &str| self.page.grouping.parts.iter().any(|(of, _)| of == source);
        if is("fingerprint") {
            "Events with the same fingerprint, set by the SDK or the program, are one issue."
        } else if is("frame") {
            "Events with the same exceptions and the same functions in the same order are one issue. Lines, \
             addresses and messages do not count."
        } else {
            "Events with the same type and the same message are one issue; numbers, ids and addresses in it do \
             not count."
        }
    }

    fn event_id(&self) -> String {
        self.page.event.event_id.map(|id| id.to_string()).unwrap_or_default()
    }
}

fn daily(page: &IssuePage) -> Option<Bars> {
    let counts = &page.stats.daily;
    let total: u64 = counts.iter().sum();
    let label = format!("{} in {} days", counted(total, "event", "events"), counts.len());
    let title = |back: usize, events: u64| {
        format!("{}: {}", day_before(&page.chrome.now, back), counted(events, "event", "events"))
    };
    (!counts.is_empty()).then(|| Bars::new("bars", label, counts, title))
}

/// `1 debug file missing`, with the first frame that misses it.
fn missing(page: &IssuePage, cards: &[TraceCard]) -> Option<Missing> {
    let mut keys: Vec<String> = Vec::new();
    let mut is_map = false;
    for frame in shown_frames(&page.event).filter(|frame| is_unresolved(frame)) {
        let Some(symbolication) = &frame.symbolication else { continue };
        is_map |= matches!(
            symbolication.status,
            FrameStatus::MissingSourceMap { .. } | FrameStatus::BundleWithoutMap { .. }
        );
        keys.extend(missing_keys(&symbolication.status).into_iter().next());
    }
    keys.sort();
    keys.dedup();
    let number = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    let anchor = first_missing(cards)?;
    let words = match (number, is_map) {
        (0, _) => return None,
        (number, true) => counted(number, "source map missing", "source maps missing"),
        (number, false) => counted(number, "debug file missing", "debug files missing"),
    };
    // Plain text has no frames to point at.
    let page_url = if page.view == TraceView::Raw { page.navigation.current.as_str() } else { "" };
    Some(Missing { words, url: format!("{page_url}#{anchor}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markup::read;
    use crate::source::{FrameContext, frames};

    fn html(page: &IssuePage) -> String {
        page.html().unwrap()
    }

    fn count(html: &str, needle: &str) -> usize {
        html.matches(needle).count()
    }

    #[test]
    fn library_frames_fold_and_full_shows_every_frame() {
        let page = IssuePage::sample();
        let relevant = html(&page);
        assert!(relevant.contains("14 frames of std, core, sentry-panic and 2 more"));
        let full = html(&IssuePage { view: TraceView::Full, ..page });
        assert_eq!(count(&full, "class=\"frame folded\""), 0);
        let is_shown = |index| full.contains(&format!("id=\"exception-0-frame-{index}\""));
        assert!((0..30).all(is_shown) && !is_shown(30));
    }

    #[test]
    fn facts_count_frames_and_missing_files() {
        let html = html(&IssuePage::sample());
        assert!(html.contains("27 of 30 frames resolved"));
        assert!(html.contains("<a href=\"#exception-0-frame-9\">2 debug files missing</a>"));
    }

    #[test]
    fn each_reason_is_told_in_full_once() {
        let html = html(&IssuePage::sample());
        assert_eq!(count(&html, "no debug file for <code>libpayments.so</code>"), 1);
        assert_eq!(count(&html, "no debug file for libpayments.so. <a"), 1);
        assert!(html.contains("214 events wait for it"));
    }

    #[test]
    fn uploaded_source_lines_are_shown_where_they_belong() {
        let mut page = IssuePage::sample();
        let is_total =
            |f: &protocol::stacktrace::Frame| f.function.as_deref() == Some("billing::total");
        let (key, _) = frames(&page.event).find(|(_, frame)| is_total(frame)).unwrap();
        let lines = vec!["fn total() {".to_owned(), "    uploaded_line()".to_owned()];
        page.contexts.insert(key, FrameContext { first_line: 59, lines, hit: 60 });
        assert!(html(&page).contains("uploaded_line"));
        page.raw = true;
        assert!(!html(&page).contains("uploaded_line"), "a trace as sent has no uploaded lines");
    }

    #[test]
    fn as_sent_shows_addresses_and_keeps_the_view() {
        let page = IssuePage { raw: true, view: TraceView::Full, ..IssuePage::sample() };
        let html = html(&page);
        assert!(html.contains("0x55fc21112281") && html.contains("billing +0x127281"));
        assert!(html.contains("?view=full&#38;raw=1#trace") && html.contains("?view=full#trace"));
    }

    #[test]
    fn minified_positions_stay_visible() {
        let html = html(&IssuePage::sample_javascript());
        assert!(
            html.contains("minified: https://shop.example.com/assets/checkout-7f3a9c1e.js:1:48213")
        );
        assert!(html.contains("1 source map missing"));
    }

    #[test]
    fn an_event_without_anything_still_makes_a_page() {
        let page = IssuePage { event: Event::default(), ..IssuePage::sample() };
        let html = html(&page);
        assert!(html.contains("neither a stack trace nor a message"));
        assert_eq!(read(&html).problems, Vec::<String>::new());
    }

    #[test]
    fn the_biggest_event_makes_a_bounded_page() {
        let mut page = IssuePage::sample();
        let stack = page.event.exception.values.first().and_then(|e| e.stacktrace.clone()).unwrap();
        let mut stack = stack;
        let frame = stack.frames.first().cloned().unwrap();
        stack.frames = vec![frame; protocol::stacktrace::FRAMES_MAX];
        let thread = protocol::exception::Thread {
            stacktrace: Some(stack.clone()),
            ..protocol::exception::Thread::default()
        };
        page.event.threads.values = vec![thread; protocol::event::THREADS_MAX];
        let html = html(&page);
        assert!(html.len() < 8_000_000, "{} bytes", html.len());
        assert!(html.contains("412 more threads are in the JSON"));
    }
}
