//! Exceptions, their mechanisms, and threads.

use serde::Serialize;

use crate::lenient::{Errors, Object, Take, text_of};
use crate::node::Node;
use crate::stacktrace::Stacktrace;

/// One exception of a chain. The chain is ordered oldest cause first; the last one was thrown last.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Exception {
    /// Class or kind, for example `KeyError` or `panic`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Module or package of the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// Id of the thread it was thrown on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// How it was caught.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
    /// The trace; symbolicated in results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The trace before symbolication; only in results, and only where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_stacktrace: Option<Stacktrace>,
}

impl Exception {
    /// Reads an exception leniently; one with neither type nor value nor trace is none.
    pub fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let mut exception = Self {
            kind: object.text("type", errors),
            value: object.text_or_json("value"),
            module: object.text("module", errors),
            thread_id: object.text("thread_id", errors),
            mechanism: object
                .value("mechanism")
                .and_then(|value| Mechanism::from_value(value, errors)),
            stacktrace: object
                .value("stacktrace")
                .and_then(|value| Stacktrace::from_value(value, errors)),
            raw_stacktrace: object
                .value("raw_stacktrace")
                .and_then(|value| Stacktrace::from_value(value, errors)),
        };
        exception.split_kind_off_value();
        let is_empty =
            exception.kind.is_none() && exception.value.is_none() && exception.stacktrace.is_none();
        (!is_empty).then_some(exception)
    }

    /// `"Type: message"` without a type is split, as Relay does.
    fn split_kind_off_value(&mut self) {
        if self.kind.is_some() {
            return;
        }
        let Some((kind, rest)) = self.value.as_deref().and_then(|value| value.split_once(':'))
        else {
            return;
        };
        if !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_') {
            let (kind, rest) = (kind.to_owned(), rest.trim().to_owned());
            self.kind = Some(kind);
            self.value = Some(rest);
        }
    }

    /// Says whether type and value were made up by the SDK to carry a stack trace.
    pub fn is_synthetic(&self) -> bool {
        self.mechanism.as_ref().is_some_and(|mechanism| mechanism.synthetic == Some(true))
    }
}

/// How an exception was caught.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Mechanism {
    /// Kind, for example `generic`, `panic`, `onerror`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Whether the program handled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled: Option<bool>,
    /// Whether type and value only carry the trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synthetic: Option<bool>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A page about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help_link: Option<String>,
    /// Place of the exception in a group of exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_id: Option<u32>,
    /// Place of its parent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<u32>,
    /// Whether it is a group of exceptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_exception_group: Option<bool>,
    /// Which property of the parent holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Free-form.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object,
    /// Signal, errno, Mach exception, NSError.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub meta: Object,
}

impl Mechanism {
    fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        Some(Self {
            kind: object.text("type", errors).unwrap_or_else(|| "generic".to_owned()),
            handled: object.boolean("handled", errors),
            synthetic: object.boolean("synthetic", errors),
            description: object.text("description", errors),
            help_link: object.text("help_link", errors).filter(|link| link.starts_with("http")),
            exception_id: object.number("exception_id", errors),
            parent_id: object.number("parent_id", errors),
            is_exception_group: object.boolean("is_exception_group", errors),
            source: object.text("source", errors),
            data: object.object("data", errors).unwrap_or_default(),
            meta: object.object("meta", errors).unwrap_or_default(),
        })
    }

    /// Returns the number of the signal that ended the program.
    pub fn signal(&self) -> Option<u64> {
        self.meta.get("signal")?.get("number")?.as_u64()
    }
}

/// A thread of the program at the time of the event.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Thread {
    /// The system's or the SDK's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the program ended on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crashed: Option<bool>,
    /// Whether the event was made on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
    /// Whether it is the main thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub main: Option<bool>,
    /// State, for example `RUNNABLE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The trace; symbolicated in results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stacktrace: Option<Stacktrace>,
    /// The trace before symbolication; only in results, and only where they differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_stacktrace: Option<Stacktrace>,
}

impl Thread {
    /// Reads a thread leniently.
    pub fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        Some(Self {
            id: object.value("id").and_then(|id| text_of(id).ok()),
            name: object.text("name", errors),
            crashed: object.boolean("crashed", errors),
            current: object.boolean("current", errors),
            main: object.boolean("main", errors),
            state: object.text("state", errors),
            stacktrace: object
                .value("stacktrace")
                .and_then(|value| Stacktrace::from_value(value, errors)),
            raw_stacktrace: object
                .value("raw_stacktrace")
                .and_then(|value| Stacktrace::from_value(value, errors)),
        })
    }
}
