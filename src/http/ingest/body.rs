//! The body of an ingest request: inflated within a limit, whatever the client compressed it with.

use std::io::Read as _;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};

use crate::blocking;
use crate::error::{Error, Result};

/// Compressed bodies up to this size are inflated where they are, larger ones on a thread of their own.
const INLINE_BYTES_MAX: usize = 256 << 10;
/// How many encodings may be applied one over the other.
const ENCODINGS_MAX: usize = 3;

/// Reads a body and undoes its `Content-Encoding`.
///
/// The encodings are gzip, deflate (with and without zlib's header), br and zstd; an empty one and `UTF-8`,
/// which old SDKs send, mean none.
///
/// # Errors
/// `TooLarge` beyond `bytes_max`, on the wire or inflated; `Invalid` for a broken or unknown encoding.
pub(crate) async fn read(request: Request, bytes_max: u64) -> Result<Bytes> {
    let encodings = encodings(request.headers())?;
    let limit = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let mut bytes = collect(request.into_body(), limit).await?;
    for encoding in encodings.into_iter().rev() {
        bytes = if bytes.len() <= INLINE_BYTES_MAX {
            inflate(encoding, &bytes, bytes_max)?
        } else {
            blocking::run(move || inflate(encoding, &bytes, bytes_max)).await?
        };
    }
    Ok(bytes)
}

async fn collect(body: Body, limit: usize) -> Result<Bytes> {
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            Err(too_large(limit as u64))
        }
        Err(error) => Err(Error::Invalid(format!("the request's body broke off: {error}"))),
    }
}

fn too_large(bytes_max: u64) -> Error {
    Error::TooLarge(format!("request content exceeded size limits: at most {bytes_max} bytes"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

fn encodings(headers: &HeaderMap) -> Result<Vec<Encoding>> {
    let mut found = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().unwrap_or("?").split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" | "utf-8" => {}
                "gzip" | "x-gzip" => found.push(Encoding::Gzip),
                "deflate" => found.push(Encoding::Deflate),
                "br" => found.push(Encoding::Brotli),
                "zstd" => found.push(Encoding::Zstd),
                other => {
                    return Err(Error::Invalid(format!(
                        "content encoding `{other}` is not supported: send gzip, deflate, br, zstd or none"
                    )));
                }
            }
        }
    }
    if found.len() > ENCODINGS_MAX {
        return Err(Error::Invalid(format!("more than {ENCODINGS_MAX} content encodings")));
    }
    Ok(found)
}

fn inflate(encoding: Encoding, bytes: &[u8], bytes_max: u64) -> Result<Bytes> {
    let inflated = match encoding {
        Encoding::Gzip => bounded(flate2::read::MultiGzDecoder::new(bytes), bytes_max),
        // HTTP means zlib; some clients send the bare stream.
        Encoding::Deflate => bounded(flate2::read::ZlibDecoder::new(bytes), bytes_max)
            .or_else(|_| bounded(flate2::read::DeflateDecoder::new(bytes), bytes_max)),
        Encoding::Brotli => bounded(brotli::Decompressor::new(bytes, 4096), bytes_max),
        Encoding::Zstd => {
            zstd::stream::read::Decoder::new(bytes).and_then(|decoder| bounded(decoder, bytes_max))
        }
    };
    match inflated {
        Ok(inflated) if inflated.len() as u64 > bytes_max => Err(too_large(bytes_max)),
        Ok(inflated) => Ok(inflated.into()),
        Err(error) => Err(Error::Invalid(format!(
            "the request's body is no valid {encoding:?} stream: {error}"
        ))),
    }
}

/// Reads one byte more than allowed, so that the caller sees that there is more.
fn bounded(reader: impl std::io::Read, bytes_max: u64) -> std::io::Result<Vec<u8>> {
    let mut inflated = Vec::new();
    reader.take(bytes_max.saturating_add(1)).read_to_end(&mut inflated)?;
    Ok(inflated)
}

/// Inflates zlib data, as the old `store` endpoint receives it inside base64.
///
/// # Errors
/// As [`read`].
pub(crate) fn inflate_zlib(bytes: &[u8], bytes_max: u64) -> Result<Bytes> {
    inflate(Encoding::Deflate, bytes, bytes_max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    async fn send(encoding: &str, body: Vec<u8>, bytes_max: u64) -> Result<Bytes> {
        let request = Request::builder().header(header::CONTENT_ENCODING, encoding);
        read(request.body(Body::from(body)).unwrap(), bytes_max).await
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[tokio::test]
    async fn every_encoding_is_undone() {
        let text = b"hello hello hello".to_vec();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(&text).unwrap();
        let mut raw =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        raw.write_all(&text).unwrap();
        let mut br = Vec::new();
        brotli::CompressorWriter::new(&mut br, 4096, 5, 20).write_all(&text).unwrap();
        let zstd = zstd::encode_all(text.as_slice(), 3).unwrap();
        let bodies = [
            ("gzip", gzip(&text)),
            ("deflate", zlib.finish().unwrap()),
            ("deflate", raw.finish().unwrap()),
            ("br", br),
            ("zstd", zstd),
            ("UTF-8", text.clone()),
            ("", text.clone()),
        ];
        for (encoding, body) in bodies {
            assert_eq!(send(encoding, body, 100).await.unwrap(), text, "{encoding}");
        }
    }

    #[tokio::test]
    async fn bombs_and_nonsense_are_refused() {
        let bomb = gzip(&vec![0; 3 << 20]);
        assert!(matches!(send("gzip", bomb, 1 << 20).await, Err(Error::TooLarge(_))));
        assert!(matches!(send("", vec![0; 101], 100).await, Err(Error::TooLarge(_))));
        assert!(matches!(send("gzip", b"no".to_vec(), 100).await, Err(Error::Invalid(_))));
        assert!(matches!(send("lzma", b"no".to_vec(), 100).await, Err(Error::Invalid(_))));
    }
}
