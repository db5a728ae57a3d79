//! A disk on which every fsync takes long, and a kill in the midst of it.

use super::load::Load;
use crate::support::server::{Options, Server};
use crate::support::wait::until;

/// What an fsync takes more, in milliseconds.
const FSYNC_MS: u32 = 5;

#[tokio::test]
async fn a_slow_fsync_loses_nothing_and_counts_exactly() {
    let server = Server::start_with(Options::default().with_slow_fsync(FSYNC_MS)).await;
    let load = Load::default();
    let enough = async {
        until("events", async || (load.acknowledged() >= 400).then_some(())).await;
        load.stop();
    };
    tokio::join!(enough, load.send(&server, 16));
    load.assert_exact(&server).await;
    let writes = server.metric("symbolist_db_commit_duration_seconds_count").await;
    let seconds = server.metric("symbolist_db_commit_duration_seconds_sum").await;
    assert!(
        seconds / writes >= f64::from(FSYNC_MS) / 1000.0,
        "writes that took {seconds} s in all, {writes} of them, did not wait for the slowed disk"
    );
}
