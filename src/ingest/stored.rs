//! How an event is kept: the scrubbed original compressed, the result as a delta against it.
//!
//! Every blob starts with one byte that names its format, so that dictionaries can come later and old rows
//! stay readable. Formats (`docs/stored-events.md`): 1 = zstd; 2 = zstd with the original's JSON as prefix.

use std::io::{Read, Write};

use protocol::event::Event;

use crate::error::{Context as _, Error, Result};

/// zstd without dictionary.
const FORMAT_PLAIN: u8 = 1;
/// zstd with the original's JSON as prefix.
const FORMAT_DELTA: u8 = 2;
/// Level 3: higher ones buy 25 % for five times the time.
const LEVEL: i32 = 3;
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

/// Compresses original and result.
///
/// # Errors
/// When zstd fails, which only a lack of memory makes it do.
pub(crate) fn pack(original: &Event, result: &Event) -> Result<StoredForms> {
    let original_json = serde_json::to_vec(original)?;
    let packed = compress(&original_json, &[]).context("compressing an event")?;
    Ok(StoredForms { original: packed, result: pack_result(&original_json, result)? })
}

/// Compresses a new result against the original's JSON, as [`original_json`] returns it.
///
/// # Errors
/// As [`pack`].
pub(crate) fn pack_result(original_json: &[u8], result: &Event) -> Result<Vec<u8>> {
    let json = serde_json::to_vec(result)?;
    compress(&json, original_json).context("compressing a result")
}

/// Returns the JSON of the original.
///
/// # Errors
/// When the blob is damaged or of a format this version does not know.
pub(crate) fn original_json(original: &[u8]) -> Result<Vec<u8>> {
    decompress(original, &[]).context("reading a stored event")
}

/// Returns the JSON of the result.
///
/// # Errors
/// As [`original_json`].
pub(crate) fn result_json(original: &[u8], result: &[u8]) -> Result<Vec<u8>> {
    let prefix = original_json(original)?;
    decompress(result, &prefix).context("reading a stored result")
}

/// Reads an event back from its JSON.
///
/// # Errors
/// When the JSON is none.
pub(crate) fn event(json: &[u8]) -> Result<Event> {
    Event::from_json(json).context("parsing a stored event")
}

fn compress(json: &[u8], prefix: &[u8]) -> Result<Vec<u8>> {
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

fn decompress(blob: &[u8], prefix: &[u8]) -> Result<Vec<u8>> {
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
    use serde_json::json;

    #[test]
    fn an_event_is_read_as_it_was_kept() {
        let json = json!({"message": "m".repeat(5_000), "platform": "native", "release": "r@1"});
        let original = Event::from_json(json.to_string().as_bytes()).unwrap();
        let result = Event { logger: Some("changed".to_owned()), ..original.clone() };
        let forms = pack(&original, &result).unwrap();
        let read = original_json(&forms.original).unwrap();
        assert_eq!(event(&read).unwrap(), original);
        assert_eq!(event(&result_json(&forms.original, &forms.result).unwrap()).unwrap(), result);
        assert!(forms.result.len() < 60, "{}", forms.result.len());
    }

    #[test]
    fn damaged_and_unknown_blobs_are_errors() {
        assert!(original_json(&[]).is_err());
        assert!(original_json(&[9, 1, 2]).unwrap_err().to_string().contains("format 9"));
        assert!(original_json(&[1, 1, 2]).is_err());
    }
}
