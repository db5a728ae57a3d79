//! An event: what an SDK says about one error, crash or message.

mod request;
mod user;

pub use request::Request;
use serde::Serialize;
use serde_json::Value;
pub use user::User;

use crate::debug_meta::DebugMeta;
use crate::exception::{Exception, Thread};
use crate::id::EventId;
use crate::lenient::{Errors, EventError, Object, Take, text_of};
use crate::level::Level;
use crate::node::{Fields, Node};
use crate::stacktrace::Stacktrace;
use crate::time::Timestamp;

/// Most breadcrumbs of one event that are kept, the newest ones (SDKs send 100 by default).
pub const BREADCRUMBS_MAX: usize = 200;
/// Most exceptions of one event that are kept, the last ones.
pub const EXCEPTIONS_MAX: usize = 50;
/// Most threads of one event that are kept.
pub const THREADS_MAX: usize = 512;
/// Most tags of one event that are kept.
pub const TAGS_MAX: usize = 200;

/// An event as we know it. Unknown fields are dropped; unknown keys inside free-form bags stay.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Event {
    /// Identifier; absent only before normalization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// `error`, `default` or what the SDK says; set by normalization.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// When it happened, by the client's clock (corrected by normalization).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// When we accepted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Timestamp>,
    /// `native`, `javascript`, `node`, `python`…
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Name of the logger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logger: Option<String>,
    /// What the program was doing: a route, a task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<String>,
    /// Name of the host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Release of the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// Distribution of the release; means nothing without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
    /// Environment, for example `production`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Grouping parts that the SDK sets; empty means "the server decides".
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fingerprint: Vec<String>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logentry: Option<LogEntry>,
    /// The chain of exceptions, oldest cause first.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub exception: Values<Exception>,
    /// Threads.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub threads: Values<Thread>,
    /// A trace without exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// That trace before symbolication; only in results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_stacktrace: Option<Stacktrace>,
    /// What happened before, oldest first.
    #[serde(skip_serializing_if = "Values::is_empty")]
    pub breadcrumbs: Values<Breadcrumb>,
    /// Device, system, runtime… by name.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub contexts: Object,
    /// Whom it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<User>,
    /// The HTTP request it happened in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The SDK.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sdk: Option<Sdk>,
    /// Tags, in the order sent; keys are unique after normalization.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// Free-form.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub extra: Object,
    /// Versions of the packages in use.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub modules: Object,
    /// Images in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debug_meta: Option<DebugMeta>,
    /// What was wrong with the event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<EventError>,
}

/// A list that Sentry writes as `{"values": […]}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Values<T> {
    /// The entries.
    pub values: Vec<T>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Self { values: Vec::new() }
    }
}

