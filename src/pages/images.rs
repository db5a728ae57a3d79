//! The images that were loaded, and whether their debug files were found.

use protocol::debug_meta::{DebugImage, ImageKind};
use protocol::event::Event;

use crate::help::UploadHelp;

/// Most images that are listed; those that frames lie in come first.
const IMAGES_SHOWN_MAX: usize = 400;

/// The images of an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Images {
    pub(crate) rows: Vec<ImageRow>,
    pub(crate) total: usize,
    pub(crate) missing: usize,
    pub(crate) hidden: usize,
}

/// One image.
#[derive(Debug, Clone)]
pub(crate) struct ImageRow {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) status: ImageStatus,
    pub(crate) debug_id: Option<String>,
    pub(crate) code_id: Option<String>,
    pub(crate) arch: Option<String>,
    /// `0x55fc21000000 – 0x55fc21400000`.
    pub(crate) addresses: Option<String>,
    /// What the file that was used offers: `debug, symtab, sources`.
    pub(crate) features: String,
    pub(crate) command: Option<String>,
}

/// Whether an image's debug file was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ImageStatus {
    Missing,
    Unusable,
    Found,
    Unused,
}

impl ImageStatus {
    fn of(image: &DebugImage) -> Self {
        match image.debug_status.as_deref() {
            Some("found") => Self::Found,
            Some("missing") => Self::Missing,
            None | Some("unused") => Self::Unused,
            Some(_) => Self::Unusable,
        }
    }

    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Unusable => "unusable",
            Self::Found => "found",
            Self::Unused => "not needed",
        }
    }

    /// Class of the word's mark.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Missing => "warn",
            Self::Unusable => "bad",
            Self::Found => "good",
            Self::Unused => "",
        }
    }
}

/// Returns the images: missing ones first, then found ones, then those that no frame lies in.
pub(crate) fn images(event: &Event, help: &UploadHelp) -> Images {
    let Some(meta) = &event.debug_meta else { return Images::default() };
    let mut rows: Vec<ImageRow> = meta
        .images
        .iter()
        .filter(|image| !image.kind.is_empty())
        .map(|image| image_row(image, help))
        .collect();
    rows.sort_by_key(|row| row.status);
    let total = rows.len();
    let missing = rows.iter().filter(|row| row.status == ImageStatus::Missing).count();
    let hidden = total.saturating_sub(IMAGES_SHOWN_MAX);
    rows.truncate(IMAGES_SHOWN_MAX);
    Images { rows, total, missing, hidden }
}

fn image_row(image: &DebugImage, help: &UploadHelp) -> ImageRow {
    let status = ImageStatus::of(image);
    let path = image.code_file.clone().or_else(|| image.debug_file.clone()).unwrap_or_default();
    let is_wanted = matches!(status, ImageStatus::Missing | ImageStatus::Unusable);
    let command = is_wanted.then(|| match image.image_kind() {
        ImageKind::SourceMap => help.source_maps(&path),
        ImageKind::Native | ImageKind::Other => {
            help.debug_file(image.debug_id.as_ref(), image.code_file.as_deref())
        }
    });
    ImageRow {
        name: image.name().unwrap_or("without a name").to_owned(),
        path,
        status,
        debug_id: image.debug_id.map(|id| id.to_string()),
        code_id: image.code_id.as_ref().map(ToString::to_string),
        arch: image.arch.clone(),
        addresses: addresses(image),
        features: features(image),
        command,
    }
}

fn addresses(image: &DebugImage) -> Option<String> {
    let start = image.image_addr?;
    Some(match image.image_size.filter(|size| *size > 0) {
        Some(size) => format!("{start} – {:#x}", start.0.saturating_add(size)),
        None => format!("from {start}"),
    })
}

fn features(image: &DebugImage) -> String {
    let words = [
        ("has_debug_info", "debug"),
        ("has_symbols", "symbols"),
        ("has_unwind_info", "unwind"),
        ("has_sources", "sources"),
    ];
    let has = |name: &str| image.features.get(name).and_then(serde_json::Value::as_bool);
    let words = words.iter().filter(|(name, _)| has(name) == Some(true)).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(", ")
}
