//! Files as bytes, without reading them: memory maps.

use std::fs::File;
use std::io;
use std::sync::Arc;

use symbolicate::SharedBytes;

/// Maps `file` for reading.
///
/// Only for files that are ours and never change: blobs, derived files, and files without a name. All of
/// them are written whole before anybody else sees them, and removed by name, never truncated.
///
/// # Errors
/// When the system cannot map it.
pub(crate) fn map(file: &File) -> io::Result<SharedBytes> {
    if file.metadata()?.len() == 0 {
        return Ok(Arc::new([]));
    }
    #[allow(
        unsafe_code,
        reason = "a map is unsound only if the file changes; ours do not, see above"
    )]
    let map = unsafe { memmap2::Mmap::map(file) }?;
    Ok(Arc::new(map))
}
