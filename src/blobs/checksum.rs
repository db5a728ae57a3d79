//! The SHA-1 by which upload clients name files and chunks, and the computing of both hashes at once.
//!
//! A SHA-1 from outside is a claim: it is recomputed where bytes enter, and the store knows only SHA-256.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use sha1::Digest as _;

use super::BlobKey;
use crate::error::{Error, Result};

/// A SHA-1, written as 40 lower-case hex digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Sha1(pub(crate) [u8; 20]);

impl fmt::Display for Sha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl FromStr for Sha1 {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let mut bytes = [0; 20];
        let shown: String = text.chars().take(80).collect();
        hex::decode_to_slice(text, &mut bytes)
            .map_err(|_| Error::Invalid(format!("`{shown}` is no SHA-1 (40 hex digits)")))?;
        Ok(Self(bytes))
    }
}

/// Hashes and counts everything that is written through it.
#[derive(Debug)]
pub(crate) struct Hashing<W> {
    inner: W,
    sha1: sha1::Sha1,
    sha256: sha2::Sha256,
    size: u64,
    size_max: u64,
}

/// What was written through a [`Hashing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hashed {
    /// Name of the bytes for clients.
    pub(crate) sha1: Sha1,
    /// Name of the bytes in the store.
    pub(crate) key: BlobKey,
    /// Number of bytes.
    pub(crate) size: u64,
}

impl<W: Write> Hashing<W> {
    /// Passes at most `size_max` bytes on to `inner`; more is an error of the kind `FileTooLarge`.
    pub(crate) fn new(inner: W, size_max: u64) -> Self {
        Self { inner, sha1: sha1::Sha1::new(), sha256: sha2::Sha256::new(), size: 0, size_max }
    }

    /// Returns what was written and where to.
    pub(crate) fn finish(self) -> (W, Hashed) {
        let sha1 = Sha1(self.sha1.finalize().into());
        let key = BlobKey(self.sha256.finalize().into());
        (self.inner, Hashed { sha1, key, size: self.size })
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.size + bytes.len() as u64;
        if size > self.size_max {
            let text = format!("larger than {} bytes", self.size_max);
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        self.inner.write_all(bytes)?;
        self.sha1.update(bytes);
        self.sha256.update(bytes);
        self.size = size;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_hashes_are_those_of_the_bytes() {
        let mut hashing = Hashing::new(Vec::new(), 3);
        hashing.write_all(b"a").unwrap();
        hashing.write_all(b"bc").unwrap();
        let (bytes, hashed) = hashing.finish();
        assert_eq!(bytes, b"abc");
        // Test vectors of FIPS 180.
        assert_eq!(hashed.sha1.to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(hashed.key, BlobKey::of(b"abc"));
        assert!(hashed.key.to_string().starts_with("ba7816bf8f01cfea"));
        assert_eq!(hashed.size, 3);
    }

    #[test]
    fn more_than_allowed_is_an_error() {
        let mut hashing = Hashing::new(io::sink(), 3);
        let error = hashing.write_all(b"abcd").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn sha1_is_read_in_either_case_and_nothing_else_is() {
        let text = "A9993E364706816aba3e25717850c26c9cd0d89d";
        assert_eq!(text.parse::<Sha1>().unwrap().to_string(), text.to_lowercase());
        for bad in ["", "a9", "zz993e364706816aba3e25717850c26c9cd0d89d"] {
            assert!(bad.parse::<Sha1>().is_err(), "{bad}");
        }
    }
}
