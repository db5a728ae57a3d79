//! Archives that carry files for symbolication: artifact bundles and source bundles.
//!
//! Both are one container: eight bytes (`SYSB` and the version as little-endian `u32`), then a ZIP archive
//! whose offsets count from the first byte of the file, with a `manifest.json` that names every file.
//! Witnesses: sentry-cli 2.58 and 3.8 (`files/…` entries, manifest last) and npm `sentry` (`_/_/…` entries,
//! manifest first, DOS dates of zero). So files are always looked up through the manifest's `url` or `path`
//! and never by the name of the entry, and header names are compared without case.
//!
//! Not in here: which file belongs to which frame, and reading of the files themselves.

mod manifest;

use std::io::{Cursor, Read};

use protocol::id::DebugId;
use serde::{Deserialize, Serialize};
use zip::ZipArchive;

use self::manifest::{Manifest, ManifestFile};
use crate::unusable::Unusable;

/// Most entries of one archive.
pub const ENTRIES_MAX: usize = 100_000;

/// Largest file inside an archive, in bytes after inflating.
pub const ENTRY_BYTES_MAX: u64 = 190 << 20;

/// Largest `manifest.json`, in bytes: embedded `data:` maps are repeated whole in its headers
/// (sentry-cli 3.8.2), so it is far larger than its names.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// Largest sum of all files of one archive, in bytes after inflating.
pub const TOTAL_BYTES_MAX: u64 = 4 << 30;

/// Longest `url`, `path` or map reference of a file, in bytes; longer ones cannot be looked up.
pub const NAME_BYTES_MAX: usize = 4096;

/// Most problems written down for one archive.
const PROBLEMS_MAX: usize = 20;

const MAGIC: &[u8; 4] = b"SYSB";
const VERSION: u32 = 2;
const HEADER_BYTES: usize = 8;
const MANIFEST: &str = "manifest.json";

/// What a file of an artifact bundle is, as its manifest says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Original source text.
    Source,
    /// What the browser or node runs; every JavaScript file of a bundle has this kind.
    MinifiedSource,
    /// A source map.
    SourceMap,
    /// A React Native RAM bundle in one file.
    IndexedRamBundle,
    /// A kind not known here.
    #[serde(other)]
    Other,
}

/// One file of an artifact bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFile {
    /// Name inside the archive, for [`ArtifactBundle::read`] only.
    pub entry: String,
    /// Name to look it up by: a full URL or `~/path`.
    pub url: String,
    /// What it is.
    pub kind: FileKind,
    /// The debug id from its headers.
    pub debug_id: Option<DebugId>,
    /// The source map reference from its headers, relative to `url`. A map embedded as `data:` URL is
    /// shortened to [`EMBEDDED_MAP`]: the file itself carries it too.
    pub sourcemap: Option<String>,
    /// Bytes after inflating, as the archive says; never larger when read.
    pub size: u64,
}

/// What [`BundleFile::sourcemap`] holds when the map is embedded in the file.
pub const EMBEDDED_MAP: &str = "data:";

/// What an artifact bundle holds. A bundle without files is fine (sentry-cli sends them).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ArtifactListing {
    /// The manifest's `debug_id`: the same for the same files whatever the release. npm `sentry` writes none.
    pub bundle_id: Option<DebugId>,
    /// Release it was uploaded for.
    pub release: Option<String>,
    /// Distribution it was uploaded for.
    pub dist: Option<String>,
    /// Organization slug.
    pub org: Option<String>,
    /// Project slug, if exactly one was given.
    pub project: Option<String>,
    /// The files, in the manifest's order.
    pub files: Vec<BundleFile>,
    /// What was wrong with single files, which are left out then.
    pub problems: Vec<String>,
}

/// One file of a source bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// Name inside the archive, for [`SourceBundle::read`] only.
    pub entry: String,
    /// Path as the debug information has it, or the URL if the manifest has no path (JVM bundles).
    pub path: String,
    /// Bytes after inflating, as the archive says; never larger when read.
    pub size: u64,
}

/// What a source bundle holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceListing {
    /// Debug id of the object that the sources belong to.
    pub debug_id: Option<DebugId>,
    /// Its code id.
    pub code_id: Option<String>,
    /// Its architecture.
    pub arch: Option<String>,
    /// Its file name.
    pub object_name: Option<String>,
    /// The files, in the manifest's order.
    pub files: Vec<SourceFile>,
    /// What was wrong with single files, which are left out then.
    pub problems: Vec<String>,
}

