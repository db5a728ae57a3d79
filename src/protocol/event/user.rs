//! The person an event happened to.

use serde::Serialize;

use crate::lenient::{Errors, Object, Take};
use crate::node::Node;

/// Whom an event happened to.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct User {
    /// Id in the user's own system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// E-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Login name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Full name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address, or `{{auto}}` before normalization.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Where, as the SDK says.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub geo: Object,
    /// Free-form; unknown keys of the user move here.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object,
}

impl User {
    pub(super) fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let mut user = Self {
            id: object.text("id", errors),
            email: object.text("email", errors),
            username: object.text("username", errors),
            name: object.text("name", errors),
            ip_address: object.text("ip_address", errors),
            geo: object.object("geo", errors).unwrap_or_default(),
            data: object.object("data", errors).unwrap_or_default(),
        };
        let rest = Object::from(object).into_iter().filter(|(_, value)| !value.is_null());
        user.data.extend(rest);
        (user != Self::default()).then_some(user)
    }
}
