//! Clients that keep sending while something fails, and the count at the end.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::StatusCode;
use serde_json::json;

use crate::support::reading::{envelope, new_id};
use crate::support::server::{Answer, Server};

/// Messages, and with them issues.
const MESSAGES: [&str; 4] = ["alpha failed", "beta failed", "gamma failed", "delta failed"];
/// How long a refused client waits before it sends the next event. A guess at a crash loop.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// What clients sent and were told.
#[derive(Debug, Default)]
pub(super) struct Load {
    stop: AtomicBool,
    sent: Mutex<BTreeSet<String>>,
    acknowledged: Mutex<BTreeSet<String>>,
    /// Answers other than 200.
    refusals: Mutex<Vec<Answer>>,
}

impl Load {
    /// Sends events from `clients` connections until told to stop.
    pub(super) async fn send(&self, server: &Server, clients: usize) {
        let client = async || {
            while !self.stop.load(Ordering::Relaxed) {
                self.send_one(server).await;
            }
        };
        futures_util::future::join_all((0..clients).map(|_| client())).await;
    }

    /// Sends one event; like an SDK, never a second time.
    pub(super) async fn send_one(&self, server: &Server) {
        let id = new_id();
        let place = {
            let mut sent = self.sent.lock().unwrap();
            sent.insert(id.clone());
            sent.len()
        };
        let message = MESSAGES[place % MESSAGES.len()];
        let event = json!({"message": message, "extra": {"pad": "x".repeat(2_000)}});
        let answer = server.send_envelope(envelope(&id, &event)).await;
        if answer.status == StatusCode::OK {
            self.acknowledged.lock().unwrap().insert(id);
        } else {
            self.refusals.lock().unwrap().push(answer);
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lets [`send`](Self::send) end.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// How many events were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Asserts that whoever was refused was told what, and when to come again; returns what they were told.
    pub(super) fn refusals(&self) -> BTreeSet<String> {
        let told = |answer: &Answer| {
            assert_eq!(answer.status, 503, "{}", answer.body);
            let seconds = answer.headers["retry-after"].to_str().unwrap().parse::<u32>();
            assert!((1..=60).contains(&seconds.unwrap()), "{answer:?}");
            answer.json()["detail"].as_str().expect("a reason").to_owned()
        };
        self.refusals.lock().unwrap().iter().map(told).collect()
    }

    /// Waits for the digest and asserts that every acknowledged event is kept and counted, once, and nothing
    /// that was not sent.
    pub(super) async fn assert_exact(&self, server: &Server) {
        server.wait_idle().await;
        let kept = server.kept_ids().await;
        let ids: BTreeSet<String> = kept.iter().cloned().collect();
        assert_eq!(ids.len(), kept.len(), "an event is kept twice");
        let acknowledged = self.acknowledged.lock().unwrap().clone();
        let lost: Vec<&String> = acknowledged.difference(&ids).collect();
        assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), acknowledged.len());
        // An event whose answer was lost on the way may be kept.
        let strange: Vec<String> = ids.difference(&self.sent.lock().unwrap()).cloned().collect();
        assert!(strange.is_empty(), "nobody sent {strange:?}");
        let kept = i64::try_from(kept.len()).unwrap();
        for counter in [
            "SELECT CAST(SUM(times_seen) AS BIGINT) FROM issue",
            "SELECT CAST(SUM(n) AS BIGINT) FROM issue_hour",
        ] {
            assert_eq!(server.number(counter).await, kept, "{counter}");
        }
        assert_eq!(server.number("SELECT COUNT(*) FROM accepted").await, 0);
    }
}
