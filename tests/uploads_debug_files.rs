//! Debug files on the wire: states, missing chunks, what is stored, and for whom.

use serde_json::{Value, json};

use crate::support::database::on_both;
use crate::support::server::{Options, Server};
use crate::support::upload::{Part, sha1};
use crate::support::wait::until;

const ELF: &[u8] = include_bytes!("../fixtures/elf/inlined-dwarf5");
const OTHER: &[u8] = include_bytes!("../fixtures/elf/cold");

on_both!(missing_chunks_are_named_until_they_are_there, |database| {
    let options = Options::on(database).with("SYMBOLIST_LIMITS_CHUNK_BYTES", "4KiB");
    let server = Server::start_with(options).await;
    let chunks: Vec<&[u8]> = ELF.chunks(4096).collect();
    let names: Vec<String> = chunks.iter().map(|chunk| sha1(chunk)).collect();
    let mut once = names.clone();
    once.sort();
    once.dedup();
    let first = server.assemble_of("prog", ELF, &names).await;
    assert_eq!(first["state"], "not_found");
    let mut missing: Vec<String> = serde_json::from_value(first["missingChunks"].clone()).unwrap();
    missing.sort();
    assert_eq!(missing, once);

    let parts: Vec<Part> = chunks.iter().map(|chunk| Part::gzip(chunk)).collect();
    for parts in parts.chunks(16) {
        server.send_chunks(parts).await.expect(200);
    }
    let answer = server.assemble_of("dir/prog", ELF, &names).await;
    assert_eq!(answer["state"], "ok", "{answer}");
    let file = &answer["dif"];
    assert_eq!((&file["objectName"], &file["symbolType"]), (&json!("prog"), &json!("elf")));
    assert_eq!((&file["sha1"], &file["size"]), (&json!(sha1(ELF)), &json!(ELF.len())));
    assert_eq!(file["data"]["type"], "lib");
    assert_eq!(server.debug_files().await[0], *file);
});

on_both!(a_known_file_is_ok_at_once_without_its_chunks, |database| {
    let server = Server::start_on(database).await;
    let uploaded = server.upload("prog", ELF).await;
    assert_eq!(uploaded["state"], "ok", "{uploaded}");
    assert_eq!(server.assemble_of("prog", ELF, &[]).await, uploaded);
    assert_eq!(server.assemble("other name", ELF).await, uploaded);
});

on_both!(eight_uploads_of_one_file_at_a_time_store_it_once, |database| {
    let server = Server::start_on(database).await;
    let answers = (0..8).map(|_| server.upload("prog", ELF));
    let answers = futures_util::future::join_all(answers).await;
    let ids: Vec<&Value> = answers.iter().map(|answer| &answer["dif"]["id"]).collect();
    assert!(ids.iter().all(|id| id.is_string() && *id == ids[0]), "{answers:?}");
    assert_eq!(server.debug_files().await.len(), 1);
    assert_eq!(files_in(&server.data().join("blobs")), 1);
    assert_eq!(files_in(&server.data().join("tmp")), 0);
});

