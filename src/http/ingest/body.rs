//! The body of an ingest request: inflated within a limit, whatever the client compressed it with.

use std::io::{Read, Write};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use http_body_util::BodyExt as _;

use super::spill::Spill;
use crate::app::App;
use crate::blocking;
use crate::error::{Error, Result};

/// Compressed bodies up to this size are inflated where they are if they stay small, in bytes.
const INLINE_BYTES_MAX: usize = 256 << 10;
/// What such a body may become there, in bytes; what becomes more is inflated on a thread of its own.
const INLINE_INFLATED_BYTES_MAX: u64 = 512 << 10;
/// Largest window of zstd, as a power of two: RFC 9659 allows 8 MiB on the web.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// How many encodings may be applied one over the other.
const ENCODINGS_MAX: usize = 3;

/// Reads a body and undoes its `Content-Encoding`. However large it is, it takes a bounded amount of memory.
///
/// The encodings are gzip, deflate (with and without zlib's header), br and zstd; an empty one and `UTF-8`,
/// which old SDKs send, mean none.
///
/// # Errors
/// `TooLarge` beyond `bytes_max`, on the wire or inflated; `Invalid` for a broken or unknown encoding;
/// `Unavailable` when the disk has no room for a large one.
pub(crate) async fn read(app: &App, request: Request, bytes_max: u64) -> Result<Bytes> {
    let encodings = encodings(request.headers())?;
    let mut bytes = collect(app, request.into_body(), bytes_max).await?;
    for encoding in encodings.into_iter().rev() {
        bytes = match inflate_small(app, encoding, &bytes, bytes_max)? {
            Some(inflated) => inflated,
            None => {
                let _turn = app.intake.large_turn().await?;
                let app = app.clone();
                blocking::run(move || inflate(&app, encoding, &bytes, bytes_max)).await?
            }
        };
    }
    Ok(bytes)
}

async fn collect(app: &App, mut body: Body, bytes_max: u64) -> Result<Bytes> {
    let mut spill = Spill::new(app);
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|error| Error::Invalid(format!("the request's body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        received += data.len() as u64;
        if received > bytes_max {
            return Err(too_large(bytes_max));
        }
        spill.push(&data)?;
    }
    spill.finish()
}

/// Inflates a body that is small and stays small; `None` for any other.
fn inflate_small(
    app: &App,
    encoding: Encoding,
    bytes: &[u8],
    bytes_max: u64,
) -> Result<Option<Bytes>> {
    if bytes.len() > INLINE_BYTES_MAX {
        return Ok(None);
    }
    let small_max = INLINE_INFLATED_BYTES_MAX.min(bytes_max);
    let mut inflated = Vec::new();
    if !run(encoding, bytes, small_max, &mut inflated).map_err(|error| broken(encoding, &error))? {
        return if small_max < bytes_max { Ok(None) } else { Err(too_large(bytes_max)) };
    }
    let mut spill = Spill::new(app);
    spill.push(&inflated)?;
    Ok(Some(spill.finish()?))
}

fn inflate(app: &App, encoding: Encoding, bytes: &[u8], bytes_max: u64) -> Result<Bytes> {
    let mut spill = Spill::new(app);
    match run(encoding, bytes, bytes_max, &mut spill) {
        Ok(true) => spill.finish(),
        Ok(false) => Err(too_large(bytes_max)),
        Err(error) => Err(spill.take_failure().unwrap_or_else(|| broken(encoding, &error))),
    }
}

fn broken(encoding: Encoding, error: &std::io::Error) -> Error {
    Error::Invalid(format!("the request's body is no valid {encoding:?} stream: {error}"))
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

/// Inflates into `sink`; `false` where it would become more than `bytes_max`.
fn run(
    encoding: Encoding,
    bytes: &[u8],
    bytes_max: u64,
    sink: &mut impl Write,
) -> std::io::Result<bool> {
    match encoding {
        Encoding::Gzip => bounded(flate2::read::MultiGzDecoder::new(bytes), bytes_max, sink),
        // HTTP means zlib; some clients send the bare stream. The header decides: its first four bits say
        // "deflate", and both bytes together are a multiple of 31.
        Encoding::Deflate if is_zlib(bytes) => {
            bounded(flate2::read::ZlibDecoder::new(bytes), bytes_max, sink)
        }
        Encoding::Deflate => bounded(flate2::read::DeflateDecoder::new(bytes), bytes_max, sink),
        Encoding::Brotli => bounded(brotli::Decompressor::new(bytes, 4096), bytes_max, sink),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX)?;
            bounded(decoder, bytes_max, sink)
        }
    }
}

fn is_zlib(bytes: &[u8]) -> bool {
    let [first, second, ..] = bytes else { return false };
    first & 0x0f == 8 && (u16::from(*first) << 8 | u16::from(*second)).is_multiple_of(31)
}

/// Reads one byte more than allowed, to see whether there is more.
fn bounded(reader: impl Read, bytes_max: u64, sink: &mut impl Write) -> std::io::Result<bool> {
    let copied = std::io::copy(&mut reader.take(bytes_max.saturating_add(1)), sink)?;
    Ok(copied <= bytes_max)
}

/// Inflates zlib data, as the old `store` endpoint receives it inside base64.
///
/// # Errors
/// As [`read`].
pub(crate) fn inflate_zlib(bytes: &[u8], bytes_max: u64) -> Result<Bytes> {
    let mut inflated = Vec::new();
    match run(Encoding::Deflate, bytes, bytes_max, &mut inflated) {
        Ok(true) => Ok(inflated.into()),
        Ok(false) => Err(too_large(bytes_max)),
        Err(error) => Err(broken(Encoding::Deflate, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::testing::TestApp;

    async fn send(encoding: &str, body: Vec<u8>, bytes_max: u64) -> Result<Bytes> {
        let request = Request::builder().header(header::CONTENT_ENCODING, encoding);
        let app = TestApp::new().await;
        read(&app, request.body(Body::from(body)).unwrap(), bytes_max).await
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