/// Returns whether `bytes` begin like an artifact or source bundle.
pub fn is_bundle(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// A source map bundle as sentry-cli and npm `sentry` upload it.
#[derive(Debug)]
pub struct ArtifactBundle<'a> {
    container: Container<'a>,
    listing: ArtifactListing,
}

impl<'a> ArtifactBundle<'a> {
    /// Opens the archive and reads its manifest.
    ///
    /// # Errors
    ///
    /// When the container or the manifest cannot be read, or a limit is exceeded.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Unusable> {
        let (container, manifest) = Container::open(bytes)?;
        let mut problems = Vec::new();
        let bundle_id = debug_id("the bundle's", manifest.debug_id.as_deref(), &mut problems);
        let mut files = Vec::new();
        for (entry, file) in manifest.files {
            match container.artifact(entry, file, &mut problems) {
                Ok(file) => files.push(file),
                Err(problem) => note(&mut problems, problem),
            }
        }
        let listing = ArtifactListing {
            bundle_id,
            release: manifest.release,
            dist: manifest.dist,
            org: manifest.org,
            project: manifest.project,
            files,
            problems,
        };
        Ok(Self { container, listing })
    }

    /// Returns what the bundle holds.
    pub fn listing(&self) -> &ArtifactListing {
        &self.listing
    }

    /// Inflates one file, named by its `entry`.
    ///
    /// # Errors
    ///
    /// When there is no such entry, or its bytes do not match what the archive says of them.
    pub fn read(&self, entry: &str) -> Result<Vec<u8>, Unusable> {
        self.container.read(entry, ENTRY_BYTES_MAX)
    }
}

/// The sources of one native object, as `debug-files upload --include-sources` makes them.
#[derive(Debug)]
pub struct SourceBundle<'a> {
    container: Container<'a>,
    listing: SourceListing,
}

impl<'a> SourceBundle<'a> {
    /// Opens the archive and reads its manifest.
    ///
    /// # Errors
    ///
    /// When the container or the manifest cannot be read, or a limit is exceeded.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Unusable> {
        let (container, manifest) = Container::open(bytes)?;
        let mut problems = Vec::new();
        let debug_id = debug_id("the object's", manifest.debug_id.as_deref(), &mut problems);
        let mut files = Vec::new();
        for (entry, file) in manifest.files {
            match container.source(entry, file) {
                Ok(file) => files.push(file),
                Err(problem) => note(&mut problems, problem),
            }
        }
        let listing = SourceListing {
            debug_id,
            code_id: manifest.code_id,
            arch: manifest.arch,
            object_name: manifest.object_name,
            files,
            problems,
        };
        Ok(Self { container, listing })
    }

    /// Returns what the bundle holds.
    pub fn listing(&self) -> &SourceListing {
        &self.listing
    }

    /// Inflates one file, named by its `entry`.
    ///
    /// # Errors
    ///
    /// When there is no such entry, or its bytes do not match what the archive says of them.
    pub fn read(&self, entry: &str) -> Result<Vec<u8>, Unusable> {
        self.container.read(entry, ENTRY_BYTES_MAX)
    }
}

/// The ZIP archive behind the header. Invariant: at most `ENTRIES_MAX` entries, which claim at most
/// `TOTAL_BYTES_MAX` together; reading never yields more than an entry claims.
#[derive(Debug)]
struct Container<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
}

impl<'a> Container<'a> {
    fn open(bytes: &'a [u8]) -> Result<(Self, Manifest), Unusable> {
        check_header(bytes)?;
        check_entry_count(bytes)?;
        let archive = ZipArchive::new(Cursor::new(bytes))
            .map_err(|error| malformed("the ZIP archive", &error))?;
        if archive.len() > ENTRIES_MAX {
            return Err(too_many_entries(archive.len()));
        }
        let total = archive.decompressed_size().unwrap_or(0);
        if total > u128::from(TOTAL_BYTES_MAX) {
            return Err(Unusable::TooLarge(format!(
                "the archive's files have {total} bytes together, at most {TOTAL_BYTES_MAX}"
            )));
        }
        let container = Self { archive };
        let manifest = Manifest::parse(&container.read(MANIFEST, MANIFEST_BYTES_MAX)?)?;
        Ok((container, manifest))
    }

