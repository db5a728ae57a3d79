//! Items we only count: sessions and client reports.

use serde_json::Value;

/// Events that an SDK says it dropped itself: reason, category, quantity.
pub type Discarded = (String, String, u64);

/// Most entries of one client report that are read.
pub const DISCARDED_MAX: usize = 100;

/// Returns how many sessions a `session` or `sessions` item speaks of.
pub fn sessions(payload: &[u8]) -> u64 {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return 0;
    };
    let Some(aggregates) = value.get("aggregates").and_then(Value::as_array) else {
        // A single session is counted when it starts; updates of it have `init` false.
        return u64::from(value.get("init").and_then(Value::as_bool).unwrap_or(false));
    };
    let states = ["exited", "errored", "abnormal", "unhandled", "crashed"];
    let count = |aggregate: &Value| -> u64 {
        states.iter().filter_map(|state| aggregate.get(state).and_then(Value::as_u64)).sum()
    };
    aggregates.iter().map(count).sum()
}

/// Returns what a `client_report` item says was dropped on the client's side.
pub fn discarded(payload: &[u8]) -> Vec<Discarded> {
    let Ok(value) = serde_json::from_slice::<Value>(payload) else {
        return Vec::new();
    };
    let Some(entries) = value.get("discarded_events").and_then(Value::as_array) else {
        return Vec::new();
    };
    let read = |entry: &Value| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((text("reason")?, text("category")?, entry.get("quantity")?.as_u64()?))
    };
    entries.iter().take(DISCARDED_MAX).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_counted_once_and_in_sum() {
        assert_eq!(sessions(br#"{"sid":"x","init":true}"#), 1);
        assert_eq!(sessions(br#"{"sid":"x","init":false}"#), 0);
        assert_eq!(sessions(br#"{"aggregates":[{"exited":2,"crashed":1},{"errored":4}]}"#), 7);
        assert_eq!(sessions(b"nonsense"), 0);
    }

    #[test]
    fn client_reports_list_what_was_dropped() {
        let report = br#"{"discarded_events":[{"reason":"before_send","category":"error","quantity":2},{}]}"#;
        assert_eq!(discarded(report), [("before_send".to_owned(), "error".to_owned(), 2)]);
        assert!(discarded(b"[]").is_empty());
    }
}
