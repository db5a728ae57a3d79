//! What upload clients send and read: chunk options, assemble requests and answers.
//!
//! Shapes and leniency follow sentry-cli 3.8.2 and 2.58.6 and npm `sentry` 0.45, as observed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Answer to `GET …/chunk-upload/`. Null is never written: npm `sentry` refuses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChunkUploadOptions {
    /// Where chunks go: absolute, with exactly the origin the client used.
    pub url: String,
    /// Bytes of every chunk but the last; a power of two (sentry-cli ≤ 2.39.1 insists).
    pub chunk_size: u64,
    /// Most chunks in one request.
    pub chunks_per_request: u64,
    /// Most bytes of uncompressed chunks in one request.
    pub max_request_size: u64,
    /// Largest file in bytes.
    pub max_file_size: u64,
    /// Longest time a client waits for assembly, in seconds.
    pub max_wait: u64,
    /// Parallel requests.
    pub concurrency: u8,
    /// Always `sha1`.
    pub hash_algorithm: String,
    /// Never `brotli` (sentry-cli 2 would send it) nor `zstd` (npm `sentry` would).
    pub compression: Vec<String>,
    /// Capabilities; decisive for sentry-cli 2.
    pub accept: Vec<String>,
}

/// Body of `POST …/files/difs/assemble/`: files by the SHA-1 of their content.
pub type AssembleDebugFiles = BTreeMap<String, AssembleDebugFile>;

/// One file to assemble.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssembleDebugFile {
    /// Base name of the file, or `/proguard/<uuid>.txt`.
    pub name: String,
    /// Debug id as the client read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debug_id: Option<String>,
    /// SHA-1 of each chunk in order.
    #[serde(default)]
    pub chunks: Vec<String>,
}

/// Body of `POST …/artifactbundle/assemble/`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AssembleArtifactBundle {
    /// SHA-1 of the whole bundle.
    pub checksum: String,
    /// SHA-1 of each chunk in order.
    pub chunks: Vec<String>,
    /// Slugs, or ids as text.
    pub projects: Vec<String>,
    /// Release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Distribution of the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dist: Option<String>,
}

/// State of an assembly. `created` is never answered: sentry-cli stops asking after it and would not
/// learn of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssembleState {
    /// It cannot be used; `detail` says why.
    Error,
    /// Chunks are missing.
    NotFound,
    /// Queued.
    Created,
    /// In work.
    Assembling,
    /// Stored, identified and visible.
    Ok,
}

/// State of one file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssembleResponse {
    /// The state.
    pub state: AssembleState,
    /// Chunks to send.
    pub missing_chunks: Vec<String>,
    /// The reason of an error, or warnings about a file that is `ok`; printed by sentry-cli line by line.
    #[serde(default)]
    pub detail: Option<String>,
    /// The stored file, for debug files that are `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dif: Option<DebugFileInfo>,
}

/// A stored debug file, as clients read it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DebugFileInfo {
    /// Our id, as text.
    pub id: String,
    /// First 36 characters of the debug id.
    pub uuid: String,
    /// Debug id.
    pub debug_id: String,
    /// Code id.
    pub code_id: Option<String>,
    /// Architecture.
    pub cpu_name: String,
    /// Base name.
    pub object_name: String,
    /// Format, for example `elf`.
    pub symbol_type: String,
    /// Always one entry, `Content-Type`.
    pub headers: BTreeMap<String, String>,
    /// Bytes.
    pub size: u64,
    /// SHA-1 of the content.
    pub sha1: String,
    /// RFC 3339.
    pub date_created: String,
    /// Kind and features.
    pub data: DebugFileData,
}

/// Kind and features of a debug file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct DebugFileData {
    /// One of `none rel exe lib dump dbg src other`: any other text breaks the answer for sentry-cli.
    #[serde(rename = "type")]
    pub kind: String,
    /// Of `symtab debug unwind sources`.
    pub features: Vec<String>,
}
