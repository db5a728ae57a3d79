//! What both programs share: the client, set up from the environment, and the line they print.

/// Starts the SDK for `SENTRY_DSN`.
pub fn start() -> sentry::ClientInitGuard {
    let options = sentry::ClientOptions::new()
        .release("crash@1.0.0")
        .environment("test")
        .server_name("test-host")
        .attach_stacktrace(true);
    sentry::init(options)
}

/// Prints the event's id as JSON and sends what is queued.
pub fn finish(client: &sentry::ClientInitGuard, event_id: Option<sentry::types::Uuid>) {
    let event_id = event_id.expect("an event was captured");
    println!("{{\"event_id\":\"{}\"}}", event_id.simple());
    let is_sent = client.flush(Some(std::time::Duration::from_secs(20)));
    assert!(is_sent, "the event was not sent within 20 s");
}