    fn artifact(
        &self,
        entry: String,
        file: ManifestFile,
        problems: &mut Vec<String>,
    ) -> Result<BundleFile, String> {
        let size = self.size(&entry)?;
        let url = name(&entry, file.url.or(file.path))?;
        let debug_id = debug_id(&format!("file {url}'s"), file.debug_id.as_deref(), problems);
        let sourcemap = match file.sourcemap {
            Some(reference) if reference.starts_with(EMBEDDED_MAP) => Some(EMBEDDED_MAP.to_owned()),
            Some(reference) if reference.len() > NAME_BYTES_MAX => {
                note(
                    problems,
                    format!("file {url}: its map reference has {} bytes", reference.len()),
                );
                None
            }
            reference => reference.filter(|reference| !reference.is_empty()),
        };
        Ok(BundleFile { entry, url, kind: file.kind, debug_id, sourcemap, size })
    }

    fn source(&self, entry: String, file: ManifestFile) -> Result<SourceFile, String> {
        let size = self.size(&entry)?;
        let path = name(&entry, file.path.or(file.url))?;
        Ok(SourceFile { entry, path, size })
    }

    fn size(&self, entry: &str) -> Result<u64, String> {
        let mut archive = self.archive.clone(); // shares its directory; the clone is a reader's position
        let index = archive
            .index_for_name(entry)
            .ok_or_else(|| format!("file {entry} is not in the archive"))?;
        let file = archive.by_index_raw(index).map_err(|error| format!("file {entry}: {error}"))?;
        match file.size() {
            size if size > ENTRY_BYTES_MAX => {
                Err(format!("file {entry} has {size} bytes, at most {ENTRY_BYTES_MAX}"))
            }
            size => Ok(size),
        }
    }

    fn read(&self, entry: &str, bytes_max: u64) -> Result<Vec<u8>, Unusable> {
        let mut archive = self.archive.clone();
        let file =
            archive.by_name(entry).map_err(|error| malformed(&format!("file {entry}"), &error))?;
        let size = file.size();
        if size > bytes_max {
            return Err(Unusable::TooLarge(format!(
                "file {entry} has {size} bytes, at most {bytes_max}"
            )));
        }
        let mut bytes = Vec::new();
        // One byte more than claimed, so that a longer stream shows, and the checksum is compared at the end.
        file.take(size + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| malformed(&format!("file {entry}"), &error))?;
        if bytes.len() as u64 != size {
            return Err(Unusable::Malformed(format!(
                "file {entry} does not inflate to the {size} bytes it claims"
            )));
        }
        Ok(bytes)
    }
}

fn check_header(bytes: &[u8]) -> Result<(), Unusable> {
    let header = bytes.get(..HEADER_BYTES).filter(|header| header.starts_with(MAGIC));
    let Some(&[.., a, b, c, d]) = header else {
        return Err(Unusable::Malformed("not a bundle: it does not begin with SYSB".to_owned()));
    };
    match u32::from_le_bytes([a, b, c, d]) {
        VERSION => Ok(()),
        version => {
            Err(Unusable::Unsupported(format!("bundle version {version}, only {VERSION} is read")))
        }
    }
}

/// Bounds what the ZIP reader allocates before it knows better: it keeps some hundred bytes per entry.
fn check_entry_count(bytes: &[u8]) -> Result<(), Unusable> {
    const ENTRY_SIGNATURE: &[u8; 4] = b"PK\x01\x02";
    match bytes.windows(4).filter(|window| window == ENTRY_SIGNATURE).count() {
        count if count > ENTRIES_MAX => Err(too_many_entries(count)),
        _ => Ok(()),
    }
}

fn too_many_entries(count: usize) -> Unusable {
    Unusable::TooLarge(format!("the archive has {count} entries, at most {ENTRIES_MAX}"))
}

fn malformed(what: &str, error: &dyn std::fmt::Display) -> Unusable {
    Unusable::Malformed(format!("{what} cannot be read: {error}"))
}

fn name(entry: &str, name: Option<String>) -> Result<String, String> {
    match name {
        None => Err(format!("file {entry} has neither url nor path in the manifest")),
        Some(name) if name.len() > NAME_BYTES_MAX => Err(format!(
            "file {entry}: its name has {} bytes, at most {NAME_BYTES_MAX}",
            name.len()
        )),
        Some(name) => Ok(name),
    }
}

fn debug_id(whose: &str, text: Option<&str>, problems: &mut Vec<String>) -> Option<DebugId> {
    let text = text.filter(|text| !text.is_empty())?;
    match text.parse() {
        Ok(debug_id) => Some(debug_id),
        Err(error) => {
            note(problems, format!("{whose} debug id: {error}"));
            None
        }
    }
}

fn note(problems: &mut Vec<String>, problem: String) {
    if problems.len() < PROBLEMS_MAX {
        problems.push(problem.chars().take(NAME_BYTES_MAX).collect());
    }
}

#[cfg(test)]
mod tests;
