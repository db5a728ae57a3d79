//! How an event is kept: the scrubbed original and the result, compressed in one frame, so that what they
//! have in common costs nothing.
//!
//! Every blob starts with one byte that names its format, so that old rows stay readable
//! (`docs/stored-events.md`): 1 = zstd; 2 = zstd with the original's JSON as prefix; 3 = both forms in the
//! result's frame; 4 = an accepted payload.

use std::io::{Read, Write};

use protocol::event::Event;

use super::compress::{Dictionary, compress, decompress, dictionary_of, unpacked_bytes};
use super::dictionaries::Dictionaries;
use crate::error::{Context as _, Error, Result};

/// zstd without dictionary.
const FORMAT_PLAIN: u8 = 1;
/// zstd with the original's JSON as prefix.
const FORMAT_DELTA: u8 = 2;
/// Behind it the length of the original's JSON (`u32`, little endian) and a frame with the JSON of the original and
/// that of the result. As an original: it stands in the result's frame.
const FORMAT_BOTH: u8 = 3;
/// A frame with an accepted payload. JSON never begins with such a byte.
const FORMAT_PAYLOAD: u8 = 4;
/// Bytes before the frame of [`FORMAT_BOTH`].
const BOTH_HEAD_BYTES: usize = 5;
/// Largest JSON of both forms together that goes into one frame, in bytes: beyond this the window of a
/// cheap level does not reach back to the original, and dictionaries do not help.
const BOTH_BYTES_MAX: usize = 128 << 10;
/// Level without a dictionary: higher ones buy 5 % for five times the time.
const LEVEL: i32 = 3;
/// The same for what is kept for a moment only.
const PAYLOAD_LEVEL: i32 = 1;
/// Covers the largest prefix and text together (2²⁵ = 32 MiB), so that the prefix stays in reach.
const WINDOW_LOG_MAX: u32 = 25;
/// Largest JSON that is unpacked, in bytes: twice the largest event and its result.
const JSON_BYTES_MAX: u64 = 64 << 20;

/// An event in both forms, compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredForms {
    pub(crate) original: Vec<u8>,
    pub(crate) result: Vec<u8>,
}

/// Compresses the JSON of original and result.
///
/// # Errors
/// When zstd fails, which only a lack of memory makes it do.
pub(crate) fn pack(
    original: &[u8],
    result: &[u8],
    dictionary: Option<&Dictionary>,
) -> Result<StoredForms> {
    if original.len() + result.len() > BOTH_BYTES_MAX {
        let packed = stream(original, &[]).context("compressing an event")?;
        let result = stream(result, original).context("compressing a result")?;
        return Ok(StoredForms { original: packed, result });
    }
    let mut head = [FORMAT_BOTH; BOTH_HEAD_BYTES];
    // At most 128 KB.
    head[1..].copy_from_slice(&(original.len() as u32).to_le_bytes());
    let both = [original, result].concat();
    let result = compress(&head, &both, dictionary, LEVEL).context("compressing an event")?;
    Ok(StoredForms { original: vec![FORMAT_BOTH], result })
}

/// Compresses what a client sent, for the time it waits.
///
/// # Errors
/// As [`pack`].
pub(crate) fn pack_payload(payload: &[u8], dictionary: Option<&Dictionary>) -> Result<Vec<u8>> {
    let dictionary = dictionary.filter(|_| payload.len() <= BOTH_BYTES_MAX);
    compress(&[FORMAT_PAYLOAD], payload, dictionary, PAYLOAD_LEVEL).context("compressing a payload")
}

/// Returns how many bytes an accepted payload of `bytes` bytes that begins with `head` unpacks to.
pub(crate) fn payload_bytes(head: &[u8], bytes: i64) -> i64 {
    let unpacked = match head {
        [FORMAT_PAYLOAD, frame @ ..] => unpacked_bytes(frame),
        _ => None,
    };
    unpacked.map_or(bytes, |unpacked| i64::try_from(unpacked).unwrap_or(i64::MAX))
}

