use protocol::envelope::{Envelope, ItemType};
use protocol::id::ProjectId;

use super::*;
use crate::app::testing::TestApp;
use crate::ingest::stored::Unpacker;
use crate::ingest::{digest, look_up, stored, train};

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
        let none = Unpacker::default();
        let accepted = Accepted { payload, ..row(&app, 7, &Value::Null) };
        let (original, event) = digest::prepare(accepted.clone(), &none).unwrap();
        let forms = stored::pack(&original.json, &original.json, None).unwrap();
        let again = none.original_json(&forms.original, &forms.result).unwrap();
        assert_eq!(stored::event(&again).unwrap(), event, "{name}");
        // Preparing it again changes nothing either: normalizing and scrubbing are idempotent.
        let payload = original.json.clone();
        let twice = digest::prepare(Accepted { payload, ..accepted }, &none).unwrap();
        assert_eq!(twice, (original.clone(), event.clone()), "{name}");
        let concluder = digest::Concluder::of(&app, std::iter::once(&original)).await.unwrap();
        let conclude = |looked| {
            let digested = concluder.conclude(&original, looked).unwrap();
            (digested.hash, digested.result, digested.tags, digested.missing)
        };
        let again = stored::event(&again).unwrap();
        let events = vec![(original.project, event), (original.project, again)];
        let mut looked = look_up::all(&app, events).await.unwrap();
        let (second, first) = (looked.remove(1).unwrap(), looked.remove(0).unwrap());
        assert_eq!(conclude(second), conclude(first), "{name}");
    }
}

on_both_apps!(events_of_a_project_get_smaller_with_its_dictionary, |app| {
    let event = |number: u8| {
        let trace: Vec<_> = (0..20)
            .map(|line| json!({"filename": "src/orders.py", "function": "f", "lineno": line}))
            .collect();
        let exception = json!([{"type": "E", "value": format!("order {number}"), "stacktrace": {"frames": trace}}]);
        json!({"platform": "python", "exception": exception, "release": "shop@1.2.3"})
    };
    let first: Vec<_> = (0..240).map(|number| row(app, number, &event(number))).collect();
    accept(app, first).await;
    drain(app).await;
    train::train_due(app).await.unwrap();
    let mut late = row(app, 250, &event(250));
    late.payload = stored::pack_payload(&late.payload, None).unwrap();
    accept(app, vec![late]).await;
    drain(app).await;
    let rows = app
        .db
        .read(|tx| {
            Box::pin(async move {
                crate::db::event::page_of_project(tx, ProjectId(PROJECT), i64::MAX, 2).await
            })
        })
        .await
        .unwrap();
    let [with, without] = rows.as_slice() else { panic!("two events") };
    assert!(
        with.result.len() * 2 < without.result.len(),
        "{} {}",
        with.result.len(),
        without.result.len()
    );
    let blobs = rows.iter().map(|row| row.result.as_slice());
    let unpacker = app.dictionaries.unpacker(&app.db, blobs).await.unwrap();
    let json = unpacker.result_json(&with.original, &with.result).unwrap();
    assert!(String::from_utf8(json).unwrap().contains("order 250"));
    // Without the dictionary it says what is missing, and its neighbours are read.
    app.db
        .write(|tx| Box::pin(async move { tx.execute("DELETE FROM dictionary", &[]).await }))
        .await
        .unwrap();
    let blobs = rows.iter().map(|row| row.result.as_slice());
    let fresh = crate::ingest::dictionaries::Shelf::new();
    let unpacker = fresh.unpacker(&app.db, blobs).await.unwrap();
    let lost = unpacker.result_json(&with.original, &with.result).unwrap_err();
    assert!(lost.to_string().contains("dictionary"), "{lost}");
    assert!(unpacker.result_json(&without.original, &without.result).is_ok());
});
