//! The HTTP request an event happened in, as the many SDKs write it.

use serde::Serialize;
use serde_json::Value;

use super::pair;
use crate::lenient::{Errors, Object, Take, text_of};
use crate::node::Node;

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
    pub(super) fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let mut request = Self {
            url: object.text("url", errors),
            method: object.text("method", errors).map(|method| method.to_ascii_uppercase()),
            query_string: pairs(object.value("query_string"), '&'),
            fragment: object.text("fragment", errors),
            data: object.value("data").map(Value::from).unwrap_or_default(),
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
            self.query_string = pairs(Some(Node::Text(query.into())), '&');
        }
        self.fragment = self.fragment.take().or_else(|| fragment.map(str::to_owned));
        self.url = Some(rest.to_owned());
    }
}

/// Reads pairs from an object, a list of pairs, or a text like `a=b&c=d`.
fn pairs(node: Option<Node<'_>>, separator: char) -> Vec<(String, String)> {
    let as_text = |node: Node<'_>| match node {
        Node::List(parts) => {
            let parts: Vec<_> = parts.into_iter().filter_map(|part| text_of(part).ok()).collect();
            parts.join(", ")
        }
        other => text_of(other).unwrap_or_else(|other| Value::from(other).to_string()),
    };
    match node {
        Some(Node::Fields(fields)) => {
            let mut pairs: Vec<_> =
                fields.into_iter().map(|(name, node)| (name.into_owned(), as_text(node))).collect();
            pairs.sort();
            pairs
        }
        Some(Node::List(nodes)) => {
            let pairs = nodes.into_iter().filter_map(pair);
            pairs.map(|(name, node)| (as_text(name), as_text(node))).collect()
        }
        Some(Node::Text(text)) => text
            .trim_start_matches('?')
            .split(separator)
            .filter(|part| !part.trim().is_empty())
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}
