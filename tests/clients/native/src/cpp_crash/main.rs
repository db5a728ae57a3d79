//! Reports from a Rust callback below C++ frames, which g++ split into hot and cold parts.
//!
//! `cpp-crash hot` reports from the ordinary path, `cpp-crash cold` from inside a `catch` block, whose code
//! lies in the cold part. Prints `{"event_id": …}` and exits with 0.

use std::sync::Mutex;

unsafe extern "C" {
    /// `cpp/order.cpp`. The callback must not unwind.
    fn order_total(items: i64, report: extern "C" fn(i64)) -> i64;
}

static EVENT: Mutex<Option<sentry::types::Uuid>> = Mutex::new(None);

extern "C" fn on_total(total: i64) {
    let id = sentry::capture_message(&format!("odd total {total}"), sentry::Level::Error);
    *EVENT.lock().expect("nobody panics with the lock") = Some(id);
}

fn main() {
    let client = report::start();
    let is_cold = std::env::args().nth(1).as_deref() == Some("cold");
    let items = if is_cold { 9 } else { 3 };
    // SAFETY: the function takes any number, and `on_total` does not unwind.
    let total = unsafe { order_total(items, on_total) };
    std::hint::black_box(total);
    report::finish(&client, *EVENT.lock().expect("nobody panics with the lock"));
}
