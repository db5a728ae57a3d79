//! Recorded files, embedded once: what `demo` shows, `bench` looks up and `seed` symbolicates with.

/// Debug information of the demo's native program.
pub(super) static DEBUG_FILE: &[u8] = include_bytes!("../../fixtures/demo/contact-sheet.debug");
/// Its sources.
pub(super) static SOURCE_BUNDLE: &[u8] =
    include_bytes!("../../fixtures/demo/contact-sheet.src.zip");
/// The page's minified script and its source map.
pub(super) static ARTIFACT_BUNDLE: &[u8] =
    include_bytes!("../../fixtures/demo/gallery.artifactbundle.zip");
/// The native program's crash.
pub(super) static CRASH: &[u8] = include_bytes!("../../fixtures/demo/native.envelope");
/// The page's error.
pub(super) static PAGE_ERROR: &[u8] = include_bytes!("../../fixtures/demo/web.envelope");
/// The minified script of another page and its source map; `fixtures/record-envelopes` made it.
pub(super) static SHOP_BUNDLE: &[u8] = include_bytes!("../../fixtures/js/app.artifactbundle.zip");
