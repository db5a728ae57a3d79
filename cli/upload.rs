//! Uploads debug files and artifact bundles over the same wire protocol that sentry-cli speaks.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::upload::{
    AssembleArtifactBundle, AssembleDebugFile, AssembleDebugFiles, AssembleResponse, AssembleState,
    ChunkUploadOptions,
};
use reqwest::multipart::{Form, Part};
use sha1::{Digest as _, Sha1};

use crate::client::Client;
use crate::{Error, Result};

/// Header of source and artifact bundles.
const BUNDLE_MAGIC: &[u8] = b"SYSB";

/// A file to upload.
#[derive(Debug, Clone)]
pub struct File {
    /// Base name.
    pub name: String,
    /// Content.
    pub bytes: Bytes,
}

/// Where files go.
#[derive(Debug, Clone)]
pub struct Target {
    /// Slug of the organization.
    pub organization: String,
    /// Slug of the project.
    pub project: String,
    /// Release of artifact bundles.
    pub release: Option<String>,
    /// Distribution of the release.
    pub dist: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// Base name.
    pub name: String,
    /// Whether the server can use it.
    pub is_usable: bool,
    /// What the server says about it: the reason, or what is missing in a usable file.
    pub detail: Option<String>,
}

/// Chunks of one file by their SHA-1.
struct Chunked {
    sha1: String,
    chunks: Vec<(String, Bytes)>,
}

impl Chunked {
    fn new(bytes: &Bytes, chunk_bytes: usize) -> Self {
        let chunk = |start: usize| {
            let chunk = bytes.slice(start..bytes.len().min(start + chunk_bytes));
            (sha1(&chunk), chunk)
        };
        let chunks = (0..bytes.len()).step_by(chunk_bytes.max(1)).map(chunk).collect();
        Self { sha1: sha1(bytes), chunks }
    }

    fn names(&self) -> Vec<String> {
        self.chunks.iter().map(|(sha1, _)| sha1.clone()).collect()
    }
}

fn sha1(bytes: &[u8]) -> String {
    hex::encode(Sha1::digest(bytes))
}

/// Uploads files: artifact bundles as such, everything else as debug files.
///
/// # Errors
/// Where the server cannot be reached or refuses the request. A file it cannot use is no error; see
/// [`Uploaded`].
pub async fn upload(client: &Client, target: &Target, files: &[File]) -> Result<Vec<Uploaded>> {
    let path = format!("organizations/{}/chunk-upload/", target.organization);
    let options: ChunkUploadOptions = client.get(&path).await?;
    let is_artifacts = |file: &&File| is_artifact_bundle(&file.bytes);
    let mut uploaded = Vec::new();
    for bundle in files.iter().filter(is_artifacts) {
        uploaded.push(artifact_bundle(client, &options, target, bundle).await?);
    }
    let debug_files: Vec<&File> = files.iter().filter(|file| !is_artifacts(file)).collect();
    if !debug_files.is_empty() {
        uploaded.extend(upload_debug_files(client, &options, target, &debug_files).await?);
    }
    Ok(uploaded)
}

/// Artifact bundles and source bundles share their container; only the former hold minified files or maps.
/// The manifest is compressed, so the names of the entries, which stand in the clear, must do.
fn is_artifact_bundle(bytes: &[u8]) -> bool {
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    bytes.starts_with(BUNDLE_MAGIC) && (has(b"files/_/_/") || has(b".js.map") || has(b"files/http"))
}

async fn upload_debug_files(
    client: &Client,
    options: &ChunkUploadOptions,
    target: &Target,
    files: &[&File],
) -> Result<Vec<Uploaded>> {
    let path = format!("projects/{}/{}/files/difs/assemble/", target.organization, target.project);
    let chunk_bytes = usize::try_from(options.chunk_size).unwrap_or(usize::MAX);
    let chunked: Vec<Chunked> =
        files.iter().map(|file| Chunked::new(&file.bytes, chunk_bytes)).collect();
    let request: AssembleDebugFiles = files
        .iter()
        .zip(&chunked)
        .map(|(file, chunked)| {
            let name = file.name.clone();
            (
                chunked.sha1.clone(),
                AssembleDebugFile { name, debug_id: None, chunks: chunked.names() },
            )
        })
        .collect();
    let mut answers: BTreeMap<String, AssembleResponse> = client.post(&path, &request).await?;
    let missing: Vec<&String> =
        answers.values().flat_map(|answer| &answer.missing_chunks).collect();
    if !missing.is_empty() {
        for file in &chunked {
            send_chunks(client, options, file, &missing).await?;
        }
        answers = client.post(&path, &request).await?;
    }
    let told = |(file, chunked): (&&File, &Chunked)| {
        let answer = answers.get(&chunked.sha1);
        answer.map(|answer| verdict(file, answer)).ok_or_else(|| {
            Error::Unexpected(format!("the server does not say what became of {}", file.name))
        })
    };
    files.iter().zip(&chunked).map(told).collect()
}

async fn artifact_bundle(
    client: &Client,
    options: &ChunkUploadOptions,
    target: &Target,
    file: &File,
) -> Result<Uploaded> {
    let path = format!("organizations/{}/artifactbundle/assemble/", target.organization);
    let chunked =
        Chunked::new(&file.bytes, usize::try_from(options.chunk_size).unwrap_or(usize::MAX));
    let request = AssembleArtifactBundle {
        checksum: chunked.sha1.clone(),
        chunks: chunked.names(),
        projects: vec![target.project.clone()],
        version: target.release.clone(),
        dist: target.dist.clone(),
    };
    let mut answer: AssembleResponse = client.post(&path, &request).await?;
    if !answer.missing_chunks.is_empty() {
        let missing: Vec<&String> = answer.missing_chunks.iter().collect();
        send_chunks(client, options, &chunked, &missing).await?;
        answer = client.post(&path, &request).await?;
    }
    Ok(verdict(file, &answer))
}

fn verdict(file: &File, answer: &AssembleResponse) -> Uploaded {
    Uploaded {
        name: file.name.clone(),
        is_usable: answer.state == AssembleState::Ok,
        detail: answer.detail.clone(),
    }
}

/// Sends the missing chunks of one file, one request each: simple, and the server keeps what arrived.
async fn send_chunks(
    client: &Client,
    options: &ChunkUploadOptions,
    file: &Chunked,
    missing: &[&String],
) -> Result<()> {
    for (sha1, bytes) in file.chunks.iter().filter(|(sha1, _)| missing.contains(&sha1)) {
        let part =
            Part::stream_with_length(bytes.clone(), bytes.len() as u64).file_name(sha1.clone());
        client.post_form(&options.url, Form::new().part("file", part)).await?;
    }
    Ok(())
}