fn files_in(folder: &std::path::Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files_in(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn every_asked_file_is_answered_under_its_key() {
    let server = Server::start().await;
    server.send_chunks(&[Part::gzip(ELF)]).await.expect(200);
    let upper = sha1(OTHER).to_uppercase();
    let body = json!({
        sha1(ELF): {"name": "prog", "debug_id": null, "chunks": [sha1(ELF)]},
        &upper: {"name": "prog", "chunks": [sha1(OTHER)]},
        sha1(b"none"): {"name": "empty", "chunks": []},
    });
    let path = server.project_path("files/difs/assemble/");
    let answer = server.post(&path, &body).await.expect(200).json();
    assert_eq!(answer[sha1(ELF)]["state"], "ok");
    assert_eq!(answer[&upper]["state"], "not_found");
    assert_eq!(answer[&upper]["missingChunks"], json!([sha1(OTHER)]));
    // `not_found` without chunks would be taken for done.
    assert_eq!(answer[sha1(b"none")]["state"], "error");
}

#[tokio::test]
async fn unusable_files_are_refused_with_the_reason() {
    let server = Server::start().await;
    let text = server.upload("notes.txt", b"hello").await;
    assert_eq!(text["state"], "error");
    assert!(
        text["detail"].as_str().unwrap().contains("notes.txt is no known debug file format"),
        "{text}"
    );
    let cut = server.upload("cut", &ELF[..ELF.len() / 3]).await;
    assert_eq!((&cut["state"], &cut["missingChunks"]), (&json!("error"), &json!([])));
    let again = server.assemble("notes.txt", b"hello").await;
    assert_eq!(again, text);
    assert!(server.debug_files().await.is_empty());
}

#[tokio::test]
async fn chunks_that_make_another_file_are_refused() {
    let server = Server::start().await;
    server.send_chunks(&[Part::plain(b"some"), Part::plain(b"other")]).await.expect(200);
    let answer = server.assemble_of("prog", ELF, &[sha1(b"some"), sha1(b"other")]).await;
    assert_eq!(answer["state"], "error");
    assert!(answer["detail"].as_str().unwrap().contains("checksum mismatch"), "{answer}");
}

#[tokio::test]
async fn a_chunk_whose_bytes_are_gone_is_asked_for_again() {
    let server = Server::start().await;
    server.send_chunks(&[Part::plain(ELF)]).await.expect(200);
    std::fs::remove_dir_all(server.data().join("blobs")).unwrap();
    std::fs::create_dir(server.data().join("blobs")).unwrap();
    let answer = server.assemble("prog", ELF).await;
    assert_eq!(
        (&answer["state"], &answer["missingChunks"]),
        (&json!("not_found"), &json!([sha1(ELF)]))
    );
    assert_eq!(server.upload("prog", ELF).await["state"], "ok");
}

#[tokio::test]
async fn malformed_requests_are_refused_in_json() {
    let server = Server::start().await;
    let path = server.project_path("files/difs/assemble/");
    for body in
        [json!([]), json!({"zz": {"name": "x", "chunks": []}}), json!({sha1(b""): {"chunks": []}})]
    {
        let answer = server.post(&path, &body).await.expect(400);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert!(answer.json()["detail"].is_string());
    }
}

on_both!(the_look_up_file_is_there_before_the_first_crash, |database| {
    let server = Server::start_on(database).await;
    server.upload("prog", ELF).await;
    let derived = server.data().join("derived");
    until("the look-up file", async || {
        let mut names =
            std::fs::read_dir(&derived).unwrap().map(|entry| entry.unwrap().file_name());
        names.any(|name| name.to_string_lossy().starts_with("native-")).then_some(())
    })
    .await;
});

on_both!(what_was_answered_ok_survives_a_power_loss, |database| {
    let mut server = Server::start_on(database).await;
    let uploaded = server.upload("prog", ELF).await;
    server.kill9().await;
    server.restart().await;
    assert_eq!(server.assemble("prog", ELF).await, uploaded);
});

on_both!(knowing_a_hash_is_no_access, |database| {
    let server = Server::start_on(database).await;
    server.upload("prog", ELF).await;
    server.command(&["organization", "create", "other"]).ok();
    server.command(&["project", "create", "theirs", "--organization", "other"]).ok();
    let created = ["token", "create", "--organization", "other", "--scopes", "org:ci", "--json"];
    let token = server.command(&created).json()["token"].as_str().unwrap().to_owned();
    let ask = |path: String| {
        let body = json!({sha1(ELF): {"name": "prog", "chunks": [sha1(ELF)]}});
        server.client().post(server.url(&path)).bearer_auth(&token).json(&body).send()
    };
    let theirs = ask("/api/0/projects/other/theirs/files/difs/assemble/".to_owned()).await.unwrap();
    let theirs: Value = theirs.json().await.unwrap();
    assert_eq!(theirs[sha1(ELF)]["state"], "not_found");
    let ours = ask(server.project_path("files/difs/assemble/")).await.unwrap();
    assert_eq!(ours.status(), 404);
    assert_eq!(server.send_chunks_as(&token, &[Part::plain(b"x")]).await.status, 404);
});

#[tokio::test]
async fn a_token_that_only_reads_cannot_upload() {
    let server = Server::start().await;
    let created =
        ["token", "create", "--organization", "default", "--scopes", "project:read", "--json"];
    let token = server.command(&created).json()["token"].as_str().unwrap().to_owned();
    let options = server.get_as(Some(&token), &server.organization_path("chunk-upload/")).await;
    assert_eq!(options.status, 200);
    assert_eq!(server.send_chunks_as(&token, &[Part::plain(b"x")]).await.status, 403);
    assert_eq!(server.send_chunks_as("nonsense", &[Part::plain(b"x")]).await.status, 401);
}

#[tokio::test]
async fn debug_files_are_found_by_id_and_name() {
    let server = Server::start().await;
    let file = server.upload("inlined-program", ELF).await["dif"].clone();
    server.upload("other", OTHER).await;
    let debug_id = file["debugId"].as_str().unwrap().replace('-', "").to_uppercase();
    let code_id = file["codeId"].as_str().unwrap();
    for query in [
        format!("query={debug_id}"),
        format!("debug_id={debug_id}"),
        format!("code_id={code_id}"),
        "query=INLINED".to_owned(),
    ] {
        let path = server.project_path(&format!("files/dsyms/?{query}"));
        assert_eq!(server.get(&path).await.expect(200).json(), json!([file]), "{query}");
    }
    assert_eq!(server.debug_files().await.len(), 2);
    server.get(&server.project_path("files/dsyms/?debug_id=x")).await.expect(400);
}
