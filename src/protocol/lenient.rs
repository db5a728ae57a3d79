//! Reading what SDKs send without ever refusing an event for one bad field.
//!
//! Every type of an event is read from a [`Node`] by taking the fields it knows out of the object; what
//! has the wrong type becomes absent, and a note in `event.errors` says so
//! (Relay's attitude).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::node::{Fields, Node};

/// A JSON object that is kept as it is: free-form data, sorted by name.
pub type Object = Map<String, Value>;

/// Most notes about bad fields that one event keeps.
pub const FIELD_ERRORS_MAX: usize = 20;

/// One thing that was wrong with an event, as `event.errors` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EventError {
    /// Sentry's name of the kind, for example `invalid_data` or `future_timestamp`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The field or file it is about.
    pub name: String,
    /// The offending value, shortened, or an explanation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl EventError {
    /// Makes an error of `kind` about `name`.
    pub fn new(kind: &str, name: &str, value: Option<String>) -> Self {
        Self { kind: kind.to_owned(), name: name.to_owned(), value }
    }

    /// Reads an error that an SDK, or an earlier digest, wrote.
    pub fn from_value(value: Node<'_>) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let mut errors = Errors::default();
        Some(Self {
            kind: object.text("type", &mut errors)?,
            name: object.text("name", &mut errors).unwrap_or_default(),
            value: object.text("value", &mut errors),
        })
    }
}

/// Collects what was wrong while an event is read; bounded by [`FIELD_ERRORS_MAX`].
#[derive(Debug, Default)]
pub struct Errors {
    found: Vec<EventError>,
}

impl Errors {
    /// Notes that the field `name` held something else than it should.
    pub fn invalid(&mut self, name: &str, node: Node<'_>) {
        let mut text = Value::from(node).to_string();
        if text.len() > 120 {
            text = text.chars().take(100).chain("...".chars()).collect();
        }
        self.push(EventError::new("invalid_data", name, Some(text)));
    }

    /// Adds an error, unless the event has enough of them.
    pub fn push(&mut self, error: EventError) {
        if self.found.len() < FIELD_ERRORS_MAX {
            self.found.push(error);
        }
    }

    /// Returns what was found.
    pub fn into_vec(self) -> Vec<EventError> {
        self.found
    }
}

/// Takes fields out of an object, each as the type it should have.
pub trait Take<'a> {
    /// Takes `key`, where it is there and not null.
    fn value(&mut self, key: &str) -> Option<Node<'a>>;

    /// Takes a text; numbers and booleans are written as Python would (Relay's `LenientString`).
    fn text(&mut self, key: &str, errors: &mut Errors) -> Option<String>;

    /// Takes a text; anything else is encoded as JSON (Relay's `JsonLenientString`).
    fn text_or_json(&mut self, key: &str) -> Option<String>;

    /// Takes an object.
    fn object(&mut self, key: &str, errors: &mut Errors) -> Option<Object>;

    /// Takes a list of texts; entries that are none become empty, so that positions stay.
    fn texts(&mut self, key: &str, errors: &mut Errors) -> Vec<String>;

    /// Takes a boolean.
    fn boolean(&mut self, key: &str, errors: &mut Errors) -> Option<bool>;

    /// Takes a whole number from 0 to 2³²−1, also where it is written as text or as a float.
    fn number(&mut self, key: &str, errors: &mut Errors) -> Option<u32>;

    /// Takes whatever `read` makes of the value, noting what it refuses.
    fn read<T>(
        &mut self,
        key: &str,
        errors: &mut Errors,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T>;

    /// Takes a list that may be written as `{"values": […]}`, as an array, or as one object.
    fn list(&mut self, key: &str, errors: &mut Errors) -> Vec<Node<'a>>;
}

