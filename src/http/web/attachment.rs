//! Files that came with events, for download. Their content is a stranger's: it is never shown as a page.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use pages::address::encoded;
use protocol::id::ProjectId;
use serde::Deserialize;
use tokio_util::io::ReaderStream;

use super::visit::ProjectVisit;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::blobs::BlobKey;
use crate::db;
use crate::db::attachment::Attachment;
use crate::error::{Error, Result};

/// Nothing of it may run or load, even where a browser shows it.
const LOCKED: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Which attachment a path names.
#[derive(Debug, Deserialize)]
pub(crate) struct AttachmentPath {
    event_id: String,
    attachment: i64,
}

/// `GET /{organization}/{project}/events/{event_id}/attachments/{attachment}`.
pub(crate) async fn download(
    State(app): State<App>,
    at: ProjectVisit<ReadEvents>,
    Path(path): Path<AttachmentPath>,
) -> Result<Response> {
    let (project, id) = (ProjectId(at.project.id), path.attachment);
    let found = app
        .db
        .read(move |tx| Box::pin(async move { db::attachment::find(tx, project, id).await }))
        .await?;
    let event_id = path.event_id.parse::<protocol::id::EventId>().map_err(|_| Error::NotFound)?;
    let is_of_event = |found: &Attachment| found.event_id == event_id.bytes();
    let mut attachment = found.filter(is_of_event).ok_or(Error::NotFound)?;
    let body = match attachment.body.take() {
        Some(body) => Body::from(body),
        None => stored(&app, &attachment).await?,
    };
    let disposition = HeaderValue::from_str(&disposition(&attachment.name));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (header::CONTENT_LENGTH, HeaderValue::from(attachment.size)),
        (header::CONTENT_DISPOSITION, disposition.map_err(Error::caused_by)?),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(LOCKED)),
    ];
    Ok((headers, body).into_response())
}

async fn stored(app: &App, attachment: &Attachment) -> Result<Body> {
    let key = <[u8; 32]>::try_from(attachment.sha256.as_slice())
        .map_err(|_| Error::internal(format!("attachment {} has no SHA-256", attachment.id)))?;
    let file = app.blobs.open_local(BlobKey(key)).await?;
    Ok(Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file))))
}

/// Returns the header that names the download (RFC 6266): the encoded form alone, which every browser reads.
fn disposition(name: &str) -> String {
    let name: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).collect();
    format!("attachment; filename*=UTF-8''{}", encoded(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_downloads_stay_in_their_place() {
        assert_eq!(disposition("app.log"), "attachment; filename*=UTF-8''app.log");
        assert_eq!(disposition("../ä\"\r\n.txt"), "attachment; filename*=UTF-8''..%C3%A4%22.txt");
    }
}
