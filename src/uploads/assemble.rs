//! Files made of chunks: which chunks are missing, and the file itself.

use std::io;

use protocol::upload::{AssembleResponse, AssembleState};

use crate::app::App;
use crate::blobs::{Hashed, Hashing, Sha1, file_failure};
use crate::blocking;
use crate::db;
use crate::db::chunk::Chunk;
use crate::error::{Error, Result};
use crate::garbage;

/// Most chunks of one file.
const CHUNKS_MAX: usize = 16_384;

/// What came of assembling a file.
#[derive(Debug)]
pub(super) enum Assembly {
    /// It is in the blob store.
    Stored(Hashed),
    /// It cannot be: this is the answer.
    Answer(Box<AssembleResponse>),
}

/// Puts the file `checksum` together out of `chunks`, unless some are missing, and stores it.
///
/// # Errors
/// When the database or the blob store does not answer. What is wrong with the file is an answer.
pub(super) async fn assemble(
    app: &App,
    organization: i64,
    checksum: Sha1,
    chunks: &[String],
) -> Result<Assembly> {
    if chunks.is_empty() {
        // Never `not_found` without chunks: sentry-cli would take it for done and lose the file.
        return Ok(refused("no chunks are given: is the file empty?"));
    }
    if chunks.len() > CHUNKS_MAX {
        return Ok(refused(format!(
            "the file has {} chunks, at most {CHUNKS_MAX}: use the chunk size that the server offers",
            chunks.len()
        )));
    }
    let chunks: Vec<Sha1> = chunks.iter().map(|text| text.parse()).collect::<Result<_>>()?;
    let known = match find(app, organization, chunks).await? {
        Ok(known) => known,
        Err(missing) => return Ok(not_found(&missing)),
    };
    let size: u64 = known.iter().map(|chunk| chunk.size.cast_unsigned()).sum();
    let size_max = app.config.limits.upload_bytes_max.0;
    if size > size_max {
        return Ok(refused(format!(
            "the file exceeds the maximum size ({size} > {size_max} bytes)"
        )));
    }
    join(app, organization, checksum, known).await
}

/// Returns the chunks, or those that are missing, each once.
async fn find(
    app: &App,
    organization: i64,
    chunks: Vec<Sha1>,
) -> Result<Result<Vec<Chunk>, Vec<Sha1>>> {
    app.db
        .read(move |tx| {
            let chunks = chunks.clone();
            Box::pin(async move {
                let (mut known, mut missing) = (Vec::new(), Vec::new());
                for sha1 in chunks {
                    match db::chunk::find(tx, organization, sha1).await? {
                        Some(chunk) => known.push(chunk),
                        None if !missing.contains(&sha1) => missing.push(sha1),
                        None => {}
                    }
                }
                Ok(if missing.is_empty() { Ok(known) } else { Err(missing) })
            })
        })
        .await
}

async fn join(
    app: &App,
    organization: i64,
    checksum: Sha1,
    chunks: Vec<Chunk>,
) -> Result<Assembly> {
    if let [only] = chunks.as_slice()
        && only.sha1 == checksum
        && app.blobs.exists(only.sha256).await?
    {
        // The bytes of the chunk are those of the file, and they are stored.
        let size = only.size.cast_unsigned();
        return Ok(Assembly::Stored(Hashed { sha1: checksum, key: only.sha256, size }));
    }
    let mut file = Hashing::new(app.blobs.scratch()?.into_writer(), u64::MAX);
    for chunk in chunks {
        let source = match app.blobs.open_local(chunk.sha256).await {
            Ok(source) => source,
            Err(Error::NotFound) => return forget(app, organization, chunk.sha1).await,
            Err(error) => return Err(error),
        };
        file = blocking::run(move || {
            let mut source = source;
            io::copy(&mut source, &mut file)
                .map_err(|error| file_failure("assembling a file", error))?;
            Ok(file)
        })
        .await?;
    }
    let (writer, hashed) = file.finish();
    let scratch = writer.finish().map_err(|error| file_failure("assembling a file", error))?;
    if hashed.sha1 != checksum {
        return Ok(refused(format!(
            "reported checksum mismatch: the chunks make {}, not {checksum}",
            hashed.sha1
        )));
    }
    garbage::spare(app, hashed.key).await?;
    app.blobs.put_file(scratch, hashed.key).await?;
    Ok(Assembly::Stored(hashed))
}

/// Asks for a chunk again whose bytes are gone from the store.
async fn forget(app: &App, organization: i64, chunk: Sha1) -> Result<Assembly> {
    tracing::warn!("the bytes of chunk {chunk} are gone from the blob store: asking for it again");
    app.db
        .write(move |tx| Box::pin(async move { db::chunk::delete(tx, organization, chunk).await }))
        .await?;
    Ok(not_found(&[chunk]))
}

fn not_found(missing: &[Sha1]) -> Assembly {
    Assembly::Answer(Box::new(AssembleResponse {
        state: AssembleState::NotFound,
        missing_chunks: missing.iter().map(ToString::to_string).collect(),
        detail: None,
        dif: None,
    }))
}

fn refused(reason: impl Into<String>) -> Assembly {
    Assembly::Answer(Box::new(super::refused(reason)))
}
