//! The life of an event at the level of the database, on both engines: what order things happen in must not
//! show in what is kept.

mod late_files;
mod queue;
mod redirects;
mod runs;
mod stored_forms;

use serde_json::{Value, json};
use symbolicate::derive::native::derive;

use super::accept::Sender;
use crate::app::App;
use crate::blobs::{BlobKey, Sha1};
use crate::db::accepted::Accepted;
use crate::db::debug_file::DebugFile;
use crate::db::engine::Tx;
use crate::db::{accepted, debug_file, file_key, job};
use crate::jobs;

/// Makes two tests of one body over `&App`: `name::sqlite` and `name::postgres`.
macro_rules! on_both_apps {
    ($name:ident, |$app:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check($app: &crate::app::App) $body

            #[tokio::test]
            async fn sqlite() {
                let app = crate::app::testing::TestApp::new().await;
                check(&app).await;
            }

            #[tokio::test]
            async fn postgres() {
                let app = crate::app::testing::TestApp::postgres().await;
                check(&app).await;
            }
        }
    };
}
use on_both_apps;

const PROJECT: i64 = 1;
const DEBUG_ID: &str = "00000000-0000-4000-8000-000000000001";

/// Row of the queue for an event; the number makes its id, user, tag and hour.
fn row(app: &App, number: u8, event: &Value) -> Accepted {
    Accepted {
        id: app.clock.new_id(),
        project_id: PROJECT,
        // The id of zeros is none.
        event_id: vec![number + 1; 16],
        received_at_ms: app.clock.now_ms(),
        attempts: 0,
        alone_attempts: 0,
        sender: serde_json::to_string(&Sender::default()).unwrap(),
        payload: event.to_string().into_bytes(),
    }
}

/// A native panic whose frame lies in one of two functions of the fixture.
fn native_event(app: &App, number: u8) -> Value {
    let hours = i64::from(number % 3) * 3600;
    json!({
        "platform": "native", "timestamp": app.clock.now_ms() / 3_600_000 * 3600 - 7200 - hours + i64::from(number),
        "user": {"id": (number % 2).to_string()}, "tags": {"number": (number % 4).to_string()},
        "exception": [{"type": "panic", "value": "boom", "stacktrace": {"frames": [
            {"instruction_addr": if number.is_multiple_of(2) { "0x11065" } else { "0x11021" }}]}}],
        "debug_meta": {"images": [
            {"type": "elf", "debug_id": DEBUG_ID, "image_addr": "0x10000", "image_size": 65536}]},
    })
}

async fn accept(app: &App, rows: Vec<Accepted>) {
    app.db
        .write(move |tx| {
            let rows = rows.clone();
            Box::pin(async move {
                for row in &rows {
                    accepted::insert(tx, &[row]).await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
}

/// Stores a fixture as the debug file of [`DEBUG_ID`], already derived: there is no worker here.
async fn upload(app: &App, fixture: &str) {
    upload_as(app, fixture, DEBUG_ID).await;
}

/// Stores a fixture as the debug file of another id.
async fn upload_as(app: &App, fixture: &str, debug_id: &'static str) {
    let path = format!("{}/fixtures/elf/{fixture}", env!("CARGO_MANIFEST_DIR"));
    let sha256 = BlobKey::of(fixture.as_bytes());
    let derived = derive(&std::fs::read(path).unwrap()).unwrap().bytes;
    let name = format!("native-{sha256}-v{}", symbolicate::native::format::VERSION);
    std::fs::write(app.config.data.join("derived").join(name), derived).unwrap();
    let mut sha1 = [0; 20];
    sha1.copy_from_slice(&sha256.0[..20]);
    // One content may be stored under several ids.
    sha1[0] ^= debug_id.as_bytes()[debug_id.len() - 1];
    let has_debug = fixture != "symbols-only";
    let file = DebugFile {
        id: app.clock.new_id(),
        project_id: PROJECT,
        sha1: Sha1(sha1),
        sha256,
        size: 1,
        name: fixture.to_owned(),
        debug_id: debug_id.to_owned(),
        code_id: None,
        format: "elf".to_owned(),
        object_kind: "dbg".to_owned(),
        arch: "x86_64".to_owned(),
        features: if has_debug { "debug" } else { "symtab" }.to_owned(),
        detail: None,
        created_at_ms: app.clock.now_ms(),
    };
    let job_id = app.clock.new_id();
    app.db
        .write(move |tx| {
            let file = file.clone();
            Box::pin(async move {
                debug_file::insert(tx, &file).await?;
                let keys = [format!("debug-id:{debug_id}")];
                file_key::insert(tx, PROJECT, &keys, file.id, file.created_at_ms).await?;
                let arrived = file.id.to_string();
                job::enqueue(tx, job_id, "resymbolicate", &arrived, file.created_at_ms).await
            })
        })
        .await
        .unwrap();
}

/// Works until nothing is left.
async fn drain(app: &App) {
    while jobs::digest::work(app).await.unwrap() || jobs::resymbolicate::work(app).await.unwrap() {}
}

/// Everything that issues count and say, without ids and without what depends on the clock of the test.
async fn issues(app: &App) -> Vec<String> {
    app.db.read(|tx| Box::pin(read_issues(tx))).await.unwrap()
}

async fn read_issues(tx: &mut Tx<'_>) -> crate::error::Result<Vec<String>> {
    let issues: Vec<(i64, String, String)> =
        tx.all("SELECT id, title, culprit FROM issue ORDER BY culprit, title", &[]).await?;
    let mut texts = Vec::new();
    for (id, title, culprit) in issues {
        let seen: (i64, i64) =
            tx.one("SELECT times_seen, users_seen FROM issue WHERE id = $1", &[&id]).await?;
        let span: (i64, i64) =
            tx.one("SELECT first_seen_ms, last_seen_ms FROM issue WHERE id = $1", &[&id]).await?;
        let hash: Vec<Vec<u8>> =
            tx.all("SELECT hash FROM group_hash WHERE issue_id = $1", &[&id]).await?;
        let events: i64 = tx.one("SELECT COUNT(*) FROM event WHERE issue_id = $1", &[&id]).await?;
        let mut users: Vec<(Vec<u8>, i64)> =
            tx.all("SELECT user_hash, n FROM issue_user WHERE issue_id = $1", &[&id]).await?;
        let mut tags: Vec<(String, String, i64)> =
            tx.all("SELECT key, value, n FROM issue_tag WHERE issue_id = $1", &[&id]).await?;
        let mut hours: Vec<(i64, i64)> =
            tx.all("SELECT hour, n FROM issue_hour WHERE issue_id = $1 AND n <> 0", &[&id]).await?;
        users.sort();
        tags.sort();
        hours.sort_unstable();
        texts.push(format!(
            "{title} in {culprit}: {seen:?} {span:?} {hash:?} {events} {users:?} {tags:?} {hours:?}"
        ));
    }
    Ok(texts)
}
