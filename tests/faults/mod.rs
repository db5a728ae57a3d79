//! What happens when something around the server fails: no acknowledged event is lost or counted twice, it recovers
//! without a person, and `/readyz` tells. Every fault here really happens to the real server.

mod blobs_away;
mod clock;
mod database_away;
mod full_disk;
mod large_envelopes;
mod load;
mod poison;
mod slow_disk;
