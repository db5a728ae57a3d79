//! The disk of the data folder is full.

use super::load::Load;
use crate::support::server::{Options, Server};
use crate::support::tmpfs::Tmpfs;
use crate::support::wait::until;

/// Size of the disk, in mebibytes.
const DISK_MIB: u32 = 48;

fn options(disk: &Tmpfs, free_bytes_min: &str) -> Options {
    let data = Some(disk.path().join("data"));
    Options { data, ..Options::default() }
        .with("SYMBOLIST_LIMITS_DISK_FREE_BYTES_MIN", free_bytes_min)
}

/// Fills the disk during sends, and makes room again; returns what refused clients were told.
async fn fill_and_free(free_bytes_min: &str, left: u64) -> Vec<String> {
    let disk = Tmpfs::mount(DISK_MIB);
    let server = Server::start_with(options(&disk, free_bytes_min)).await.may_fail();
    let load = Load::default();
    let fault = async {
        until("events before the fault", async || (load.acknowledged() >= 100).then_some(())).await;
        let ballast = disk.fill(left);
        let told =
            until("a refusal", async || Some(load.refusals()).filter(|told| !told.is_empty()))
                .await;
        let ready = until("an unready server", async || {
            let ready = server.get_as(None, "/readyz").await;
            (ready.status == 503).then(|| ready.json())
        })
        .await;
        assert!(ready["disk"] == "full" || ready["blobs"] == "failed", "{ready}");
        let before = load.acknowledged();
        std::fs::remove_file(ballast).unwrap();
        until("events after the fault", async || {
            (load.acknowledged() >= before + 100).then_some(())
        })
        .await;
        load.stop();
        told
    };
    let (told, ()) = tokio::join!(fault, load.send(&server, 8));
    server.get_as(None, "/readyz").await.expect(200);
    load.assert_exact(&server).await;
    told.into_iter().chain(load.refusals()).collect()
}

#[tokio::test]
async fn a_disk_that_fills_up_refuses_in_time_and_recovers() {
    let told = fill_and_free("4MiB", 2 << 20).await;
    assert!(told.iter().any(|told| told.contains("make room")), "{told:?}");
}

#[tokio::test]
async fn a_write_that_fails_for_lack_of_room_is_refused_and_nothing_acknowledged_is_lost() {
    // There is no limit and two pages are left, so the database itself meets the end of the disk.
    let told = fill_and_free("0KiB", 8 << 10).await;
    assert!(told.iter().any(|told| told.contains("the disk of the database is full")), "{told:?}");
}
