//! The HTTP request an event happened in, as the many SDKs write it.

use serde::Serialize;
use serde_json::Value;

use super::pair;
use crate::lenient::{Errors, Object, Take, text_of};

/// The HTTP request an event happened in.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Request {
    /// Address without query and fragment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Query, as pairs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query_string: Vec<(String, String)>,
    /// What followed `#`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<String>,
    /// Body.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// Headers, as pairs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Cookies, as pairs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cookies: Vec<(String, String)>,
    /// Environment of the server (`REMOTE_ADDR`…).
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub env: Object,
}

impl Request {
    pub(super) fn from_value(value: Value, errors: &mut Errors) -> Option<Self> {
        let Value::Object(mut object) = value else {
            return None;
        };
        let mut request = Self {
            url: object.text("url", errors),
            method: object.text("method", errors).map(|method| method.to_ascii_uppercase()),
            query_string: pairs(object.value("query_string"), '&'),
            fragment: object.text("fragment", errors),
            data: object.value("data").unwrap_or_default(),
            headers: pairs(object.value("headers"), '\n'),
            cookies: pairs(object.value("cookies"), ';'),
            env: object.object("env", errors).unwrap_or_default(),
        };
        request.split_url();
        (request != Self::default()).then_some(request)
    }

    /// Moves `?query` and `#fragment` of the address into their fields.
    fn split_url(&mut self) {
        let Some(url) = self.url.take() else { return };
        let (rest, fragment) = match url.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (url.as_str(), None),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        if self.query_string.is_empty()
            && let Some(query) = query
        {
            self.query_string = pairs(Some(Value::String(query.to_owned())), '&');
        }
        self.fragment = self.fragment.take().or_else(|| fragment.map(str::to_owned));
        self.url = Some(rest.to_owned());
    }
}

/// Reads pairs from an object, a list of pairs, or a text like `a=b&c=d`.
fn pairs(value: Option<Value>, separator: char) -> Vec<(String, String)> {
    let as_text = |value: Value| match value {
        Value::Array(parts) => {
            let parts: Vec<_> = parts.into_iter().filter_map(|part| text_of(part).ok()).collect();
            parts.join(", ")
        }
        other => text_of(other).unwrap_or_else(|other| other.to_string()),
    };
    match value {
        Some(Value::Object(object)) => {
            object.into_iter().map(|(key, value)| (key, as_text(value))).collect()
        }
        Some(Value::Array(values)) => {
            let pairs = values.into_iter().filter_map(pair);
            pairs.map(|(key, value)| (as_text(key), as_text(value))).collect()
        }
        Some(Value::String(text)) => text
            .trim_start_matches('?')
            .split(separator)
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}