/// Returns the id of the dictionary that a blob needs, 0 where it needs none.
pub(super) fn dictionary_needed(blob: &[u8]) -> u32 {
    match blob {
        [FORMAT_BOTH, _, _, _, _, frame @ ..] | [FORMAT_PAYLOAD, frame @ ..] => {
            dictionary_of(frame)
        }
        _ => 0,
    }
}

/// Reads events back, with the dictionaries that they need.
#[derive(Debug, Default)]
pub(crate) struct Unpacker(pub(super) Dictionaries);

impl Unpacker {
    /// Returns what a client sent; the blob may also be of a version that kept it as it was.
    ///
    /// # Errors
    /// When the blob is damaged.
    pub(crate) fn payload(&self, blob: Vec<u8>) -> Result<Vec<u8>> {
        match blob.as_slice() {
            [FORMAT_PAYLOAD, frame @ ..] => self.frame(frame).context("reading an accepted event"),
            _ => Ok(blob),
        }
    }

    /// Returns the JSON of the original.
    ///
    /// # Errors
    /// When a blob is damaged or of a format this version does not know.
    pub(crate) fn original_json(&self, original: &[u8], result: &[u8]) -> Result<Vec<u8>> {
        match (original, result) {
            ([FORMAT_BOTH], result) => {
                let (length, mut both) = self.both(result)?;
                both.truncate(length);
                Ok(both)
            }
            (original, _) => decompress_stream(original, &[]).context("reading a stored event"),
        }
    }

    /// Returns the JSON of the result.
    ///
    /// # Errors
    /// As [`original_json`](Self::original_json).
    pub(crate) fn result_json(&self, original: &[u8], result: &[u8]) -> Result<Vec<u8>> {
        if original == [FORMAT_BOTH] {
            let (length, mut both) = self.both(result)?;
            both.drain(..length);
            return Ok(both);
        }
        let prefix = self.original_json(original, result)?;
        decompress_stream(result, &prefix).context("reading a stored result")
    }

    /// Returns the JSON of original and result, one behind the other, and where the second begins.
    fn both(&self, blob: &[u8]) -> Result<(usize, Vec<u8>)> {
        let damaged = || Error::internal("a stored event is damaged");
        let [FORMAT_BOTH, a, b, c, d, frame @ ..] = blob else { return Err(damaged()) };
        let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let both = self.frame(frame).context("reading a stored event")?;
        if length > both.len() { Err(damaged()) } else { Ok((length, both)) }
    }

    fn frame(&self, frame: &[u8]) -> Result<Vec<u8>> {
        let dictionary = match dictionary_of(frame) {
            0 => None,
            id => Some(self.0.get(&id).ok_or_else(|| {
                Error::internal(format!("the dictionary {id} it was compressed with is gone"))
            })?),
        };
        decompress(frame, dictionary.map(AsRef::as_ref), JSON_BYTES_MAX)
    }
}

/// Writes an event as JSON; about `bytes` long, so that it is not copied while it grows.
///
/// # Errors
/// None that an event makes.
pub(crate) fn json(event: &Event, bytes: usize) -> Result<Vec<u8>> {
    let mut json = Vec::with_capacity(bytes);
    serde_json::to_writer(&mut json, event)?;
    Ok(json)
}

/// Reads an event back from its JSON.
///
/// # Errors
/// When the JSON is none.
pub(crate) fn event(json: &[u8]) -> Result<Event> {
    Event::from_json(json).context("parsing a stored event")
}

fn stream(json: &[u8], prefix: &[u8]) -> Result<Vec<u8>> {
    let format = if prefix.is_empty() { FORMAT_PLAIN } else { FORMAT_DELTA };
    let mut encoder = zstd::stream::write::Encoder::with_ref_prefix(vec![format], LEVEL, prefix)?;
    encoder.window_log(window_log(json.len() + prefix.len()))?;
    encoder.include_checksum(false)?;
    encoder.set_pledged_src_size(Some(json.len() as u64))?;
    encoder.write_all(json)?;
    Ok(encoder.finish()?)
}

