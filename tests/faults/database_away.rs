//! PostgreSQL crashes and comes back.

use super::load::Load;
use crate::support::database::Database;
use crate::support::postgres::Postgres;
use crate::support::server::{Options, Server};
use crate::support::wait::until;

/// How often it crashes.
const CRASHES: usize = 2;

#[tokio::test]
async fn a_database_that_crashes_under_load_costs_no_acknowledged_event() {
    let postgres = Postgres::start();
    let options = Options::on(Database::Postgres).with("SYMBOLIST_DATABASE_URL", &postgres.url());
    let server = Server::start_with(options).await.may_fail();
    let load = Load::default();
    let more = async |count: usize| {
        let wanted = load.acknowledged() + count;
        until("acknowledged events", async || (load.acknowledged() >= wanted).then_some(())).await;
    };
    let faults = async {
        for _ in 0..CRASHES {
            more(150).await;
            postgres.down();
            let ready = server.get_as(None, "/readyz").await.expect(503).json();
            assert_eq!((&ready["database"], &ready["blobs"]), (&"failed".into(), &"ok".into()));
            server.get_as(None, "/healthz").await.expect(200);
            postgres.up();
        }
        more(150).await;
        load.stop();
    };
    tokio::join!(faults, load.send(&server, 8));
    server.get_as(None, "/readyz").await.expect(200);
    load.refusals();
    load.assert_exact(&server).await;
}
