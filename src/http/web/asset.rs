//! Style sheet, script and icon.

use axum::extract::Path;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use crate::error::{Error, Result};

/// A name with the content's hash in it never changes: kept for a year.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The plain name may be another content after an upgrade.
const ASK_AGAIN: &str = "no-cache";

/// `GET /assets/{name}`.
pub(crate) async fn show(Path(name): Path<String>) -> Result<Response> {
    let asset = pages::asset::asset(&name).ok_or(Error::NotFound)?;
    let kept = if asset.immutable { FOR_EVER } else { ASK_AGAIN };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
        (header::CACHE_CONTROL, HeaderValue::from_static(kept)),
    ];
    Ok((headers, asset.bytes.into_owned()).into_response())
}