impl<T> Values<T> {
    /// Says whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Event {
    /// Reads an event. What is wrong with single fields ends in `errors`.
    ///
    /// # Errors
    /// Only where the text is not a JSON object.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        // Text that is known to be UTF-8 as a whole is not checked again piece by piece.
        let object: Fields<'_> = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str(text)?,
            Err(_) => serde_json::from_slice(bytes)?,
        };
        Ok(Self::from_fields(object))
    }

    fn from_fields(mut object: Fields<'_>) -> Self {
        let mut errors = Errors::default();
        for error in object.list("errors", &mut errors) {
            EventError::from_value(error).into_iter().for_each(|error| errors.push(error));
        }
        let mut event = Self::scalars(&mut object, &mut errors);
        event.interfaces(&mut object, &mut errors);
        event.errors = errors.into_vec();
        event
    }

    fn scalars(object: &mut Fields<'_>, errors: &mut Errors) -> Self {
        Self {
            event_id: object.read("event_id", errors, |id| id.as_str()?.parse().ok()),
            kind: object.text("type", errors),
            timestamp: object.read("timestamp", errors, Timestamp::from_value),
            received: object.read("received", errors, Timestamp::from_value),
            platform: object.text("platform", errors),
            level: object.read("level", errors, Level::from_value),
            logger: object.text("logger", errors),
            transaction: object.text("transaction", errors),
            server_name: object.text("server_name", errors),
            release: object.text("release", errors),
            dist: object.text("dist", errors),
            environment: object.text("environment", errors),
            fingerprint: object
                .list("fingerprint", errors)
                .into_iter()
                .filter_map(|part| text_of(part).ok())
                .collect(),
            tags: tags(object.value("tags"), errors),
            extra: object.object("extra", errors).unwrap_or_default(),
            modules: object.object("modules", errors).unwrap_or_default(),
            contexts: aliased(object, &["contexts", "sentry.interfaces.Contexts"])
                .and_then(into_object)
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    fn interfaces(&mut self, object: &mut Fields<'_>, errors: &mut Errors) {
        self.logentry = LogEntry::from_fields(object, errors);
        let mut exceptions =
            aliased_list(object, &["exception", "sentry.interfaces.Exception"], errors);
        exceptions.drain(..exceptions.len().saturating_sub(EXCEPTIONS_MAX));
        self.exception = read_values(exceptions, |value| Exception::from_value(value, errors));
        let mut threads = object.list("threads", errors);
        threads.truncate(THREADS_MAX);
        self.threads = read_values(threads, |value| Thread::from_value(value, errors));
        self.stacktrace = aliased(object, &["stacktrace", "sentry.interfaces.Stacktrace"])
            .and_then(|value| Stacktrace::from_value(value, errors));
        self.raw_stacktrace =
            object.value("raw_stacktrace").and_then(|value| Stacktrace::from_value(value, errors));
        let names = ["breadcrumbs", "sentry.interfaces.Breadcrumbs"];
        let mut breadcrumbs = aliased_list(object, &names, errors);
        breadcrumbs.drain(..breadcrumbs.len().saturating_sub(BREADCRUMBS_MAX));
        self.breadcrumbs = read_values(breadcrumbs, |value| Breadcrumb::from_value(value, errors));
        self.user = aliased(object, &["user", "sentry.interfaces.User"])
            .and_then(|value| User::from_value(value, errors));
        self.request = aliased(object, &["request", "sentry.interfaces.Http"])
            .and_then(|value| Request::from_value(value, errors));
        self.sdk = object.value("sdk").and_then(|value| Sdk::from_value(value, errors));
        self.debug_meta = aliased(object, &["debug_meta", "sentry.interfaces.DebugMeta"])
            .and_then(|value| DebugMeta::from_value(value, errors));
    }

    /// Returns every stack trace with what it belongs to, the exceptions' first.
    pub fn stacktraces(&self) -> impl Iterator<Item = &Stacktrace> {
        let exceptions = self.exception.values.iter().filter_map(|e| e.stacktrace.as_ref());
        let threads = self.threads.values.iter().filter_map(|t| t.stacktrace.as_ref());
        exceptions.chain(self.stacktrace.as_ref()).chain(threads)
    }

    /// Returns a tag's value.
    pub fn tag(&self, key: &str) -> Option<&str> {
        self.tags.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn read_values<'a, T>(values: Vec<Node<'a>>, read: impl FnMut(Node<'a>) -> Option<T>) -> Values<T> {
    Values { values: values.into_iter().filter_map(read).collect() }
}

/// Takes the first of several names of one field; old SDKs use Python paths as names.
fn aliased<'a>(object: &mut Fields<'a>, names: &[&str]) -> Option<Node<'a>> {
    names.iter().find_map(|name| object.value(name))
}

fn aliased_list<'a>(object: &mut Fields<'a>, names: &[&str], errors: &mut Errors) -> Vec<Node<'a>> {
    let name = names.iter().find(|name| object.has(name));
    name.map(|name| object.list(name, errors)).unwrap_or_default()
}

fn into_object(node: Node<'_>) -> Option<Object> {
    match node {
        Node::Fields(fields) => Some(fields.into()),
        _ => None,
    }
}

/// Reads tags from an object, from pairs, or from `{key, value}` objects.
fn tags(node: Option<Node<'_>>, errors: &mut Errors) -> Vec<(String, String)> {
    let pairs: Vec<(Node<'_>, Node<'_>)> = match node {
        None => Vec::new(),
        Some(Node::Fields(fields)) => {
            fields.into_iter().map(|(name, node)| (Node::Text(name), node)).collect()
        }
        Some(Node::List(nodes)) => nodes.into_iter().filter_map(pair).collect(),
        Some(other) => {
            errors.invalid("tags", other);
            Vec::new()
        }
    };
    let texts = |(name, node)| Some((text_of(name).ok()?, text_of(node).ok()?));
    pairs.into_iter().filter_map(texts).take(TAGS_MAX).collect()
}

