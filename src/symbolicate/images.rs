//! Which image an address or a minified file belongs to.

use protocol::debug_meta::{DebugImage, ImageKind};
use protocol::event::Event;
use protocol::stacktrace::Frame;

use crate::wanted::Wanted;

/// The images of one event, ready to be searched.
pub(crate) struct Images<'a> {
    /// Native images with an address, sorted by it, with the address behind their last byte.
    by_address: Vec<(u64, u64, &'a DebugImage)>,
    all: &'a [DebugImage],
}

impl<'a> Images<'a> {
    /// Sorts the images of an event. An image without size ends where the next one starts.
    pub(crate) fn of_event(event: &'a Event) -> Self {
        let all = event.debug_meta.as_ref().map(|meta| meta.images.as_slice()).unwrap_or_default();
        let is_native = |image: &&DebugImage| image.image_kind() == ImageKind::Native;
        let mut by_address: Vec<_> = all
            .iter()
            .filter(is_native)
            .filter_map(|image| Some((image.image_addr?.0, image.image_size.unwrap_or(0), image)))
            .collect();
        by_address.sort_by_key(|(start, _, _)| *start);
        let starts: Vec<u64> = by_address.iter().map(|(start, _, _)| *start).collect();
        for (index, (start, size, _)) in by_address.iter_mut().enumerate() {
            let next = starts.get(index + 1).copied().unwrap_or(u64::MAX);
            *size = if *size == 0 { next } else { start.saturating_add(*size) };
        }
        Self { by_address, all }
    }

    /// Returns the image that an absolute address lies in, and the offset in it.
    pub(crate) fn at(&self, addr: u64) -> Option<(&'a DebugImage, u64)> {
        let behind = self.by_address.partition_point(|(start, _, _)| *start <= addr);
        let (start, end, image) = *self.by_address.get(behind.checked_sub(1)?)?;
        (addr < end).then(|| (image, addr - start))
    }

    /// Returns the image that `rel:<index>` names.
    pub(crate) fn by_index(&self, index: usize) -> Option<&'a DebugImage> {
        self.all.get(index)
    }

    /// Returns the image of a minified file.
    ///
    /// SDKs name the file as the frame does; node writes `file://` in front of one of the two.
    pub(crate) fn minified(&self, frame: &Frame) -> Option<&'a DebugImage> {
        let plain = |path: &'a str| path.strip_prefix("file://").unwrap_or(path);
        let path = frame.abs_path.as_deref().or(frame.filename.as_deref())?;
        let path = path.strip_prefix("file://").unwrap_or(path);
        let is_map = |image: &&DebugImage| image.image_kind() == ImageKind::SourceMap;
        let mut maps = self.all.iter().filter(is_map);
        maps.find(|image| image.code_file.as_deref().map(plain) == Some(path))
    }
}

/// Returns what is wanted for an image.
pub(crate) fn wanted_for(image: &DebugImage) -> Option<Wanted> {
    match image.image_kind() {
        ImageKind::Native if image.debug_id.is_some() || image.code_id.is_some() => {
            Some(Wanted::DebugFile { debug_id: image.debug_id, code_id: image.code_id.clone() })
        }
        ImageKind::SourceMap => image.debug_id.map(|debug_id| Wanted::SourceMap { debug_id }),
        _ => None,
    }
}
