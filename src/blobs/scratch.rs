//! A file without a name: it disappears with its last user, whatever happens, unless it is given one.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Write};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD};
use rustix::io::Errno;

/// Bytes that are written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// A file without a name (`O_TMPFILE`), readable and writable by us.
#[derive(Debug)]
pub(crate) struct Scratch {
    file: File,
}

impl Scratch {
    /// Makes an empty one on the file system of `folder`.
    ///
    /// # Errors
    /// When the folder is not writable.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        tempfile::tempfile_in(folder).map(|file| Self { file })
    }

    /// Returns the file. Its position is shared by everybody who holds it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Returns the same bytes as a file of its own, at its beginning, that can only be read.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(crate) fn open_read_only(&self) -> io::Result<File> {
        File::open(descriptor_path(&self.file))
    }

    /// Reads the whole file, which has at most `bytes_max` bytes.
    ///
    /// # Errors
    /// `FileTooLarge`, or when the system does not let us.
    pub(crate) fn read(&self, bytes_max: u64) -> io::Result<Vec<u8>> {
        let file = self.open_read_only()?;
        if file.metadata()?.len() > bytes_max {
            let text = format!("larger than {bytes_max} bytes");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        let mut bytes = Vec::new();
        file.take(bytes_max).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Returns a buffered writer into the file.
    pub(crate) fn into_writer(self) -> ScratchWriter {
        ScratchWriter(BufWriter::with_capacity(BUFFER_BYTES, self.file))
    }

    /// Gives the file its name, after its bytes are on the disk: whoever finds the name finds all of it.
    ///
    /// A file that has the name already stays: names here are made from the content. The entry in the
    /// folder is not yet durable; sync the folder for that.
    ///
    /// # Errors
    /// When the disk is full, or the folder is not writable.
    pub(crate) fn keep_as(self, path: &Path) -> io::Result<()> {
        self.file.sync_data()?;
        let source = descriptor_path(&self.file);
        match rustix::fs::linkat(CWD, &source, CWD, path, AtFlags::SYMLINK_FOLLOW) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            // Another file system, or one without nameless files: copy.
            Err(Errno::XDEV | Errno::NOENT | Errno::PERM | Errno::OPNOTSUPP) => self.copy_to(path),
            Err(error) => Err(error.into()),
        }
    }

    fn copy_to(&self, path: &Path) -> io::Result<()> {
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut named = tempfile::NamedTempFile::new_in(folder)?;
        io::copy(&mut self.open_read_only()?, named.as_file_mut())?;
        named.as_file().sync_data()?;
        named.persist(path)?;
        Ok(())
    }
}

/// Writes into a file without a name.
#[derive(Debug)]
pub(crate) struct ScratchWriter(BufWriter<File>);

impl ScratchWriter {
    /// Returns the file with everything that was written.
    ///
    /// # Errors
    /// When the disk is full.
    pub(crate) fn finish(self) -> io::Result<Scratch> {
        let file = self.0.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(Scratch { file })
    }
}

impl Write for ScratchWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Returns the path under which a descriptor of ours can be opened once more.
fn descriptor_path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(folder: &Path, text: &str) -> Scratch {
        let scratch = Scratch::create(folder).unwrap();
        scratch.file().write_all(text.as_bytes()).unwrap();
        scratch
    }

    #[test]
    fn leaves_nothing_behind_unless_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        drop(scratch(folder.path(), "gone"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let kept = folder.path().join("kept");
        scratch(folder.path(), "first").keep_as(&kept).unwrap();
        scratch(folder.path(), "second").keep_as(&kept).unwrap();
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "first");
    }

    #[test]
    fn copying_does_the_same_where_linking_is_impossible() {
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("kept");
        scratch(folder.path(), "copied").copy_to(&kept).unwrap();
        assert_eq!(std::fs::read_to_string(kept).unwrap(), "copied");
    }

    #[test]
    fn reader_begins_at_the_beginning_and_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let mut reader = scratch(folder.path(), "text").open_read_only().unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        assert!(reader.write_all(b"more").is_err());
    }
}
