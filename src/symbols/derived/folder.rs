//! The folder of derived files: a cache, bounded in bytes, that may be emptied at any time.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use symbolicate::SharedBytes;

use crate::blobs::Scratch;
use crate::symbols::mapping::map;

/// A folder of derived files.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
    bytes_max: u64,
}

impl Folder {
    pub(super) fn open(path: PathBuf, bytes_max: u64) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        Ok(Self { path, bytes_max })
    }

    /// Says whether the file `name` is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Maps the file `name`, if it is there and begins with `magic`; a file that does not is removed.
    pub(super) fn find(&self, name: &str, magic: &[u8]) -> io::Result<Option<SharedBytes>> {
        let path = self.path.join(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        if !begins_with(&file, magic)? {
            remove(&path)?;
            return Ok(None);
        }
        // When it was last used; who evicts looks at this. It may fail on a file of another user's.
        if let Err(error) = file.set_modified(SystemTime::now()) {
            tracing::debug!("cannot note the use of {name}: {error}");
        }
        map(&file).map(Some)
    }

    /// Keeps what a worker wrote as the file `name` and maps it; `None` if it does not begin with `magic`.
    pub(super) fn keep(
        &self,
        name: &str,
        magic: &[u8],
        output: Scratch,
    ) -> io::Result<Option<SharedBytes>> {
        let file = output.open_read_only()?;
        if !begins_with(&file, magic)? {
            return Ok(None);
        }
        self.evict(file.metadata()?.len())?;
        output.keep_as(&self.path.join(name))?;
        map(&file).map(Some)
    }

    /// Removes the files that were not used for longest, until there is room for `bytes_wanted`.
    fn evict(&self, bytes_wanted: u64) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Another thread may have removed it since.
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_file() {
                files.push((metadata.modified()?, metadata.len(), entry.path()));
            }
        }
        let mut bytes: u64 = files.iter().map(|(_, len, _)| len).sum::<u64>() + bytes_wanted;
        files.sort();
        for (_, len, path) in files {
            if bytes <= self.bytes_max {
                break;
            }
            remove(&path)?;
            bytes -= len;
        }
        Ok(())
    }
}

fn begins_with(file: &File, magic: &[u8]) -> io::Result<bool> {
    let mut head = Vec::new();
    file.take(magic.len() as u64).read_to_end(&mut head)?;
    Ok(head == magic)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::time::Duration;

    fn keep(folder: &Folder, name: &str, text: &str) -> Option<SharedBytes> {
        let output = Scratch::create(&folder.path).unwrap();
        output.file().write_all(text.as_bytes()).unwrap();
        folder.keep(name, b"MAGIC", output).unwrap()
    }

    fn age(folder: &Folder, name: &str, by_s: u64) {
        let file = File::options().write(true).open(folder.path.join(name)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(by_s)).unwrap();
    }

    #[test]
    fn what_is_kept_is_found_again() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path().join("derived"), 1000).unwrap();
        assert!(folder.find("a", b"MAGIC").unwrap().is_none());
        assert_eq!((*keep(&folder, "a", "MAGIC and more").unwrap()).as_ref(), b"MAGIC and more");
        assert_eq!((*folder.find("a", b"MAGIC").unwrap().unwrap()).as_ref(), b"MAGIC and more");
    }

    #[test]
    fn a_file_without_the_magic_is_neither_kept_nor_found() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path().to_owned(), 1000).unwrap();
        assert!(keep(&folder, "a", "MAGI").is_none());
        fs::write(folder.path.join("b"), "").unwrap();
        assert!(folder.find("b", b"MAGIC").unwrap().is_none());
        assert_eq!(fs::read_dir(&folder.path).unwrap().count(), 0);
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first_and_stays_readable() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open(temporary.path().to_owned(), 21).unwrap();
        keep(&folder, "a", "MAGIC-a").unwrap();
        let b = keep(&folder, "b", "MAGIC-b").unwrap();
        keep(&folder, "c", "MAGIC-c").unwrap();
        for (name, by_s) in [("a", 30), ("b", 20), ("c", 10)] {
            age(&folder, name, by_s);
        }
        folder.find("a", b"MAGIC").unwrap().unwrap();
        keep(&folder, "d", "MAGIC-d").unwrap();
        let left = |name| folder.find(name, b"MAGIC").unwrap().is_some();
        assert_eq!(["a", "b", "c", "d"].map(left), [true, false, true, true]);
        assert_eq!((*b).as_ref(), b"MAGIC-b");
    }
}
