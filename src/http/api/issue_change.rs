//! What clients want changed about issues, and what of it this server can do.
//!
//! What it cannot do is refused by name instead of being dropped; where it does the nearest thing, it says so
//! in `statusDetails`.

use pages::issue::IssueStatus;
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

/// A change, as read from a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Change {
    /// The status to be set.
    pub(super) status: Option<IssueStatus>,
    /// What was done instead of what was asked for, and why.
    instead: Option<&'static str>,
}

const NEXT_RELEASE: &str = "this server does not follow releases yet: the issue is resolved now, and the next \
    event of any release reopens it";
const CONDITIONS: &str = "this server does not watch conditions yet: the issue stays ignored until somebody \
    reopens it";

impl Change {
    /// Reads `{"status": …, "statusDetails": {…}, "substatus": …}`.
    ///
    /// # Errors
    /// `Invalid` where it is not JSON, the status is unknown, or it asks for something this server cannot do.
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        let body: Map<String, Value> = serde_json::from_slice(body)
            .map_err(|error| Error::Invalid(format!("the body is no JSON object: {error}")))?;
        let mut change = Self::default();
        for (key, value) in body.iter().filter(|(_, value)| !value.is_null()) {
            match key.as_str() {
                "status" => change.set_status(value)?,
                "statusDetails" => change.note_details(value),
                "substatus" => change.note_substatus(value),
                // Personal marks, which nobody misses where they are not kept.
                "hasSeen" | "isBookmarked" | "isSubscribed" => {}
                other => {
                    return Err(Error::Invalid(format!(
                        "`{other}` cannot be changed here, only `status`"
                    )));
                }
            }
        }
        Ok(change)
    }

    fn set_status(&mut self, value: &Value) -> Result<()> {
        let text = value.as_str().unwrap_or_default();
        self.status = Some(match text {
            "resolvedInNextRelease" => {
                self.instead = Some(NEXT_RELEASE);
                IssueStatus::Resolved
            }
            // sentry-cli's word.
            "muted" => IssueStatus::Ignored,
            archived if archived.starts_with("archived") => {
                self.note_substatus(value);
                IssueStatus::Ignored
            }
            other => IssueStatus::from_text(other).ok_or_else(|| {
                Error::Invalid(format!(
                    "status is {value}, expected unresolved, resolved, resolvedInNextRelease or ignored"
                ))
            })?,
        });
        Ok(())
    }

    fn note_details(&mut self, value: &Value) {
        let has = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
        if ["inNextRelease", "inRelease", "inCommit"].into_iter().any(has) {
            self.instead = Some(NEXT_RELEASE);
        }
        let conditions =
            ["ignoreDuration", "ignoreCount", "ignoreUserCount", "ignoreWindow", "ignoreUntil"];
        if conditions.into_iter().any(has) {
            self.instead = Some(CONDITIONS);
        }
    }

    fn note_substatus(&mut self, value: &Value) {
        if let Some("archived_until_escalating" | "archived_until_condition_met") = value.as_str() {
            self.instead = Some(CONDITIONS);
        }
    }

    /// Returns `statusDetails` of the answer.
    pub(super) fn details(&self) -> Value {
        self.instead.map_or_else(|| json!({}), |instead| json!({"note": instead}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(body: Value, status: Option<IssueStatus>, instead: Option<&'static str>) {
        let change = Change::parse(body.to_string().as_bytes()).unwrap();
        assert_eq!(change, Change { status, instead }, "{body}");
    }

    #[test]
    fn statuses_of_all_clients_are_understood() {
        use IssueStatus::{Ignored, Resolved, Unresolved};
        check(json!({"status": "muted", "snoozeDuration": null}), Some(Ignored), None);
        check(json!({"status": "unresolved"}), Some(Unresolved), None);
        check(json!({"status": "archived_forever"}), Some(Ignored), None);
        check(json!({"status": "archived_until_escalating"}), Some(Ignored), Some(CONDITIONS));
        check(json!({"status": "resolvedInNextRelease"}), Some(Resolved), Some(NEXT_RELEASE));
        let details = json!({"inRelease": "1.0"});
        check(
            json!({"status": "resolved", "statusDetails": details}),
            Some(Resolved),
            Some(NEXT_RELEASE),
        );
        let substatus = json!({"status": "ignored", "substatus": "archived_until_escalating"});
        check(substatus, Some(Ignored), Some(CONDITIONS));
        check(json!({"hasSeen": true}), None, None);
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_name() {
        for (body, named) in [
            (r#"{"status":"gone"}"#, "gone"),
            (r#"{"merge":1}"#, "`merge`"),
            (r#"{"status":"ignored","snoozeDuration":30}"#, "`snoozeDuration`"),
            (r#"{"assignedTo":"user:1"}"#, "`assignedTo`"),
            ("[]", "JSON object"),
            ("", "JSON object"),
        ] {
            let error = Change::parse(body.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
