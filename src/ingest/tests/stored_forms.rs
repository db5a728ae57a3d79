use protocol::envelope::{Envelope, ItemType};
use protocol::event::Event;

use super::*;
use crate::app::testing::TestApp;
use crate::ingest::{digest, stored};

/// Events of all recorded envelopes.
fn recorded() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for sdk in ["node", "python", "rust"] {
        let folder = format!("{}/fixtures/envelopes/{sdk}", env!("CARGO_MANIFEST_DIR"));
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let envelope = Envelope::parse(&bytes).unwrap();
            let events = envelope.items.iter().filter(|item| item.item_type() == ItemType::Event);
            for event in events {
                found.push((path.display().to_string(), event.payload.to_vec()));
            }
        }
    }
    found
}

#[tokio::test]
async fn the_original_says_all_that_the_accepted_event_said() {
    let app = TestApp::new().await;
    let recorded = recorded();
    assert!(recorded.len() >= 6, "{}", recorded.len());
    for (name, payload) in recorded {
        let accepted = Accepted { payload, ..row(&app, 7, &Value::Null) };
        let (project, original) = digest::prepare(&accepted).unwrap();
        let forms = stored::pack(&original, &original).unwrap();
        let again = stored::event(&stored::original_json(&forms.original).unwrap()).unwrap();
        assert_eq!(again, original, "{name}");
        // Preparing it again changes nothing either: normalizing and scrubbing are idempotent.
        let payload = serde_json::to_vec(&original).unwrap();
        let twice = digest::prepare(&Accepted { payload, ..accepted }).unwrap().1;
        assert_eq!(twice, original, "{name}");
        let conclude = |event: &Event, looked| {
            let digested = digest::conclude(project, event, looked, &[0; 32]).unwrap();
            (digested.hash, digested.result, digested.tags, digested.missing)
        };
        let events = vec![(project, original.clone()), (project, again.clone())];
        let mut looked = digest::symbolicate_all(&app, events).await.unwrap();
        let (second, first) = (looked.remove(1).unwrap(), looked.remove(0).unwrap());
        assert_eq!(conclude(&again, second), conclude(&original, first), "{name}");
    }
}
