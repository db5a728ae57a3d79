//! Everything of an event that is names and values: tags, request, user, contexts, extra, packages, SDK.

use protocol::event::{Event, Request, User};
use serde_json::{Map, Value};

use crate::figure::bytes;
use crate::value::{Row, shown};

/// Most rows of one table that are shown; the JSON link has the rest.
const ROWS_MAX: usize = 200;

/// A section of the event: a heading and its tables.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    /// Id of the element.
    pub(crate) anchor: &'static str,
    pub(crate) title: &'static str,
    /// Number in the tab, where one says something.
    pub(crate) count: Option<usize>,
    pub(crate) groups: Vec<Group>,
    /// Whether it starts folded, because it is long and seldom read.
    pub(crate) is_folded: bool,
}

/// One table of a section.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub(crate) title: Option<String>,
    /// What matters of it in a few words.
    pub(crate) summary: Option<String>,
    pub(crate) rows: Vec<Row>,
    /// How many more rows there are.
    pub(crate) hidden: usize,
}

impl Group {
    fn new(title: Option<String>, mut rows: Vec<Row>) -> Self {
        let hidden = rows.len().saturating_sub(ROWS_MAX);
        rows.truncate(ROWS_MAX);
        Self { title, summary: None, rows, hidden }
    }

    fn of_pairs(title: &str, pairs: &[(String, String)]) -> Option<Self> {
        let rows = pairs.iter().map(|(key, value)| Row::text(key, value)).collect();
        (!pairs.is_empty()).then(|| Self::new(Some(title.to_owned()), rows))
    }
}

/// Returns the sections that this event has, in the order of the page.
pub(crate) fn sections(event: &Event) -> Vec<Section> {
    let tags = event.tags.iter().map(|(key, value)| Row::text(key, value)).collect();
    let extra = object_rows(&event.extra);
    let all = [
        ("tags", "Tags", Some(event.tags.len()), vec![Group::new(None, tags)], false),
        (
            "request",
            "Request",
            None,
            event.request.as_ref().map(request).unwrap_or_default(),
            false,
        ),
        ("user", "User", None, event.user.as_ref().map(user).unwrap_or_default(), false),
        ("contexts", "Contexts", Some(event.contexts.len()), contexts(&event.contexts), false),
        ("extra", "Extra", Some(event.extra.len()), vec![Group::new(None, extra)], false),
        ("packages", "SDK and packages", Some(event.modules.len()), packages(event), true),
    ];
    let sections = all.into_iter().map(|(anchor, title, count, groups, is_folded)| {
        let groups = groups.into_iter().filter(|group| !group.rows.is_empty()).collect();
        let count = count.filter(|count| *count > 0);
        Section { anchor, title, count, groups, is_folded }
    });
    sections.filter(|section| !section.groups.is_empty()).collect()
}

fn object_rows(object: &Map<String, Value>) -> Vec<Row> {
    object.iter().map(|(key, value)| Row::new(key, value)).collect()
}

fn request(request: &Request) -> Vec<Group> {
    let mut rows = Vec::new();
    let method = request.method.as_deref().unwrap_or("GET");
    rows.extend(request.url.as_deref().map(|url| Row::text(method, url)));
    rows.extend(request.fragment.as_deref().map(|fragment| Row::text("fragment", fragment)));
    if !request.data.is_null() {
        rows.push(Row::new("body", &request.data));
    }
    let mut groups = vec![Group::new(None, rows)];
    groups.extend(Group::of_pairs("Query", &request.query_string));
    groups.extend(Group::of_pairs("Headers", &request.headers));
    groups.extend(Group::of_pairs("Cookies", &request.cookies));
    groups.push(Group::new(Some("Environment".to_owned()), object_rows(&request.env)));
    groups
}

fn user(user: &User) -> Vec<Group> {
    let fields = [
        ("id", &user.id),
        ("email", &user.email),
        ("username", &user.username),
        ("name", &user.name),
        ("address", &user.ip_address),
    ];
    let mut rows: Vec<Row> = fields
        .into_iter()
        .filter_map(|(key, value)| Some(Row::text(key, value.as_deref()?)))
        .collect();
    rows.extend(object_rows(&user.geo));
    rows.extend(object_rows(&user.data));
    vec![Group::new(None, rows)]
}

fn contexts(contexts: &Map<String, Value>) -> Vec<Group> {
    let mut groups: Vec<Group> = contexts.iter().map(|(key, value)| context(key, value)).collect();
    groups.sort_by_key(|group| group.summary.is_none());
    groups
}

fn context(key: &str, value: &Value) -> Group {
    let title = match key {
        "os" | "client_os" => "Operating system",
        "runtime" => "Runtime",
        "device" => "Device",
        "browser" => "Browser",
        "app" => "Application",
        "gpu" => "Graphics",
        "trace" => "Trace",
        "culture" => "Culture",
        "cloud_resource" => "Cloud",
        "rust" => "Rust",
        other => other,
    };
    let rows = match value {
        Value::Object(object) => {
            let rows = object.iter().filter(|(key, value)| *key != "type" && !value.is_null());
            rows.map(|(key, value)| context_row(key, value)).collect()
        }
        other => vec![Row::new(key, other)],
    };
    let summary = name_and_version(value);
    Group { summary, ..Group::new(Some(title.to_owned()), rows) }
}

/// Sizes that the protocol counts in bytes are written in units.
fn context_row(key: &str, value: &Value) -> Row {
    let words = key.replace('_', " ");
    let is_size =
        ["memory", "memory_size", "storage_size", "free_memory", "free_storage", "usable_memory"]
            .contains(&key);
    match value.as_u64().filter(|_| is_size) {
        Some(size) => Row::text(words, bytes(size)),
        None => Row::new(words, value),
    }
}

/// `Linux 6.12.0`, `CPython 3.13.1`: what a context is, in a few words.
pub(crate) fn name_and_version(context: &Value) -> Option<String> {
    let name = context.get("name").or_else(|| context.get("model")).map(shown)?;
    let version = context.get("version").or_else(|| context.get("app_version")).map(shown);
    Some(match version {
        Some(version) => format!("{name} {version}"),
        None => name,
    })
}

fn packages(event: &Event) -> Vec<Group> {
    let sdk = event.sdk.as_ref().and_then(|sdk| serde_json::to_value(sdk).ok());
    let sdk = match &sdk {
        Some(Value::Object(object)) => object_rows(object),
        _ => Vec::new(),
    };
    vec![
        Group::new(Some("SDK".to_owned()), sdk),
        Group::new(Some("Packages".to_owned()), object_rows(&event.modules)),
    ]
}
