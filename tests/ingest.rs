//! Every way in that SDKs use, and what they are told when there is none.

use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::reading::{envelope, new_id};
use crate::support::server::{Answer, Options, Server};

/// How often the same event is sent at once.
const SENT_AT_ONCE: usize = 16;

async fn answer(request: RequestBuilder) -> Answer {
    Answer::of(request.send().await.unwrap()).await
}

/// Asserts a refusal: status, reason in body and header, readable for a page of any origin.
#[track_caller]
fn assert_refused(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(words), "{detail}");
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Compresses as the name says.
fn encoded(encoding: &str, bytes: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        "deflate" => zlib(bytes),
        "br" => {
            let mut compressed = Vec::new();
            brotli::CompressorWriter::new(&mut compressed, 4096, 5, 20).write_all(bytes).unwrap();
            compressed
        }
        "zstd" => zstd::encode_all(bytes, 3).unwrap(),
        other => panic!("{other} is no encoding"),
    }
}

#[tokio::test]
async fn compressed_envelopes_are_taken() {
    let server = Server::start().await;
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let id = new_id();
        let body = encoded(encoding, &envelope(&id, &json!({"message": encoding})));
        let request = server.client().post(server.url(&server.envelope_path()));
        let request = request.header("content-encoding", encoding).body(body);
        answer(request).await.expect(200);
        assert_eq!(server.wait_digested(&id).await["title"], encoding);
    }
}

#[tokio::test]
async fn every_form_of_authentication_is_taken() {
    let server = Server::start().await;
    let (key, project) = (server.public_key().to_owned(), server.credentials.project_id);
    let sentry = format!("Sentry sentry_key={key}, sentry_version=7, sentry_client=test/1.0");
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{key}:")));
    let path = format!("/api/{project}/envelope/");
    let in_query = format!("{path}?sentry_key={key}&sentry_version=7");
    let forms = [
        (path.as_str(), "x-sentry-auth", sentry.as_str()),
        (&path, "authorization", &sentry),
        (&path, "authorization", &basic),
        (&in_query, "accept", "*/*"),
    ];
    let mut ids = Vec::new();
    for (path, name, value) in forms {
        let id = new_id();
        let request = server.client().post(server.url(path)).header(name, value);
        let sent = answer(request.body(envelope(&id, &json!({"message": "hello"})))).await;
        assert_eq!(sent.expect(200).json(), json!({"id": id}), "{name}: {value}");
        ids.push(id);
    }
    let id = new_id();
    let header = json!({"event_id": id, "dsn": server.credentials.dsn});
    let body = format!("{header}\n{{\"type\":\"event\"}}\n{{\"message\":\"hello\"}}\n");
    answer(server.client().post(server.url(&path)).body(body)).await.expect(200);
    ids.push(id);
    for id in ids {
        assert_eq!(server.wait_digested(&id).await["title"], "hello");
    }
}

#[tokio::test]
async fn old_store_endpoint_takes_json_and_base64() {
    let server = Server::start().await;
    let path = format!(
        "/api/{}/store/?sentry_key={}&sentry_version=7",
        server.credentials.project_id,
        server.public_key()
    );
    let event = |id: &str| json!({"event_id": id, "message": "from long ago"}).to_string();
    let ids = [new_id(), new_id(), new_id()];
    let bodies = [
        event(&ids[0]),
        BASE64_STANDARD.encode(event(&ids[1])),
        BASE64_STANDARD.encode(zlib(event(&ids[2]).as_bytes())),
    ];
    for (id, body) in ids.iter().zip(bodies) {
        let sent = answer(server.client().post(server.url(&path)).body(body)).await.expect(200);
        assert_eq!(sent.json(), json!({"id": id}));
        assert_eq!(server.wait_digested(id).await["title"], "from long ago");
    }
}

