//! Events and files in any order, with the server killed between any two steps or in the middle of one: in the
//! end everything is as if all files had come first.
//!
//! `SYMBOLIST_TEST_SEEDS=100` tries that many orders, `SYMBOLIST_TEST_SEED=7` that one.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

use crate::support::database::{Database, on_both};
use crate::support::reading::{envelope, new_id};
use crate::support::server::Server;
use crate::support::trace::{frames, outline};
use crate::support::upload::{Part, sha1};
use crate::support::wait::until;

/// Orders that are tried if nothing is said.
const SEEDS: u64 = 2;
/// Kills of one order: an event that is in hand at four of them is rightly given up.
const KILLS_MAX: u32 = 3;
/// Where the images of native events are loaded.
const IMAGE_ADDR: u64 = 0x10000;
/// Events of each kind.
const EVENTS_PER_KIND: usize = 4;

/// Something that a client does. Doing it twice changes nothing.
#[derive(Debug, Clone)]
enum Step {
    Event { id: String, event: Value },
    DebugFile { name: &'static str, bytes: Vec<u8> },
    Bundle { bytes: Vec<u8> },
}

fn fixture(path: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The debug id of an ELF file: its build id read as a little-endian GUID.
fn debug_id(code_id: &str) -> String {
    let hex = |range: std::ops::Range<usize>| code_id[range].to_owned();
    let reversed = |bytes: &[usize]| bytes.iter().map(|at| hex(*at..*at + 2)).collect::<String>();
    format!(
        "{}-{}-{}-{}-{}",
        reversed(&[6, 4, 2, 0]),
        reversed(&[10, 8]),
        reversed(&[14, 12]),
        hex(16..20),
        hex(20..32)
    )
}

/// A native panic with two frames in an image that is known by some of its ids.
fn native(code_id: &str, has_debug_id: bool, offsets: [u64; 2]) -> Value {
    let frame = |offset: u64| json!({"instruction_addr": format!("{:#x}", IMAGE_ADDR + offset)});
    let mut image = json!({
        "type": "elf", "code_id": code_id, "code_file": "/srv/lamp/lamp",
        "image_addr": format!("{IMAGE_ADDR:#x}"), "image_size": 65536,
    });
    if has_debug_id {
        image["debug_id"] = json!(debug_id(code_id));
    }
    json!({
        "platform": "native",
        "exception": [{"type": "panic", "value": "lamp broke",
            "stacktrace": {"frames": offsets.map(frame)}}],
        "debug_meta": {"images": [image]},
    })
}

/// An error in the minified fixture, at one of its positions.
fn javascript(line_and_columns: [(u32, u32); 2]) -> Value {
    let frame = |(line, column): (u32, u32)| {
        json!({"abs_path": "https://shop.example/app.js", "filename": "/app.js", "function": "a",
               "lineno": line, "colno": column, "in_app": true})
    };
    json!({
        "platform": "javascript",
        "exception": [{"type": "TypeError", "value": "x is undefined",
            "stacktrace": {"frames": line_and_columns.map(frame)}}],
        "debug_meta": {"images": [{"type": "sourcemap", "code_file": "https://shop.example/app.js",
            "debug_id": "739fa633-25cc-5ff3-90bb-6205b524fff1"}]},
    })
}

/// Everything that is sent, in the order in which nothing is late: files first.
fn steps() -> Vec<Step> {
    let file =
        |name: &'static str| Step::DebugFile { name, bytes: fixture(&format!("elf/{name}")) };
    let mut steps: Vec<Step> =
        ["companion", "companion.debug", "rust-v0", "cold", "inlined-dwarf4"].map(file).into();
    steps.push(Step::Bundle { bytes: fixture("js/app.artifactbundle.zip") });
    let kinds = [
        native("b68d0973d396a4aa6471ece7445964b4e2944c32", true, [0x107c, 0x1065]),
        native("b68d0973d396a4aa6471ece7445964b4e2944c32", false, [0x107c, 0x1021]),
        native("d804dcbb0a167051a0db8d67afbd907a38f177c2", false, [0x1424, 0x13fb]),
        native("b388bb4ef38a26e39c129f9542a348ada6a1d975", true, [0x107c, 0x1049]),
        // Nobody ever uploads this one: it stays what it is, in the issue that the others leave.
        native("0123456789abcdef0123456789abcdef01234567", true, [0x107c, 0x1049]),
        javascript([(3, 1145), (3, 671)]),
        javascript([(3, 1145), (3, 600)]),
        json!({"platform": "python", "message": "nothing to look up"}),
    ];
    let now_s = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
    for place in 0..kinds.len() * EVENTS_PER_KIND {
        let mut event = kinds[place % kinds.len()].clone();
        // No two at the same time, in no order of kinds, over three hours.
        let minutes = (place * 37) % 181;
        event["timestamp"] = json!(now_s - 11_000 + 60 * minutes as u64);
        event["user"] = json!({"id": (place % 5).to_string()});
        event["release"] = json!(format!("lamp@1.{}", minutes / 60));
        event["tags"] = json!({"shard": (place % 3).to_string()});
        event["level"] = json!(["error", "fatal"][minutes % 2]);
        steps.push(Step::Event { id: new_id(), event });
    }
    steps
}

impl Step {
    /// Does it; `None` where the server went away.
    async fn attempt(&self, server: &Server) -> Option<()> {
        match self {
            Self::Event { id, event } => {
                let url = server.url(&server.envelope_path());
                let answer =
                    server.client().post(url).body(envelope(id, event)).send().await.ok()?;
                answer.status().is_success().then_some(())
            }
            Self::DebugFile { name, bytes } => {
                chunk(server, bytes).await?;
                let body = json!({sha1(bytes): {"name": name, "chunks": [sha1(bytes)]}});
                let answer =
                    post(server, &server.project_path("files/difs/assemble/"), body).await?;
                (answer[sha1(bytes)]["state"] == "ok").then_some(())
            }
            Self::Bundle { bytes } => {
                chunk(server, bytes).await?;
                let body = json!({"checksum": sha1(bytes), "chunks": [sha1(bytes)],
                                  "projects": [server.credentials.project]});
                let path = server.organization_path("artifactbundle/assemble/");
                let answer = post(server, &path, body).await?;
                (answer["state"] == "ok").then_some(())
            }
        }
    }

    async fn done(&self, server: &Server) {
        // What takes longer to assemble is asked for again, as clients do.
        until("the step to be done", async || self.attempt(server).await).await;
    }
}

async fn chunk(server: &Server, bytes: &[u8]) -> Option<()> {
    let Part { field, name, payload } = Part::plain(bytes);
    let part = reqwest::multipart::Part::bytes(payload).file_name(name);
    let form = reqwest::multipart::Form::new().part(field, part);
    let url = server.url(&server.organization_path("chunk-upload/"));
    let request = server.client().post(url).bearer_auth(&server.credentials.token).multipart(form);
    request.send().await.ok()?.status().is_success().then_some(())
}

async fn post(server: &Server, path: &str, body: Value) -> Option<Value> {
    let request = server.client().post(server.url(path)).bearer_auth(&server.credentials.token);
    request.json(&body).send().await.ok()?.json().await.ok()
}

/// Ends the server as a power loss would, and starts it again. On PostgreSQL what it had in hand is leased for
/// a minute, which the test does not wait for.
async fn kill_and_restart(server: &mut Server) {
    server.kill9().await;
    if !server.environment().is_empty() {
        server
            .execute(
                "UPDATE accepted SET visible_at_ms = received_at_ms;
                 UPDATE event SET redigest_at_ms = 1 WHERE redigest_at_ms IS NOT NULL;
                 UPDATE job SET visible_at_ms = 1;",
            )
            .await;
    }
    server.restart().await;
}

/// Waits until nothing is left to do.
async fn settle(server: &Server) {
    let busy = "SELECT (SELECT COUNT(*) FROM accepted)
           + (SELECT COUNT(*) FROM event WHERE redigest_at_ms IS NOT NULL)
           + (SELECT COUNT(*) FROM job WHERE kind = 'resymbolicate' AND visible_at_ms <= NOW_MS)";
    let quiet = async || {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().to_string();
        let busy = busy.replace("NOW_MS", &now);
        until("nothing to be left to do", async || (server.number(&busy).await == 0).then_some(()))
            .await;
    };
    quiet().await;
    if !server.environment().is_empty() {
        // There a job looks again after a minute, because a digest may commit after it: a minute passes.
        server.execute("UPDATE job SET visible_at_ms = 1 WHERE kind = 'resymbolicate'").await;
        quiet().await;
    }
}

/// Everything that a reader sees, without ids that differ from server to server.
async fn seen(server: &Server, steps: &[Step]) -> Vec<String> {
    let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (place, step) in steps.iter().enumerate() {
        let Step::Event { id, .. } = step else { continue };
        let event = server.wait_digested(id).await;
        let trace = if event["platform"] == "python" { Vec::new() } else { frames(&event) };
        let issue = event["groupID"].as_str().unwrap().to_owned();
        let line = format!("    event {place}: {:?}", outline(&trace));
        events.entry(issue).or_default().push(line);
    }
    let mut issues = Vec::new();
    for listed in server.issues().await {
        let id = listed["id"].as_str().unwrap();
        let issue = server.get(&format!("/api/0/issues/{id}/")).await.expect(200).json();
        let tags = server.get(&format!("/api/0/issues/{id}/tags/")).await.expect(200).json();
        let hashes = server.get(&format!("/api/0/issues/{id}/hashes/")).await.expect(200).json();
        let mut values = Vec::new();
        for tag in tags.as_array().unwrap() {
            for value in tag["topValues"].as_array().unwrap() {
                values.push(format!("{}={}×{}", tag["key"], value["value"], value["count"]));
            }
        }
        values.sort();
        let part = |key: &str| issue[key].to_string();
        let release = |key: &str| issue[key]["version"].to_string();
        issues.push(format!(
            "{} in {} {}: {} events, {} users, {}…{}, {}…{}, {hashes}, {values:?}\n{}",
            part("title"),
            part("culprit"),
            part("level"),
            part("count"),
            part("userCount"),
            part("firstSeen"),
            part("lastSeen"),
            release("firstRelease"),
            release("lastRelease"),
            events.remove(id).unwrap_or_default().join("\n"),
        ));
    }
    for minor in 0..4 {
        let of = async |column: &str| {
            let sql = format!(
                "SELECT COALESCE(MAX({column}), 0) FROM release WHERE version = 'lamp@1.{minor}'"
            );
            server.number(&sql).await
        };
        let (n, resolved) = (of("n").await, of("frames_resolved").await);
        let unresolved = of("frames_unresolved").await;
        issues.push(format!("release 1.{minor}: {n} events, frames {resolved} and {unresolved}"));
    }
    assert!(events.is_empty(), "events are in issues that are not listed: {events:?}");
    issues.sort();
    issues
}

/// Does all steps in an order of their own, with kills; returns the ids and short ids of issues met on the way.
async fn live(server: &mut Server, steps: &[Step], random: &mut StdRng) -> Vec<String> {
    let mut order: Vec<&Step> = steps.iter().collect();
    order.shuffle(random);
    let (mut kills, mut met) = (0, Vec::new());
    for step in order {
        match random.random_range(0..12) {
            0 if kills < KILLS_MAX => {
                kills += 1;
                let after = Duration::from_micros(random.random_range(0..20_000));
                tokio::select! {
                    _ = step.attempt(server) => {}
                    () = tokio::time::sleep(after) => {}
                }
                kill_and_restart(server).await;
            }
            1 if kills < KILLS_MAX => {
                kills += 1;
                step.done(server).await;
                let after = Duration::from_micros(random.random_range(0..100_000));
                tokio::time::sleep(after).await;
                kill_and_restart(server).await;
            }
            2 => {
                for issue in server.issues().await {
                    met.push(issue["id"].as_str().unwrap().to_owned());
                    met.push(issue["shortId"].as_str().unwrap().to_owned());
                }
            }
            3 => tokio::time::sleep(Duration::from_millis(random.random_range(0..200))).await,
            _ => {}
        }
        step.done(server).await;
    }
    met
}

fn assert_counts_are_right(server: &Server) {
    let counted = server.command(&["check", "--json"]).ok().json();
    assert_eq!(counted["problems"], 0, "{counted}");
}

fn seeds() -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    match number("SYMBOLIST_TEST_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("SYMBOLIST_TEST_SEEDS").unwrap_or(SEEDS)).collect(),
    }
}

async fn in_order(database: Database, steps: &[Step]) -> Vec<String> {
    let server = Server::start_on(database).await;
    for step in steps {
        step.done(&server).await;
    }
    settle(&server).await;
    assert_counts_are_right(&server);
    seen(&server, steps).await
}

on_both!(any_order_with_crashes_ends_as_if_all_files_had_come_first, |database| {
    let steps = steps();
    let expected = in_order(database, &steps).await;
    assert!(expected.len() >= 6, "{expected:#?}");
    for seed in seeds() {
        eprintln!("SYMBOLIST_TEST_SEED={seed}");
        let mut random = StdRng::seed_from_u64(seed);
        let mut server = Server::start_on(database).await.may_fail();
        let met = live(&mut server, &steps, &mut random).await;
        settle(&server).await;
        assert_counts_are_right(&server);
        let found = seen(&server, &steps).await;
        assert_eq!(found, expected, "SYMBOLIST_TEST_SEED={seed}");
        for issue in met {
            // An issue that somebody saw leads to one, whatever became of its events.
            let path = server.organization_path(&format!("issues/{issue}/"));
            server.get(&path).await.expect(200);
        }
    }
});
