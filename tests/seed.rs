//! `symbolist seed`: a folder full of made-up events, on both databases.

use crate::support::database::on_both;
use crate::support::server::{Options, Server};
use crate::support::visitor::Visitor;

on_both!(seed_fills_a_database_that_can_be_looked_at, |database| {
    let mut server = Server::start_with(Options::on(database)).await;
    server.terminate();
    assert_eq!(server.ended().await, 0);
    let refused = server.command(&["seed", "--events", "200"]);
    assert!(refused.code == 2 && refused.errors.contains("--add"), "{}", refused.errors);
    for _ in 0..2 {
        // The second run sends the same events, which are known.
        let ran = server.command(&["seed", "--add", "--events", "200"]).ok();
        assert!(ran.output.contains("with seed 1"), "{}", ran.output);
    }
    server.restart().await;
    let mut events = 0;
    for project in [
        "checkout-api",
        "contact-sheet",
        "gallery",
        "storefront",
        "billing",
        "notifications",
        "inventory",
        "backoffice",
    ] {
        let path = format!("/api/0/projects/default/{project}/issues/?query=&limit=100");
        let issues = server.get(&path).await.expect(200).json();
        let issues = issues.as_array().unwrap().clone();
        events += issues
            .iter()
            .map(|issue| issue["count"].as_str().unwrap().parse::<u64>().unwrap())
            .sum::<u64>();
    }
    assert_eq!(events, 200);
    let mut visitor = Visitor::logged_in(&server).await;
    for (path, text) in [
        ("/default/contact-sheet/issues/", "contact_sheet::"),
        ("/default/gallery/issues/", "src/photo"),
        ("/default/gallery/releases/", "gallery@2.3.0"),
        ("/default/contact-sheet/debug-files/", ">ready<"),
    ] {
        let page = visitor.get(path).await;
        assert!(page.body.contains(text), "{path} has no {text}: {}", page.body);
    }
});
