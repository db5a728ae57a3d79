//! Reading issues and events through the API, and making envelopes to send.

use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::wait::until;

impl Server {
    /// Asks for something of the first project.
    pub(crate) async fn of_project(&self, path: &str) -> Answer {
        let credentials = &self.credentials;
        let (organization, project) = (&credentials.organization, &credentials.project);
        self.get(&format!("/api/0/projects/{organization}/{project}/{path}")).await
    }

    /// Returns all issues of the first project, at most 100.
    pub(crate) async fn issues(&self) -> Vec<Value> {
        let issues = self.of_project("issues/?query=&limit=100").await.expect(200).json();
        issues.as_array().expect("issues are a list").clone()
    }

    /// Returns the issue of an event.
    pub(crate) async fn issue_of(&self, event: &Value) -> Value {
        let id = event["groupID"].as_str().expect("an event is in an issue");
        self.get(&format!("/api/0/issues/{id}/")).await.expect(200).json()
    }

    /// Waits until nothing waits for the digest.
    pub(crate) async fn wait_idle(&self) {
        // The metric is some seconds old.
        let waiting = "SELECT COUNT(*) FROM accepted WHERE parked_at_ms IS NULL";
        until("the queue to be empty", async || (self.number(waiting).await == 0).then_some(()))
            .await;
    }
}

/// Returns the envelope of one event.
pub(crate) fn envelope(event_id: &str, event: &Value) -> Vec<u8> {
    let event = event.to_string();
    let header = json!({"event_id": event_id});
    format!("{header}\n{{\"type\":\"event\",\"length\":{}}}\n{event}\n", event.len()).into_bytes()
}

/// Returns an event id that no other test uses.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Returns a recorded envelope.
pub(crate) fn recorded(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/envelopes/{name}.envelope", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}
