//! A small disk: a tmpfs of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::FallocateFlags;
use tempfile::TempDir;

/// A mounted tmpfs. It is unmounted at the end.
#[derive(Debug)]
pub(crate) struct Tmpfs {
    folder: TempDir,
}

impl Tmpfs {
    /// Mounts one of `mib` mebibytes.
    pub(crate) fn mount(mib: u32) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"])
            .arg(folder.path())
            .output()
            .expect("there is a program `mount`");
        assert!(
            mounted.status.success(),
            "a full disk is imitated by a small tmpfs, and mounting one failed: run the tests as root, in a container \
             with CAP_SYS_ADMIN ({})",
            String::from_utf8_lossy(&mounted.stderr)
        );
        Self { folder }
    }

    /// Returns where it is mounted.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Fills it up but for `left` bytes, with a file that it returns the path of.
    pub(crate) fn fill(&self, left: u64) -> PathBuf {
        let path = self.path().join("ballast");
        let file = std::fs::File::create(&path).expect("the ballast can be made");
        // A server that writes at the same time may be faster: then what is left is asked for anew.
        loop {
            let disk = rustix::fs::fstatvfs(&file).expect("the disk tells its size");
            let free = disk.f_bavail * disk.f_frsize;
            let more = free.saturating_sub(left);
            let at = file.metadata().expect("the ballast has a size").len();
            if more == 0 {
                break;
            }
            let _ = rustix::fs::fallocate(&file, FallocateFlags::empty(), at, more);
        }
        path
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}
