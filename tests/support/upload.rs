//! Uploads as clients make them: chunks, assemble requests, bundles.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::server::{Answer, Server};

/// Returns the SHA-1 by which clients name `bytes`.
pub(crate) fn sha1(bytes: &[u8]) -> String {
    hex::encode(Sha1::digest(bytes))
}

/// Returns `bytes` as a gzip stream.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// One part of a chunk upload.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// `file` or `file_gzip`.
    pub(crate) field: &'static str,
    /// What the chunk claims to be.
    pub(crate) name: String,
    /// What is sent.
    pub(crate) payload: Vec<u8>,
}

impl Part {
    /// A chunk as it is.
    pub(crate) fn plain(bytes: &[u8]) -> Self {
        Self { field: "file", name: sha1(bytes), payload: bytes.to_vec() }
    }

    /// A compressed chunk.
    pub(crate) fn gzip(bytes: &[u8]) -> Self {
        Self { field: "file_gzip", name: sha1(bytes), payload: gzip(bytes) }
    }
}

impl Server {
    /// Returns the address of the first organization in the API.
    pub(crate) fn organization_path(&self, rest: &str) -> String {
        format!("/api/0/organizations/{}/{rest}", self.credentials.organization)
    }

    /// Returns the address of the first project in the API.
    pub(crate) fn project_path(&self, rest: &str) -> String {
        let credentials = &self.credentials;
        format!("/api/0/projects/{}/{}/{rest}", credentials.organization, credentials.project)
    }

    /// Sends chunks with a token.
    pub(crate) async fn send_chunks_as(&self, token: &str, parts: &[Part]) -> Answer {
        let mut form = reqwest::multipart::Form::new();
        for part in parts.iter().cloned() {
            let payload = reqwest::multipart::Part::bytes(part.payload).file_name(part.name);
            form = form.part(part.field, payload);
        }
        let url = self.url(&self.organization_path("chunk-upload/"));
        let request = self.client().post(url).bearer_auth(token).multipart(form);
        let response = request.send().await.expect("the server answers");
        Answer::of(response).await
    }

    /// Sends chunks.
    pub(crate) async fn send_chunks(&self, parts: &[Part]) -> Answer {
        self.send_chunks_as(&self.credentials.token, parts).await
    }

    /// Asks once for a debug file that has one chunk; returns the answer about it.
    pub(crate) async fn assemble(&self, name: &str, bytes: &[u8]) -> Value {
        self.assemble_of(name, bytes, &[sha1(bytes)]).await
    }

    /// Asks once for a debug file that is made of `chunks`.
    pub(crate) async fn assemble_of(&self, name: &str, bytes: &[u8], chunks: &[String]) -> Value {
        let checksum = sha1(bytes);
        let body = json!({&checksum: {"name": name, "chunks": chunks}});
        let path = self.project_path("files/difs/assemble/");
        let mut answer = self.post(&path, &body).await.expect(200).json();
        assert_eq!(answer.as_object().unwrap().len(), 1, "{answer}");
        answer[&checksum].take()
    }

    /// Uploads a debug file as one chunk and returns the answer about it.
    pub(crate) async fn upload(&self, name: &str, bytes: &[u8]) -> Value {
        self.send_chunks(&[Part::gzip(bytes)]).await.expect(200);
        self.assemble(name, bytes).await
    }

    /// Asks for a bundle that has one chunk; `more` are further fields of the request.
    pub(crate) async fn assemble_bundle(&self, bytes: &[u8], more: Value) -> Answer {
        let mut body = json!({
            "checksum": sha1(bytes),
            "chunks": [sha1(bytes)],
            "projects": [self.credentials.project],
        });
        let more = more.as_object().expect("fields").clone();
        body.as_object_mut().expect("fields").extend(more);
        self.post(&self.organization_path("artifactbundle/assemble/"), &body).await
    }

    /// Uploads a bundle as one chunk and returns the answer about it.
    pub(crate) async fn upload_bundle(&self, bytes: &[u8], more: Value) -> Value {
        self.send_chunks(&[Part::plain(bytes)]).await.expect(200);
        self.assemble_bundle(bytes, more).await.expect(200).json()
    }

    /// Returns the debug files of the first project.
    pub(crate) async fn debug_files(&self) -> Vec<Value> {
        let listed = self.get(&self.project_path("files/dsyms/")).await.expect(200).json();
        listed.as_array().expect("a list").clone()
    }
}

/// Writes a bundle: `SYSB`, version 2, then a ZIP archive whose offsets count from the first byte. The
/// dates are zero, as npm `sentry` writes them.
pub(crate) fn bundle(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut file = b"SYSB\x02\0\0\0".to_vec();
    let mut directory = Vec::new();
    for (name, content) in entries {
        let offset = u32::try_from(file.len()).unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let packed = encoder.finish().unwrap();
        // Version 2.0, no flags, deflate, no date.
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for number in [crc.sum(), packed.len() as u32, content.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(packed);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        // No comment, disk 0, no attributes.
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let offset = u32::try_from(file.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
    let size = u32::try_from(directory.len()).unwrap();
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count);
    file.extend(count);
    file.extend(size.to_le_bytes());
    file.extend(offset.to_le_bytes());
    file.extend([0, 0]);
    file
}