#[tokio::test]
async fn pages_of_any_origin_may_send() {
    let server = Server::start().await;
    let path = format!("/api/{}/envelope/", server.credentials.project_id);
    let request = server.client().request(Method::OPTIONS, server.url(&path));
    let request = request
        .header("origin", "https://shop.example.com")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "x-sentry-auth, content-type");
    let preflight = answer(request).await.expect(200);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    let said = |name: &str| preflight.headers[name].to_str().unwrap().to_lowercase();
    assert!(said("access-control-allow-methods").contains("post"));
    assert!(said("access-control-allow-headers").contains("x-sentry-auth"));
    let request = server.client().post(server.url(&server.envelope_path()));
    let request = request.header("origin", "https://shop.example.com");
    let sent = answer(request.body(envelope(&new_id(), &json!({"message": "hi"})))).await;
    let sent = sent.expect(200);
    assert_eq!(sent.headers["access-control-allow-origin"], "*");
    let exposed = sent.headers["access-control-expose-headers"].to_str().unwrap().to_lowercase();
    assert!(exposed.contains("x-sentry-rate-limits") && exposed.contains("retry-after"));
}

#[tokio::test]
async fn refusals_say_why() {
    let options = Options::default()
        .with("SYMBOLIST_LIMITS_EVENT_BYTES_MAX", "64KiB")
        .with("SYMBOLIST_LIMITS_ENVELOPE_BYTES_MAX", "128KiB");
    let server = Server::start_with(options).await;
    let project = server.credentials.project_id;
    let body = || envelope(&new_id(), &json!({"message": "x"}));
    let post = async |path: &str, body: Vec<u8>| {
        answer(server.client().post(server.url(path)).body(body)).await
    };
    let plain = format!("/api/{project}/envelope/");
    assert_refused(&post(&plain, body()).await, 401, "missing authorization");
    let short = format!("{plain}?sentry_key=short");
    assert_refused(&post(&short, body()).await, 401, "sentry_key");
    let unknown = format!("{plain}?sentry_key={}", "0".repeat(32));
    assert_refused(&post(&unknown, body()).await, 403, "unknown or revoked");
    let other = server.envelope_path().replacen(&format!("/{project}/"), "/4711/", 1);
    assert_refused(&post(&other, body()).await, 403, "another project");
    let good = server.envelope_path();
    assert_refused(&post(&good, b"no envelope".to_vec()).await, 400, "invalid event envelope");
    let no_json = b"{}\n{\"type\":\"event\"}\n{{{\n".to_vec();
    assert_refused(&post(&good, no_json).await, 400, "no JSON object");
    let large = envelope(&new_id(), &json!({"message": "x".repeat(70_000)}));
    assert_refused(&post(&good, large).await, 413, "exceeded size limits for type 'event'");
    let bomb = encoded("gzip", &vec![b' '; 1 << 20]);
    let request = server.client().post(server.url(&good)).header("content-encoding", "gzip");
    assert_refused(&answer(request.body(bomb)).await, 413, "exceeded size limits");
    assert_eq!(server.issues().await, [] as [Value; 0]);
}

#[tokio::test]
async fn key_that_sends_too_fast_is_told_when_to_come_back() {
    let server = Server::start().await;
    let project = server.credentials.project.clone();
    let create = [
        "key",
        "create",
        "--project",
        &project,
        "--rate-limit",
        "2",
        "--rate-window",
        "600",
        "--json",
    ];
    let key = server.command(&create).json()["public_key"].as_str().unwrap().to_owned();
    let path = format!("/api/{}/envelope/?sentry_key={key}", server.credentials.project_id);
    let send = async || {
        let body = envelope(&new_id(), &json!({"message": "again"}));
        answer(server.client().post(server.url(&path)).body(body)).await
    };
    send().await.expect(200);
    send().await.expect(200);
    let limited = send().await;
    assert_refused(&limited, 429, "too fast");
    let seconds: u32 = limited.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=600).contains(&seconds), "{seconds}");
    let limits = limited.headers["x-sentry-rate-limits"].to_str().unwrap();
    assert_eq!(limits, format!("{seconds}:error;default:key:usage_exceeded"));
    // Sessions cost nothing, and the project's other key is another key.
    let session = "{}\n{\"type\":\"session\"}\n{\"sid\":\"1\",\"status\":\"ok\"}\n";
    answer(server.client().post(server.url(&path)).body(session)).await.expect(200);
    server.send_envelope(envelope(&new_id(), &json!({"message": "other"}))).await.expect(200);
    server.wait_idle().await;
    assert_eq!(server.metric("symbolist_events_accepted_total").await as u64, 3);
}

