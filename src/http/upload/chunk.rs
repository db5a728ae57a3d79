//! `…/chunk-upload/`: the options of chunked upload, and the chunks.

use axum::Json;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use axum::extract::{Multipart, State};
use axum::http::StatusCode;
use protocol::upload::ChunkUploadOptions;

use crate::accounts::permission::{ReadUploads, WriteUploads};
use crate::app::App;
use crate::blobs::{Hashed, Sha1};
use crate::error::{Error, Result};
use crate::http::extract::OrganizationAccess;
use crate::http::origin::Origin;
use crate::uploads::CHUNKS_PER_REQUEST_MAX;
use crate::uploads::chunk::{self, Encoding, Incoming};

/// Requests that a client should send at the same time.
const CONCURRENCY: u8 = 8;

/// Longest time that a client should wait for assembly, in seconds.
const WAIT_S_MAX: u64 = 300;

/// What can be uploaded, in Sentry's words; sentry-cli 2 skips what is not in the list.
const ACCEPTED: [&str; 11] = [
    "debug_files",
    "release_files",
    "pdbs",
    "sources",
    "bcsymbolmaps",
    "il2cpp",
    "portablepdbs",
    "artifact_bundles",
    "artifact_bundles_v2",
    "proguard",
    "dartsymbolmap",
];

/// `GET …/chunk-upload/`.
pub(crate) async fn options(
    State(app): State<App>,
    at: OrganizationAccess<ReadUploads>,
    origin: Origin,
) -> Json<ChunkUploadOptions> {
    let limits = &app.config.limits;
    let slug = &at.organization.slug;
    Json(ChunkUploadOptions {
        // npm `sentry` sends its token to no other origin than the one it used.
        url: format!("{origin}/api/0/organizations/{slug}/chunk-upload/"),
        chunk_size: limits.chunk_bytes.0,
        chunks_per_request: CHUNKS_PER_REQUEST_MAX as u64,
        max_request_size: limits.chunk_request_bytes_max.0,
        max_file_size: limits.upload_bytes_max.0,
        max_wait: WAIT_S_MAX,
        concurrency: CONCURRENCY,
        hash_algorithm: "sha1".to_owned(),
        compression: vec!["gzip".to_owned()],
        accept: ACCEPTED.map(str::to_owned).to_vec(),
    })
}

/// `POST …/chunk-upload/`: parts called `file` or `file_gzip`, whose file names are SHA-1s.
pub(crate) async fn receive(
    State(app): State<App>,
    at: OrganizationAccess<WriteUploads>,
    parts: std::result::Result<Multipart, MultipartRejection>,
) -> Result<StatusCode> {
    let mut parts = parts.map_err(|rejection| Error::Invalid(rejection.body_text()))?;
    let mut stored = Vec::new();
    let received = receive_all(&app, &mut parts, &mut stored).await;
    // What was stored before something went wrong need not be sent again.
    chunk::register(&app, at.organization.id, stored).await?;
    received.map(|()| StatusCode::OK)
}

async fn receive_all(app: &App, parts: &mut Multipart, stored: &mut Vec<Hashed>) -> Result<()> {
    let bytes_max = app.config.limits.chunk_request_bytes_max.0;
    while let Some(field) = parts.next_field().await.map_err(malformed)? {
        let Some(encoding) = encoding(&field)? else { continue };
        if stored.len() == CHUNKS_PER_REQUEST_MAX {
            return Err(Error::Invalid(format!(
                "too many chunks: at most {CHUNKS_PER_REQUEST_MAX}"
            )));
        }
        stored.push(receive_one(app, field, encoding).await?);
        if stored.iter().map(|chunk| chunk.size).sum::<u64>() > bytes_max {
            return Err(Error::Invalid(format!("request too large: at most {bytes_max} bytes")));
        }
    }
    Ok(())
}

async fn receive_one(app: &App, mut field: Field<'_>, encoding: Encoding) -> Result<Hashed> {
    let name = field.file_name().unwrap_or_default();
    let claimed: Sha1 = name.parse()?;
    let mut incoming = Incoming::begin(app, claimed, encoding)?;
    while let Some(bytes) = field.chunk().await.map_err(malformed)? {
        incoming.write(&bytes)?;
    }
    incoming.finish(app).await
}

/// Returns how a part is encoded; `None` for parts that are no chunks.
fn encoding(field: &Field<'_>) -> Result<Option<Encoding>> {
    match field.name().unwrap_or_default() {
        "file" => Ok(Some(Encoding::Plain)),
        "file_gzip" => Ok(Some(Encoding::Gzip)),
        name if name.starts_with("file_") => Err(Error::Invalid(format!(
            "unsupported chunk encoding `{name}`: use file or file_gzip"
        ))),
        _ => Ok(None),
    }
}

/// A body that ends early or is no multipart; the client may try again.
fn malformed(error: MultipartError) -> Error {
    Error::Invalid(format!("the chunks cannot be read: {}", error.body_text()))
}