impl<'a> Take<'a> for Fields<'a> {
    fn value(&mut self, key: &str) -> Option<Node<'a>> {
        self.take(key).filter(|node| *node != Node::Scalar(Value::Null))
    }

    fn text(&mut self, key: &str, errors: &mut Errors) -> Option<String> {
        text_of(self.value(key)?).map_err(|node| errors.invalid(key, node)).ok()
    }

    fn text_or_json(&mut self, key: &str) -> Option<String> {
        self.value(key).map(|node| match node {
            Node::Text(text) => text.into_owned(),
            other => Value::from(other).to_string(),
        })
    }

    fn object(&mut self, key: &str, errors: &mut Errors) -> Option<Object> {
        match self.value(key)? {
            Node::Fields(fields) => Some(fields.into()),
            other => {
                errors.invalid(key, other);
                None
            }
        }
    }

    fn texts(&mut self, key: &str, errors: &mut Errors) -> Vec<String> {
        match self.value(key) {
            None => Vec::new(),
            Some(Node::List(nodes)) => {
                nodes.into_iter().map(|node| text_of(node).unwrap_or_default()).collect()
            }
            Some(other) => {
                errors.invalid(key, other);
                Vec::new()
            }
        }
    }

    fn boolean(&mut self, key: &str, errors: &mut Errors) -> Option<bool> {
        self.read(key, errors, Value::as_bool)
    }

    fn number(&mut self, key: &str, errors: &mut Errors) -> Option<u32> {
        self.read(key, errors, |value| match value {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => match number.as_u64() {
                Some(whole) => u32::try_from(whole).ok(),
                // Casting saturates; a negative line is none.
                None => number.as_f64().filter(|n| *n >= 0.0).map(|n| n as u32),
            },
            _ => None,
        })
    }

    fn read<T>(
        &mut self,
        key: &str,
        errors: &mut Errors,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = Value::from(self.value(key)?);
        let result = read(&value);
        if result.is_none() {
            errors.invalid(key, value.into());
        }
        result
    }

    fn list(&mut self, key: &str, errors: &mut Errors) -> Vec<Node<'a>> {
        match self.value(key) {
            None => Vec::new(),
            Some(Node::List(nodes)) => nodes,
            Some(Node::Fields(mut fields)) => match fields.take("values") {
                None => vec![Node::Fields(fields)],
                Some(Node::List(nodes)) => nodes,
                Some(Node::Scalar(Value::Null)) => Vec::new(),
                Some(other) => {
                    errors.invalid(key, other);
                    Vec::new()
                }
            },
            Some(other) => {
                errors.invalid(key, other);
                Vec::new()
            }
        }
    }
}

/// Writes a scalar as text; gives the node back where it is none.
pub fn text_of(node: Node<'_>) -> Result<String, Node<'_>> {
    match node {
        Node::Text(text) => Ok(text.into_owned()),
        Node::Scalar(Value::Bool(true)) => Ok("True".to_owned()),
        Node::Scalar(Value::Bool(false)) => Ok("False".to_owned()),
        Node::Scalar(Value::Number(number)) => match number.as_f64() {
            // Relay truncates floats below 2^53.
            Some(float) if number.is_f64() && float.abs() < 9_007_199_254_740_992.0 => {
                Ok((float as i64).to_string())
            }
            _ => Ok(number.to_string()),
        },
        other => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Fields<'static> {
        match value {
            Value::Object(object) => object.into(),
            _ => unreachable!("tests pass objects"),
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_is_absent_and_noted() {
        let mut errors = Errors::default();
        let mut fields = object(json!({"a": {"b": 1}, "n": "x", "t": 3.9, "u": true}));
        assert_eq!(fields.text("a", &mut errors), None);
        assert_eq!(fields.number("n", &mut errors), None);
        assert_eq!(fields.text("t", &mut errors).as_deref(), Some("3"));
        assert_eq!(fields.text("u", &mut errors).as_deref(), Some("True"));
        let names: Vec<_> = errors.into_vec().into_iter().map(|error| error.name).collect();
        assert_eq!(names, ["a", "n"]);
    }

    #[test]
    fn lists_come_in_three_forms() {
        let mut errors = Errors::default();
        for value in [json!({"x": {"values": [{}]}}), json!({"x": [{}]}), json!({"x": {"type": 1}})]
        {
            assert_eq!(object(value).list("x", &mut errors).len(), 1);
        }
        assert!(object(json!({"x": null})).list("x", &mut errors).is_empty());
    }
}