#[tokio::test]
async fn bad_item_does_not_reject_its_siblings() {
    let server = Server::start().await;
    let id = new_id();
    let items = [
        ("{\"type\":\"something_new\"}", "?"),
        ("{\"type\":\"client_report\"}", "no json"),
        ("{\"type\":\"session\"}", "{{{"),
        ("{\"type\":\"transaction\"}", "{}"),
        ("{\"type\":\"event\"}", "{\"message\":\"among others\"}"),
        ("{\"type\":\"attachment\",\"filename\":\"a.txt\"}", "a file"),
    ];
    let mut body = format!("{{\"event_id\":\"{id}\"}}\n");
    for (header, payload) in items {
        body += &format!("{header}\n{payload}\n");
    }
    server.send_envelope(body).await.expect(200);
    assert_eq!(server.wait_digested(&id).await["title"], "among others");
    let attachments = server.of_project(&format!("events/{id}/attachments/")).await.expect(200);
    assert_eq!(attachments.json()[0]["name"], "a.txt");
    for (kind, reason) in [("unknown", "unknown"), ("transaction", "unsupported")] {
        let dropped =
            format!("symbolist_items_dropped_total{{type=\"{kind}\",reason=\"{reason}\"}}");
        assert_eq!(server.metric(&dropped).await as u64, 1, "{kind}");
    }
}

#[tokio::test]
async fn events_beyond_the_disk_budget_are_refused_whole() {
    let options = Options::default().with("SYMBOLIST_LIMITS_ACCEPTED_BYTES_MAX", "4KiB");
    let mut server = Server::start_with(options).await;
    let id = new_id();
    // It is compressed before it is counted.
    let noise: String = (0..600).map(|_| new_id()).collect();
    let mut body = envelope(&id, &json!({"message": noise}));
    body.extend_from_slice(b"{\"type\":\"attachment\",\"filename\":\"a.txt\"}\na file\n");
    let refused = server.send_envelope(body).await;
    assert_refused(&refused, 503, "limits.accepted_bytes_max");
    let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(seconds > 0);
    let small = new_id();
    server.send_envelope(envelope(&small, &json!({"message": "small"}))).await.expect(200);
    server.wait_digested(&small).await;
    server.terminate();
    server.ended().await;
    for table in ["attachment", "accepted"] {
        assert_eq!(server.number(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    assert_eq!(server.number("SELECT COUNT(*) FROM event").await, 1);
}

on_both!(same_event_sent_at_once_is_kept_and_counted_once, |database| {
    let server = Server::start_on(database).await;
    let id = new_id();
    let event = json!({"message": "the one event", "user": {"id": "1"}});
    let sent = (0..SENT_AT_ONCE).map(|_| server.send_envelope(envelope(&id, &event)));
    for answer in join_all(sent).await {
        assert_eq!(answer.expect(200).json(), json!({"id": id}));
    }
    server.wait_digested(&id).await;
    server.wait_idle().await;
    // Once more, after the digest.
    server.send_envelope(envelope(&id, &event)).await.expect(200);
    server.wait_idle().await;
    let issues = server.issues().await;
    assert_eq!(issues.len(), 1);
    assert_eq!((&issues[0]["count"], &issues[0]["userCount"]), (&json!("1"), &json!(1)));
    let events = server.of_project("events/").await.expect(200).json();
    assert_eq!(events.as_array().unwrap().len(), 1);
});
