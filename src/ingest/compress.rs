//! zstd with contexts that live as long as their thread: making one costs more than compressing an event.

use std::cell::RefCell;
use std::sync::OnceLock;

use zstd::zstd_safe::{
    CCtx, CDict, DCtx, DDict, compress_bound, get_dict_id_from_frame, get_error_name,
};

use crate::error::{Error, Result};

/// Level with a dictionary. Tried on recorded events: level 3 saves 4 % with a dictionary of 64 KB and up to 17 %
/// with one of 16 KB that holds the same events; its tables are several times as large.
const DICTIONARY_LEVEL: i32 = 1;
/// What a thread keeps for its next event, in bytes; larger buffers are given back.
const SCRATCH_BYTES_MAX: usize = 1 << 20;

thread_local! {
    static COMPRESSOR: RefCell<(CCtx<'static>, Vec<u8>)> = RefCell::new((CCtx::create(), Vec::new()));
    static DECOMPRESSOR: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// A dictionary that is ready for use. Both directions are prepared when they are first needed.
pub(crate) struct Dictionary {
    id: u32,
    body: Vec<u8>,
    compress: OnceLock<CDict<'static>>,
    decompress: OnceLock<DDict<'static>>,
}

impl Dictionary {
    /// Takes the bytes of a trained dictionary; frames that were made with it name `id`.
    pub(crate) fn new(id: u32, body: Vec<u8>) -> Self {
        Self { id, body, compress: OnceLock::new(), decompress: OnceLock::new() }
    }
}

impl std::fmt::Debug for Dictionary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dictionary({}, {} bytes)", self.id, self.body.len())
    }
}

/// Compresses into one frame, which begins with `head` as it is. The level is for what has no dictionary.
///
/// # Errors
/// When zstd fails, which only a lack of memory makes it do.
pub(super) fn compress(
    head: &[u8],
    text: &[u8],
    dictionary: Option<&Dictionary>,
    level: i32,
) -> Result<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|(context, scratch)| {
        scratch.clear();
        scratch.reserve(compress_bound(text.len()));
        let done = match dictionary {
            None => context.compress(scratch, text, level),
            Some(dictionary) => {
                let prepare = || CDict::create(&dictionary.body, DICTIONARY_LEVEL);
                let prepared = dictionary.compress.get_or_init(prepare);
                context.compress_using_cdict(scratch, text, prepared)
            }
        };
        done.map_err(|code| Error::internal(format!("zstd: {}", get_error_name(code))))?;
        let compressed = [head, scratch.as_slice()].concat();
        if scratch.capacity() > SCRATCH_BYTES_MAX {
            *scratch = Vec::new();
        }
        Ok(compressed)
    })
}

/// Returns how many bytes a frame unpacks to, if its header, of which this is the beginning, says so.
pub(super) fn unpacked_bytes(frame: &[u8]) -> Option<u64> {
    zstd::zstd_safe::get_frame_content_size(frame).ok().flatten()
}

/// Returns the id of the dictionary that a frame needs, 0 where it needs none.
pub(super) fn dictionary_of(frame: &[u8]) -> u32 {
    get_dict_id_from_frame(frame).map_or(0, std::num::NonZero::get)
}

/// Decompresses a frame whose header says how much comes out.
///
/// # Errors
/// When the frame is damaged, or larger than `bytes_max`.
pub(super) fn decompress(
    frame: &[u8],
    dictionary: Option<&Dictionary>,
    bytes_max: u64,
) -> Result<Vec<u8>> {
    let size = unpacked_bytes(frame)
        .ok_or_else(|| Error::internal("a zstd frame does not say its size"))?;
    if size > bytes_max {
        return Err(Error::internal(format!("the event is larger than {bytes_max} bytes")));
    }
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(usize::MAX));
    let done = DECOMPRESSOR.with_borrow_mut(|context| match dictionary {
        None => context.decompress(&mut text, frame),
        Some(dictionary) => {
            let prepared = dictionary.decompress.get_or_init(|| DDict::create(&dictionary.body));
            context.decompress_using_ddict(&mut text, frame, prepared)
        }
    });
    done.map_err(|code| Error::internal(format!("zstd: {}", get_error_name(code))))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_behind_its_head() {
        let text = b"one line of a text ".repeat(200);
        let samples: Vec<Vec<u8>> = (0..200)
            .map(|n| format!("one line of a text, number {n}").repeat(9).into_bytes())
            .collect();
        let dictionary = Dictionary::new(77, zstd::dict::from_samples(&samples, 2_000).unwrap());
        for dictionary in [None, Some(&dictionary)] {
            let compressed = compress(b"head", &text, dictionary, 3).unwrap();
            let frame = compressed.strip_prefix(b"head").unwrap();
            assert_eq!(decompress(frame, dictionary, 10_000).unwrap(), text);
            assert!(decompress(frame, dictionary, 100).is_err());
            assert!(decompress(&frame[..frame.len() - 1], dictionary, 10_000).is_err());
            assert_eq!(dictionary_of(frame) != 0, dictionary.is_some());
        }
    }

    #[test]
    fn bytes_that_are_no_frame_are_an_error() {
        assert_eq!(dictionary_of(b"no"), 0);
        assert!(decompress(b"no", None, 100).is_err());
        assert!(decompress(&[], None, 100).is_err());
    }
}
