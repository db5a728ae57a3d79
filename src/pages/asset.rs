//! Style sheet, script and icon: embedded, and served under names that change with their content.

use std::borrow::Cow;

use rust_embed::RustEmbed;

/// Path under which the server serves what [`asset`] returns.
pub const ASSETS_PATH: &str = "/assets/";
/// Hex digits of the content hash in a name: 48 bits, plenty for a handful of files.
const HASH_DIGITS: usize = 12;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// A file as the browser gets it.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The content.
    pub bytes: Cow<'static, [u8]>,
    /// Value of the `Content-Type` header.
    pub content_type: &'static str,
    /// Whether the name carries the content's hash, so that the file may be cached for ever.
    pub immutable: bool,
}

/// Returns the file for the path below [`ASSETS_PATH`]: `app.<hash>.css`, or the plain name.
///
/// A name with another hash than the content's is not found, so that a cached page of an older version
/// never gets the wrong style for ever.
pub fn asset(path: &str) -> Option<Asset> {
    let (plain, hash) = split_hash(path);
    let file = Assets::get(&plain)?;
    if hash.is_some_and(|hash| hash != digits(&file.metadata.sha256_hash())) {
        return None;
    }
    Some(Asset { bytes: file.data, content_type: content_type(&plain), immutable: hash.is_some() })
}

/// Returns the address of a file, with its hash: `/assets/app.0123456789ab.css`.
pub fn asset_url(name: &str) -> String {
    let hash = Assets::get(name).map(|file| digits(&file.metadata.sha256_hash()));
    match (hash, name.rsplit_once('.')) {
        (Some(hash), Some((stem, extension))) => format!("{ASSETS_PATH}{stem}.{hash}.{extension}"),
        _ => format!("{ASSETS_PATH}{name}"),
    }
}

fn split_hash(path: &str) -> (String, Option<&str>) {
    let parts: Vec<&str> = path.split('.').collect();
    match parts.as_slice() {
        [stem, hash, extension] if hash.len() == HASH_DIGITS => {
            (format!("{stem}.{extension}"), Some(*hash))
        }
        _ => (path.to_owned(), None),
    }
}

fn digits(sha256: &[u8; 32]) -> String {
    sha256.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_served_under_its_own_address() {
        for name in ["app.css", "app.js", "icon.svg"] {
            let url = asset_url(name);
            let found = asset(url.strip_prefix(ASSETS_PATH).unwrap()).unwrap();
            assert!(found.immutable, "{url}");
            assert!(!asset(name).unwrap().immutable);
            assert_ne!(found.content_type, "application/octet-stream");
        }
    }

    #[test]
    fn other_hashes_and_names_are_not_found() {
        assert!(asset("app.000000000000.css").is_none());
        assert!(asset("../Cargo.toml").is_none());
        assert!(asset("").is_none());
    }
}
