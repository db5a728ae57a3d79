//! Chunks: pieces of files, checked against their names while they come in.

use std::io::{self, ErrorKind, Write as _};

use flate2::write::MultiGzDecoder;

use crate::app::App;
use crate::blobs::{Hashed, Hashing, ScratchWriter, Sha1, file_failure};
use crate::db;
use crate::error::{Error, Result};
use crate::garbage;

/// How the bytes of a chunk come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As they are.
    Plain,
    /// Compressed by gzip.
    Gzip,
}

/// A chunk that is coming in. Its bytes are inflated, hashed and written as they come, never held.
#[derive(Debug)]
pub(crate) struct Incoming {
    claimed: Sha1,
    writer: Writer,
    chunk_bytes_max: u64,
    /// Wire bytes so far.
    received_bytes: u64,
}

#[derive(Debug)]
enum Writer {
    Plain(Box<Hashing<ScratchWriter>>),
    Gzip(Box<MultiGzDecoder<Hashing<ScratchWriter>>>),
}

impl Incoming {
    /// Begins to receive a chunk that claims to be `claimed`.
    ///
    /// # Errors
    /// When no temporary file can be made.
    pub(crate) fn begin(app: &App, claimed: Sha1, encoding: Encoding) -> Result<Self> {
        let chunk_bytes_max = app.config.limits.chunk_bytes.0;
        let hashing = Hashing::new(app.blobs.scratch()?.into_writer(), chunk_bytes_max);
        let writer = match encoding {
            Encoding::Plain => Writer::Plain(Box::new(hashing)),
            Encoding::Gzip => Writer::Gzip(Box::new(MultiGzDecoder::new(hashing))),
        };
        Ok(Self { claimed, writer, chunk_bytes_max, received_bytes: 0 })
    }

    /// Takes the next bytes, some ten thousand at a time: it hashes where it is called.
    ///
    /// # Errors
    /// `Invalid` when the chunk is too large or does not inflate; `Unavailable` when the disk is full.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.received_bytes += bytes.len() as u64;
        // gzip makes incompressible bytes longer, by less than this.
        if self.received_bytes > self.chunk_bytes_max + self.chunk_bytes_max / 64 + 1024 {
            return Err(self.too_large());
        }
        let written = match &mut self.writer {
            Writer::Plain(writer) => writer.write_all(bytes),
            Writer::Gzip(writer) => writer.write_all(bytes),
        };
        written.map_err(|error| self.failure(error))
    }

    /// Checks the chunk against its name and stores its bytes. It is not yet known to the database.
    ///
    /// # Errors
    /// `Invalid` when it is another chunk than it claims; `Unavailable` when the store does not work.
    pub(crate) async fn finish(self, app: &App) -> Result<Hashed> {
        let claimed = self.claimed;
        let (writer, hashed) = match self.writer {
            Writer::Plain(writer) => writer.finish(),
            Writer::Gzip(writer) => match writer.finish() {
                Ok(writer) => writer.finish(),
                Err(error) => return Err(broken_gzip(claimed, &error)),
            },
        };
        if hashed.sha1 != claimed {
            return Err(Error::Invalid(format!(
                "chunk {claimed} is not what its name says: its SHA-1 is {}",
                hashed.sha1
            )));
        }
        let scratch = writer.finish().map_err(|error| file_failure("writing a chunk", error))?;
        garbage::spare(app, hashed.key).await?;
        app.blobs.put_file(scratch, hashed.key).await?;
        Ok(hashed)
    }

    fn too_large(&self) -> Error {
        let Self { claimed, chunk_bytes_max, .. } = self;
        Error::Invalid(format!("chunk {claimed} is larger than {chunk_bytes_max} bytes"))
    }

    fn failure(&self, error: io::Error) -> Error {
        match error.kind() {
            ErrorKind::FileTooLarge => self.too_large(),
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                broken_gzip(self.claimed, &error)
            }
            _ => file_failure("writing a chunk", error),
        }
    }
}

fn broken_gzip(claimed: Sha1, error: &io::Error) -> Error {
    Error::Invalid(format!("chunk {claimed} is not the gzip stream it claims to be: {error}"))
}

/// Makes stored chunks known to `assemble`, durably.
///
/// # Errors
/// When the database does not answer.
pub(crate) async fn register(app: &App, organization: i64, mut chunks: Vec<Hashed>) -> Result<()> {
    // The same chunk may be there twice in one request: two files share content.
    chunks.sort_by_key(|chunk| chunk.sha1);
    chunks.dedup_by_key(|chunk| chunk.sha1);
    if chunks.is_empty() {
        return Ok(());
    }
    let now_ms = app.clock.now_ms();
    app.db
        .write(move |tx| {
            let chunks = chunks.clone();
            Box::pin(async move { db::chunk::upsert(tx, organization, &chunks, now_ms).await })
        })
        .await
}
