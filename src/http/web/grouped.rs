//! Why an event is in its issue, for its page.

use pages::issue::Grouping;
use protocol::event::Event;

use crate::grouping;

/// Parts that are listed; a fingerprint of a deep stack has hundreds.
const PARTS_MAX: usize = 60;

/// Says what was hashed; `hashes` lead to the issue.
pub(super) fn grouping(event: &Event, hashes: usize) -> Grouping {
    let fingerprint = grouping::fingerprint(event);
    let parts = fingerprint.parts.into_iter().take(PARTS_MAX);
    Grouping {
        hash: hex::encode(fingerprint.hash.0),
        version: grouping::VERSION,
        hashes,
        parts: parts.map(|part| (part.source.to_owned(), part.value)).collect(),
    }
}
