//! Panics on an index, below an inlined and a plain call: `main → checkout → total → [price → rate]`.
//!
//! Prints `{"event_id": …}` and exits with 101. The lines that the tests expect are marked `frame:`.

mod cart;
mod price;

use std::panic::catch_unwind;

fn main() {
    let client = report::start();
    sentry::configure_scope(|scope| {
        scope.set_tag("customer", "gold");
        scope.set_user(Some(sentry::User { id: Some("42".into()), ..Default::default() }));
    });
    let level = std::env::args().count() + 6;
    let outcome = catch_unwind(|| cart::checkout(level)); // frame: main
    assert!(outcome.is_err(), "the cart should not have a price");
    report::finish(&client, sentry::last_event_id());
    std::process::exit(101);
}
