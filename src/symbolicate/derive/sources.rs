//! Writes a source file set, which [`crate::sources::Sources`] reads.

use sha2::{Digest, Sha256};

use crate::bundle::SourceBundle;
use crate::sections::{self, table};
use crate::sources::path::normalized;
use crate::sources::{MAGIC, VERSION, backwards, stored};
use crate::unusable::Unusable;

/// Largest sum of the source texts of one set, in bytes before compressing.
pub const TEXT_BYTES_MAX: u64 = 1 << 30;

/// Texts shorter than this, in bytes, are kept as they are: a frame would not be smaller.
const COMPRESSED_BYTES_MIN: usize = 256;

/// Level at which zstd still reaches 200 MB/s and its window is at most 4 MiB.
const ZSTD_LEVEL: i32 = 6;

/// What ends a line of a source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnds {
    /// LF and CR LF, as compilers of native code count.
    Native,
    /// Also CR, U+2028 and U+2029, as ECMAScript has it.
    Ecmascript,
}

/// A derived source file set.
#[derive(Debug, Clone)]
pub struct DerivedSources {
    /// The file.
    pub bytes: Vec<u8>,
    /// Number of source files in it.
    pub source_count: usize,
    /// What was left out and why.
    pub problems: Vec<String>,
}

/// Derives the set of an uploaded source bundle.
///
/// # Errors
///
/// When the bundle cannot be read or exceeds a limit. Single unreadable files are left out and reported.
pub fn derive(bundle: &[u8]) -> Result<DerivedSources, Unusable> {
    let bundle = SourceBundle::open(bundle)?;
    let mut problems = bundle.listing().problems.clone();
    let mut set = SourceSet::default();
    for file in &bundle.listing().files {
        match bundle.read(&file.entry) {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                set.add(&file.path, Some((&text, &line_starts(&text, LineEnds::Native))))?;
            }
            Err(problem) => problems.push(problem.to_string()),
        }
    }
    let source_count = set.len();
    Ok(DerivedSources { bytes: set.finish()?, source_count, problems })
}

/// A set that grows file by file; the files keep their order.
#[derive(Debug, Default)]
pub(crate) struct SourceSet {
    strings: Vec<u8>,
    keys: Vec<String>,
    hashes: Vec<Option<[u8; 32]>>,
    records: Vec<u8>,
    lines: Vec<u8>,
    texts: Vec<u8>,
    text_bytes: u64,
}

impl SourceSet {
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// Adds one file; `text` comes with the byte offsets at which its lines start.
    pub(crate) fn add(&mut self, path: &str, text: Option<(&str, &[u32])>) -> Result<(), Unusable> {
        let key = normalized(path);
        let path_at = self.push_string(path)?;
        let key_at = if key == path { path_at } else { self.push_string(&key)? };
        let mut record = vec![path_at, number(path.len())?, key_at, number(key.len())?];
        let hash = match text {
            Some((text, line_starts)) => Some(self.push_text(text, line_starts, &mut record)?),
            None => {
                record.extend([0, 0, 0, stored::MISSING, 0, 0]);
                None
            }
        };
        let words = hash.unwrap_or_default();
        record.extend(
            words
                .chunks_exact(4)
                .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])),
        );
        self.records.extend(table(record));
        self.keys.push(key);
        self.hashes.push(hash);
        Ok(())
    }

    /// Returns the file.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Unusable> {
        let count = number(self.keys.len())?;
        let mut by_path: Vec<u32> = (0..count).collect();
        // Stable, so of two files with one path the first is found.
        by_path.sort_by(|a, b| {
            backwards(self.keys[*a as usize].as_bytes(), self.keys[*b as usize].as_bytes())
        });
        let mut by_hash: Vec<u32> =
            (0..count).filter(|index| self.hashes[*index as usize].is_some()).collect();
        by_hash.sort_by_key(|index| self.hashes[*index as usize]);
        let (by_path, by_hash) = (table(by_path), table(by_hash));
        sections::write(
            MAGIC,
            VERSION,
            &[&self.strings, &self.records, &by_path, &by_hash, &self.lines, &self.texts],
        )
        .ok_or_else(too_large)
    }

    fn push_string(&mut self, text: &str) -> Result<u32, Unusable> {
        let at = number(self.strings.len())?;
        self.strings.extend_from_slice(text.as_bytes());
        Ok(at)
    }

    fn push_text(
        &mut self,
        text: &str,
        line_starts: &[u32],
        record: &mut Vec<u32>,
    ) -> Result<[u8; 32], Unusable> {
        self.text_bytes += text.len() as u64;
        if self.text_bytes > TEXT_BYTES_MAX {
            return Err(Unusable::TooLarge(format!(
                "the source texts have more than {TEXT_BYTES_MAX} bytes together"
            )));
        }
        let at = self.texts.len();
        let compressed = match text.len() >= COMPRESSED_BYTES_MIN {
            true => zstd::bulk::compress(text.as_bytes(), ZSTD_LEVEL)
                .ok()
                .filter(|frame| frame.len() < text.len()),
            false => None,
        };
        self.texts.extend_from_slice(compressed.as_deref().unwrap_or(text.as_bytes()));
        let form = if compressed.is_some() { stored::ZSTD } else { stored::RAW };
        record.extend([number(at)?, number(self.texts.len() - at)?, number(text.len())?, form]);
        record.extend([number(self.lines.len() / 4)?, number(line_starts.len())?]);
        self.lines.extend(table(line_starts.iter().copied()));
        Ok(Sha256::digest(text.as_bytes()).into())
    }
}

/// Returns the byte offset of every line of `text`, of which there is at least one.
pub(crate) fn line_starts(text: &str, ends: LineEnds) -> Vec<u32> {
    let bytes = text.as_bytes();
    let mut starts = vec![0];
    for (at, byte) in bytes.iter().enumerate() {
        let ends_line = match byte {
            b'\n' => true,
            b'\r' => ends == LineEnds::Ecmascript && bytes.get(at + 1) != Some(&b'\n'),
            0xa8 | 0xa9 => {
                ends == LineEnds::Ecmascript && at >= 2 && bytes[at - 2..at] == [0xe2, 0x80]
            }
            _ => false,
        };
        if ends_line && let Ok(start) = u32::try_from(at + 1) {
            starts.push(start);
        }
    }
    starts
}

fn number(value: usize) -> Result<u32, Unusable> {
    u32::try_from(value).map_err(|_| too_large())
}

fn too_large() -> Unusable {
    Unusable::TooLarge("the derived file would exceed 4 GiB".to_owned())
}
