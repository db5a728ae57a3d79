//! Source map bundles on the wire: of sentry-cli, of npm `sentry`, and of nobody.

use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::server::Server;
use crate::support::upload::{bundle, sha1};

const DEBUG_ID: &str = "15ac1bd8-94c8-4d4e-9d0a-2f3a3d0f9d11";

/// A bundle of one script and its map; `more` are further fields of the manifest.
fn script_bundle(more: Value, debug_id: Option<&str>) -> Vec<u8> {
    let headers = |mut headers: Value| {
        if let Some(debug_id) = debug_id {
            headers["debug-id"] = json!(debug_id);
        }
        headers
    };
    let mut manifest = json!({"files": {
        "_/_/app.js": {"url": "~/app.js", "type": "minified_source", "headers": headers(json!({"Sourcemap": "app.js.map"}))},
        "_/_/app.js.map": {"url": "~/app.js.map", "type": "source_map", "headers": headers(json!({}))},
    }});
    manifest.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let map = br#"{"version":3,"sources":["a.ts"],"names":[],"mappings":"AAAA"}"#;
    bundle(&[
        ("manifest.json", manifest.to_string().as_bytes()),
        ("_/_/app.js", b"a();"),
        ("_/_/app.js.map", map),
    ])
}

on_both!(bundles_are_ok_in_the_first_poll_and_ever_after, |database| {
    let server = Server::start_on(database).await;
    let bytes = script_bundle(json!({}), Some(DEBUG_ID));
    let first = server.assemble_bundle(&bytes, json!({})).await.expect(200).json();
    assert_eq!(
        (&first["state"], &first["missingChunks"]),
        (&json!("not_found"), &json!([sha1(&bytes)]))
    );
    let answer = server.upload_bundle(&bytes, json!({})).await;
    assert_eq!(
        (&answer["state"], &answer["missingChunks"]),
        (&json!("ok"), &json!([])),
        "{answer}"
    );
    let again = server.assemble_bundle(&bytes, json!({"chunks": []})).await.expect(200).json();
    assert_eq!(again["state"], "ok");
});

on_both!(one_bundle_id_may_belong_to_several_releases, |database| {
    let server = Server::start_on(database).await;
    for release in ["web@1", "web@2"] {
        // The same files, the same bundle id, other bytes.
        let bytes =
            script_bundle(json!({"debug_id": DEBUG_ID, "release": release}), Some(DEBUG_ID));
        let answer = server.upload_bundle(&bytes, json!({"version": release, "dist": "7"})).await;
        assert_eq!(answer["state"], "ok", "{answer}");
    }
    let bytes = script_bundle(json!({"debug_id": DEBUG_ID, "release": "web@1"}), Some(DEBUG_ID));
    let third =
        server.assemble_bundle(&bytes, json!({"version": "web@3"})).await.expect(200).json();
    assert_eq!(third["state"], "ok");
});

#[tokio::test]
async fn a_bundle_without_files_is_ok() {
    let server = Server::start().await;
    let answer =
        server.upload_bundle(&bundle(&[("manifest.json", br#"{"files":{}}"#)]), json!({})).await;
    assert_eq!(answer["state"], "ok", "{answer}");
}

#[tokio::test]
async fn a_bundle_without_debug_ids_needs_a_release() {
    let server = Server::start().await;
    let bytes = script_bundle(json!({}), None);
    let answer = server.upload_bundle(&bytes, json!({})).await;
    assert_eq!(answer["state"], "error");
    assert!(
        answer["detail"].as_str().unwrap().contains("without debug ids or release"),
        "{answer}"
    );
    let answer = server.upload_bundle(&bytes, json!({"version": "web@1"})).await;
    assert_eq!(answer["state"], "ok", "{answer}");
    // The release of the manifest does as well.
    let bytes = script_bundle(json!({"release": "web@1"}), None);
    assert_eq!(server.upload_bundle(&bytes, json!({})).await["state"], "ok");
}

#[tokio::test]
async fn an_unreadable_bundle_is_refused_with_the_reason() {
    let server = Server::start().await;
    let good = script_bundle(json!({}), Some(DEBUG_ID));
    for bad in [b"hello".to_vec(), good[..good.len() - 30].to_vec(), good[8..].to_vec()] {
        let answer = server.upload_bundle(&bad, json!({})).await;
        assert_eq!(answer["state"], "error", "{answer}");
        assert!(
            answer["detail"].as_str().unwrap().starts_with("the bundle is invalid"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn an_embedded_map_repeated_in_the_manifest_is_no_problem() {
    let server = Server::start().await;
    let map = format!("data:application/json;base64,{}", "QUFB".repeat(500_000));
    let manifest = json!({"files": {"files/_/_/app.js": {
        "url": "~/app.js", "type": "minified_source",
        "headers": {"debug-id": DEBUG_ID, "sourcemap": map},
    }}});
    let bytes = bundle(&[
        ("files/_/_/app.js", b"a();"),
        ("manifest.json", manifest.to_string().as_bytes()),
    ]);
    assert_eq!(server.upload_bundle(&bytes, json!({})).await["state"], "ok");
}

#[tokio::test]
async fn projects_are_named_by_slug_or_id() {
    let server = Server::start().await;
    server.command(&["project", "create", "second", "--organization", "default"]).ok();
    let bytes = script_bundle(json!({}), Some(DEBUG_ID));
    let id = server.credentials.project_id.to_string();
    let answer = server.upload_bundle(&bytes, json!({"projects": [id, "second"]})).await;
    assert_eq!(answer["state"], "ok", "{answer}");
}

#[tokio::test]
async fn malformed_requests_are_refused_in_json() {
    let server = Server::start().await;
    let bytes = script_bundle(json!({}), Some(DEBUG_ID));
    for (more, words) in [
        (json!({"projects": []}), "at least one project"),
        (json!({"projects": ["nowhere"]}), "projects are invalid"),
        (json!({"projects": ["99"]}), "projects are invalid"),
        (json!({"dist": "7"}), "release together with a dist"),
        (json!({"version": "a/b"}), "slash"),
        (json!({"checksum": "zz"}), "SHA-1"),
        (json!({"projects": null}), "expected a sequence"),
    ] {
        let answer = server.assemble_bundle(&bytes, more).await.expect(400);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert!(answer.json()["detail"].as_str().unwrap().contains(words), "{}", answer.body);
    }
}
