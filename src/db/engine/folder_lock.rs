//! Makes sure that one server owns a data folder.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};

/// Name of the file in the data folder. It is never removed: that would allow two owners.
const FILE_NAME: &str = "lock";

/// The right to be the one server of a folder, until it is dropped or the process dies.
#[derive(Debug)]
pub(crate) struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

impl FolderLock {
    /// Takes the folder.
    ///
    /// # Errors
    /// `Invalid` when another process has it.
    pub(crate) fn take(folder: &Path) -> Result<Self> {
        let path = folder.join(FILE_NAME);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .context(format!("opening {}", path.display()))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(taken(folder, &mut file)),
            Err(error) => {
                return Err(
                    Error::caused_by(error).with_context(format!("locking {}", path.display()))
                );
            }
        }
        // For the message above; the lock is what counts.
        let noted = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
        noted.context(format!("writing {}", path.display()))?;
        Ok(Self(file))
    }
}

fn taken(folder: &Path, file: &mut File) -> Error {
    let mut owner = String::new();
    let owner = match file.read_to_string(&mut owner) {
        Ok(_) if !owner.is_empty() => format!(" (process {owner})"),
        _ => String::new(),
    };
    Error::Invalid(format!(
        "the data folder {} is used by another symbolist{owner}: stop it, or choose another folder",
        folder.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let owner = FolderLock::take(folder.path()).unwrap();
        let text = FolderLock::take(folder.path()).unwrap_err().to_string();
        assert!(text.contains(&folder.path().display().to_string()), "{text}");
        assert!(text.contains(&std::process::id().to_string()), "{text}");
        drop(owner);
        FolderLock::take(folder.path()).unwrap();
    }
}
