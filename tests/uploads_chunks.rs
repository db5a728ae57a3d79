//! Chunked upload on the wire: what sentry-cli, npm `sentry` and their older versions rely on.

use serde_json::{Value, json};

use crate::support::server::{Answer, Options, Server};
use crate::support::upload::{Part, gzip, sha1};

/// Asserts a refusal that sentry-cli can show: JSON with one key.
#[track_caller]
fn assert_refused(answer: &Answer, words: &str) {
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    assert!(body["detail"].as_str().unwrap().contains(words), "{body}");
}

#[tokio::test]
async fn options_are_complete_and_name_the_clients_own_origin() {
    let server = Server::start().await;
    let path = server.organization_path("chunk-upload/");
    let answer = server.get(&path).await.expect(200);
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let options = answer.json();
    assert_eq!(options["url"], server.url(&path));
    assert!(options["chunkSize"].as_u64().unwrap().is_power_of_two());
    assert_eq!(options["maxFileSize"], 2_u64 << 30);
    assert_eq!(
        (&options["hashAlgorithm"], &options["compression"]),
        (&json!("sha1"), &json!(["gzip"]))
    );
    let accepted = options["accept"].as_array().unwrap();
    for word in ["debug_files", "pdbs", "sources", "artifact_bundles_v2", "portablepdbs"] {
        assert!(accepted.contains(&json!(word)), "{word}");
    }
    assert!(options.as_object().unwrap().values().all(|value| !value.is_null()));

    let other = server.client().get(server.url(&path)).bearer_auth(&server.credentials.token);
    let other = other.header("host", "symbols.example.com:81").send().await.unwrap();
    let options: Value = other.json().await.unwrap();
    assert_eq!(options["url"], format!("http://symbols.example.com:81{path}"));
}

#[tokio::test]
async fn chunks_may_be_compressed_and_repeated_in_one_request() {
    let server = Server::start().await;
    let parts = [Part::plain(b"one"), Part::gzip(b"two"), Part::gzip(b"one"), Part::plain(b"one")];
    server.send_chunks(&parts).await.expect(200);
    let answer = server.assemble_of("x", b"onetwo", &[sha1(b"one"), sha1(b"two")]).await;
    // All chunks are there; what they make is no debug file.
    assert_eq!((&answer["state"], &answer["missingChunks"]), (&json!("error"), &json!([])));
}

#[tokio::test]
async fn incompressible_chunks_may_be_longer_than_a_chunk_when_compressed() {
    let server = Server::start_with(small_chunks()).await;
    let mut state = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(65_536)
    .collect();
    let part = Part::gzip(&bytes);
    assert!(part.payload.len() > bytes.len());
    server.send_chunks(&[part]).await.expect(200);
}

fn small_chunks() -> Options {
    Options::default()
        .with("SYMBOLIST_LIMITS_CHUNK_BYTES", "64KiB")
        .with("SYMBOLIST_LIMITS_CHUNK_REQUEST_BYTES_MAX", "256KiB")
}

#[tokio::test]
async fn a_chunk_is_never_trusted_by_its_name() {
    let server = Server::start().await;
    let lie = Part { name: sha1(b"other"), ..Part::gzip(b"bytes") };
    assert_refused(&server.send_chunks(&[Part::plain(b"good"), lie]).await, "its SHA-1 is");
    let answer = server.assemble_of("x", b"goodother", &[sha1(b"good"), sha1(b"other")]).await;
    // What was good before the lie need not be sent again.
    assert_eq!(answer["missingChunks"], json!([sha1(b"other")]));
}

#[tokio::test]
async fn malformed_chunk_uploads_are_refused_in_json() {
    let server = Server::start_with(small_chunks()).await;
    let no_name = Part { name: "app.js".to_owned(), ..Part::plain(b"x") };
    assert_refused(&server.send_chunks(&[no_name]).await, "no SHA-1");
    let no_gzip = Part { field: "file_gzip", ..Part::plain(b"plain bytes") };
    assert_refused(&server.send_chunks(&[no_gzip]).await, "not the gzip stream");
    let cut = Part { payload: gzip(b"cut off")[..15].to_vec(), ..Part::gzip(b"cut off") };
    assert_refused(&server.send_chunks(&[cut]).await, "gzip");
    let brotli = Part { field: "file_brotli", ..Part::plain(b"x") };
    assert_refused(&server.send_chunks(&[brotli]).await, "file_brotli");
    let bomb = Part::gzip(&vec![0; 65_537]);
    assert_refused(&server.send_chunks(&[bomb]).await, "larger than 65536 bytes");
    let large = Part::plain(&vec![0; 70_000]);
    assert_refused(&server.send_chunks(&[large]).await, "larger than 65536 bytes");
    let many: Vec<Part> = (0..65_u8).map(|byte| Part::plain(&[byte])).collect();
    assert_refused(&server.send_chunks(&many).await, "too many chunks");
    let much: Vec<Part> = (0..5_u8).map(|byte| Part::gzip(&[byte; 65_536])).collect();
    assert_refused(&server.send_chunks(&much).await, "request too large");
    let path = server.organization_path("chunk-upload/");
    assert_refused(&server.post(&path, &json!({})).await, "multipart");
}

#[tokio::test]
async fn a_request_without_chunks_is_fine() {
    let server = Server::start().await;
    let url = server.url(&server.organization_path("chunk-upload/"));
    let request = server.client().post(url).bearer_auth(&server.credentials.token);
    let request = request.header("content-type", "multipart/form-data; boundary=b");
    assert_eq!(request.body("--b--\r\n").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn no_path_is_redirected() {
    let server = Server::start().await;
    for path in ["chunk-upload", "chunk-upload/"] {
        server.get(&server.organization_path(path)).await.expect(200);
    }
    let body = json!({});
    let path = server.project_path("files/difs/assemble");
    assert_eq!(server.post(&path, &body).await.expect(200).json(), json!({}));
}