/// Reads `[key, value]` or `{"key": …, "value": …}`.
pub(crate) fn pair(node: Node<'_>) -> Option<(Node<'_>, Node<'_>)> {
    match node {
        Node::List(pair) => {
            let [key, value] = <[Node<'_>; 2]>::try_from(pair).ok()?;
            Some((key, value))
        }
        Node::Fields(mut fields) => Some((fields.take("key")?, fields.take("value")?)),
        _ => None,
    }
}

/// A log message.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct LogEntry {
    /// The template, for example `user %s not found`; groups events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The message for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formatted: Option<String>,
    /// What was put into the template.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub params: Value,
}

impl LogEntry {
    fn from_fields(object: &mut Fields<'_>, errors: &mut Errors) -> Option<Self> {
        let names = ["logentry", "sentry.interfaces.Message", "message"];
        let entry = match aliased(object, &names)? {
            Node::Fields(mut entry) => Self {
                message: entry.text_or_json("message"),
                formatted: entry.text_or_json("formatted"),
                params: entry.value("params").map(Value::from).unwrap_or_default(),
            },
            other => match text_of(other) {
                Ok(text) => Self { formatted: Some(text), ..Self::default() },
                Err(other) => {
                    errors.invalid("message", other);
                    return None;
                }
            },
        };
        (entry.message.is_some() || entry.formatted.is_some()).then_some(entry)
    }

    /// Returns the message for people.
    pub fn text(&self) -> &str {
        self.formatted.as_deref().or(self.message.as_deref()).unwrap_or_default()
    }
}

/// Something that happened before the event.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Breadcrumb {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// Kind, for example `http`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Category, for example `ui.click`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Severity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Free-form.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object,
}

impl Breadcrumb {
    fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        Some(Self {
            timestamp: object.read("timestamp", errors, Timestamp::from_value),
            kind: object.text("type", errors),
            category: object.text("category", errors),
            level: object.read("level", errors, Level::from_value),
            message: object.text_or_json("message"),
            data: object.object("data", errors).unwrap_or_default(),
        })
    }
}

/// The SDK that made an event.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Sdk {
    /// For example `sentry.rust`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Integrations that are switched on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub integrations: Vec<String>,
}

impl Sdk {
    fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        Some(Self {
            name: object.text("name", errors),
            version: object.text("version", errors),
            integrations: object.texts("integrations", errors),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(value: Value) -> Event {
        Event::from_json(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn a_bad_field_never_costs_the_event() {
        let event = event(json!({
            "event_id": 7, "level": "loud", "timestamp": [], "tags": 3, "exception": "x", "user": [],
            "request": {"headers": [["a", "b"], 3]}, "message": "still here",
        }));
        assert_eq!(event.logentry.unwrap().text(), "still here");
        assert_eq!(event.request.unwrap().headers, [("a".to_owned(), "b".to_owned())]);
        let names: Vec<_> = event.errors.iter().map(|error| error.name.as_str()).collect();
        assert_eq!(names, ["event_id", "timestamp", "level", "tags", "exception"]);
    }

    #[test]
    fn an_event_survives_being_written_and_read() {
        let first = event(json!({
            "event_id": "925a0e75b45c45b690c384346dfd76af", "platform": "native", "timestamp": 1.5,
            "exception": [{"type": "panic", "stacktrace": {"frames": [{"instruction_addr": "0x10"}]}}],
            "debug_meta": {"images": [{"type": "elf", "code_id": "ef2430d9cbadda89715d91dcd9a0a4e1f2892160"}]},
            "request": {"url": "http://h/p?a=b#f", "cookies": "x=1; y=2"},
            "user": {"id": 3, "plan": "gold"}, "tags": [["a", 1], {"key": "b", "value": true}],
        }));
        let text = serde_json::to_vec(&first).unwrap();
        assert_eq!(Event::from_json(&text).unwrap(), first);
        let image = &first.debug_meta.as_ref().unwrap().images[0];
        assert_eq!(image.debug_id.unwrap().to_string(), "d93024ef-adcb-89da-715d-91dcd9a0a4e1");
        assert_eq!(first.request.unwrap().fragment.as_deref(), Some("f"));
        assert_eq!(first.user.unwrap().data["plan"], "gold");
        assert_eq!(first.tags[1], ("b".to_owned(), "True".to_owned()));
    }
}
