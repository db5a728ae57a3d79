//! Libraries that come between a server and its system: built from the C sources beside this file.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::server::Options;

impl Options {
    /// Lets every fsync take this many milliseconds more.
    pub(crate) fn with_slow_fsync(self, ms: u32) -> Self {
        static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| built("slow_fsync"));
        self.with("LD_PRELOAD", library.to_str().expect("the path is UTF-8"))
            .with("SYMBOLIST_TEST_FSYNC_MS", &ms.to_string())
    }

    /// Lets `clock` say what time it is.
    pub(crate) fn with_clock(self, clock: &MovedClock) -> Self {
        static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
        let library = LIBRARY.get_or_init(|| built("moved_clock"));
        self.with("LD_PRELOAD", library.to_str().expect("the path is UTF-8"))
            .with("SYMBOLIST_TEST_CLOCK", clock.file.path().to_str().expect("the path is UTF-8"))
    }
}

/// A wall clock that can be set while a server runs.
#[derive(Debug)]
pub(crate) struct MovedClock {
    file: tempfile::NamedTempFile,
}

impl MovedClock {
    /// Makes a clock that is right.
    pub(crate) fn new() -> Self {
        let clock = Self { file: tempfile::NamedTempFile::new().expect("a file for the clock") };
        clock.set(0);
        clock
    }

    /// Sets it to so many seconds beside the right time, at once.
    pub(crate) fn set(&self, offset_s: i64) {
        use std::os::unix::fs::FileExt as _;
        // In place and in one piece: the server has it mapped.
        let written = self.file.as_file().write_all_at(&offset_s.to_le_bytes(), 0);
        written.expect("the clock can be set");
    }
}

/// Compiles one of our C sources, once per process, into the folder of the test binary.
fn built(name: &str) -> PathBuf {
    let source = format!("{}/tests/support/{name}.c", env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::current_exe().expect("this program has a path");
    let library = folder.with_file_name(format!("{name}.{}.so", std::process::id()));
    let built = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o"])
        .arg(&library)
        .args([&source, "-ldl"])
        .output()
        .expect("a C compiler is there: tests/run installs it");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}
