//! The wall clock jumps back and ahead while events and jobs wait.

use super::load::Load;
use crate::support::database::on_both;
use crate::support::preload::MovedClock;
use crate::support::server::{Options, Server};
use crate::support::upload::Part;
use crate::support::wait::until;

const ELF: &[u8] = include_bytes!("../../fixtures/elf/inlined-dwarf5");
const OTHER: &[u8] = include_bytes!("../../fixtures/elf/cold");
/// Seconds of an hour.
const HOUR_S: i64 = 3600;

on_both!(a_clock_that_jumps_stops_nothing_and_loses_nothing, |database| {
    let clock = MovedClock::new();
    // Small batches, so that events and leases are under way when the clock jumps.
    let options = Options::on(database).with("SYMBOLIST_DIGEST_BATCH", "4").with_clock(&clock);
    let server = Server::start_with(options).await;
    let load = Load::default();
    let more = async |count: usize| {
        let wanted = load.acknowledged() + count;
        until("acknowledged events", async || (load.acknowledged() >= wanted).then_some(())).await;
    };
    let jumps = async {
        more(150).await;
        server.upload("before", ELF).await;
        clock.set(-HOUR_S);
        more(150).await;
        server.get_as(None, "/readyz").await.expect(200);
        clock.set(HOUR_S);
        server.send_chunks(&[Part::plain(OTHER)]).await.expect(200);
        assert_eq!(server.assemble("after", OTHER).await["state"], "ok");
        more(150).await;
        clock.set(0);
        more(150).await;
        load.stop();
    };
    tokio::join!(jumps, load.send(&server, 8));
    load.assert_exact(&server).await;
    until("the jobs to be done", async || {
        (server.number("SELECT COUNT(*) FROM job WHERE kind = 'derive'").await == 0).then_some(())
    })
    .await;
    // Without a backlog at the moment of a jump this would prove nothing.
    let log = server.log();
    assert!(
        log.contains("a time that a wrong clock named"),
        "nothing waited when it jumped:\n{log}"
    );
});