/// Smallest window that reaches over prefix and text: zstd allocates as much as it is told.
fn window_log(bytes: usize) -> u32 {
    bytes.next_power_of_two().trailing_zeros().clamp(10, WINDOW_LOG_MAX)
}

fn decompress_stream(blob: &[u8], prefix: &[u8]) -> Result<Vec<u8>> {
    let (format, frame) = blob.split_first().ok_or_else(|| Error::internal("the blob is empty"))?;
    let prefix = match *format {
        FORMAT_PLAIN => &[],
        FORMAT_DELTA => prefix,
        unknown => {
            return Err(Error::internal(format!("format {unknown} is not known to this version")));
        }
    };
    let mut decoder = zstd::stream::read::Decoder::with_ref_prefix(frame, prefix)?;
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    let mut json = Vec::new();
    decoder.take(JSON_BYTES_MAX + 1).read_to_end(&mut json)?;
    if json.len() as u64 > JSON_BYTES_MAX {
        return Err(Error::internal(format!("the event is larger than {JSON_BYTES_MAX} bytes")));
    }
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn comes_back(original: &[u8], result: &[u8]) -> StoredForms {
        let forms = pack(original, result, None).unwrap();
        let unpacker = Unpacker::default();
        assert_eq!(unpacker.original_json(&forms.original, &forms.result).unwrap(), original);
        assert_eq!(unpacker.result_json(&forms.original, &forms.result).unwrap(), result);
        forms
    }

    #[test]
    fn an_event_is_read_as_it_was_kept() {
        let original =
            format!("{{\"message\":\"{}\"}}", "a long message ".repeat(300)).into_bytes();
        let result = [b"{\"changed\":1,".as_slice(), &original].concat();
        let alone = comes_back(&original, &original).result.len();
        assert!(comes_back(&original, &result).result.len() < alone + 60);
        comes_back(b"", b"{}");
    }

    #[test]
    fn large_events_have_two_frames() {
        let original: Vec<u8> = (0..BOTH_BYTES_MAX as u32).flat_map(u32::to_le_bytes).collect();
        let result = [b"changed".as_slice(), &original].concat();
        assert!(comes_back(&original, &result).result.len() < 1_000);
    }

    #[test]
    fn rows_of_the_first_version_stay_readable() {
        let (original, result) = (b"{\"a\":1}".as_slice(), b"{\"a\":1,\"b\":2}".as_slice());
        let (first, second) = (stream(original, &[]).unwrap(), stream(result, original).unwrap());
        let unpacker = Unpacker::default();
        assert_eq!(unpacker.original_json(&first, &second).unwrap(), original);
        assert_eq!(unpacker.result_json(&first, &second).unwrap(), result);
        assert_eq!(unpacker.payload(original.to_vec()).unwrap(), original);
    }

    #[test]
    fn payloads_come_back() {
        let packed = pack_payload(b"{\"message\":\"hello hello hello\"}", None).unwrap();
        assert_eq!(dictionary_needed(&packed), 0);
        assert_eq!(payload_bytes(&packed[..packed.len().min(20)], 7), 31);
        assert_eq!(payload_bytes(b"{\"a\":1}", 7), 7);
        let payload = Unpacker::default().payload(packed).unwrap();
        assert_eq!(payload, b"{\"message\":\"hello hello hello\"}");
    }

    #[test]
    fn damaged_and_unknown_blobs_are_errors() {
        let unpacker = Unpacker::default();
        assert!(unpacker.original_json(&[], &[]).is_err());
        let unknown = unpacker.original_json(&[9, 1, 2], &[]).unwrap_err().to_string();
        assert!(unknown.contains("format 9"));
        assert!(unpacker.original_json(&[1, 1, 2], &[]).is_err());
        assert!(unpacker.result_json(&[FORMAT_BOTH], &[FORMAT_BOTH, 1]).is_err());
        assert!(unpacker.payload(vec![FORMAT_PAYLOAD, 1, 2]).is_err());
        let mut beyond = pack(b"{}", b"{}", None).unwrap();
        beyond.result[1] = 200;
        assert!(unpacker.result_json(&beyond.original, &beyond.result).is_err());
    }
}
