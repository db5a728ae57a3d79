//! Files that came with events.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use protocol::id::{EventId, ProjectId};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};
use tokio_util::io::ReaderStream;

use super::event::EventPath;
use super::organization::time;
use super::parameters::Parameters;
use crate::accounts::permission::ReadEvents;
use crate::app::App;
use crate::blobs::BlobKey;
use crate::db;
use crate::db::attachment::{Attachment, AttachmentInfo};
use crate::error::{Error, Result};
use crate::http::extract::ProjectAccess;

/// Kinds that an event is made of.
const CRASH_FILES: [&str; 2] = ["event.minidump", "event.applecrashreport"];

/// `GET /api/0/projects/{organization}/{project}/events/{event}/attachments/`, oldest first.
pub(crate) async fn list(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    Path(path): Path<EventPath>,
) -> Result<Json<Value>> {
    let (project, event_id) = (ProjectId(at.project.id), path.id()?);
    let found = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let infos = db::attachment::of_event(tx, project, &event_id).await?;
                let mut found = Vec::with_capacity(infos.len());
                for info in infos {
                    found.extend(db::attachment::find(tx, project, info.id).await?);
                }
                Ok(found)
            })
        })
        .await?;
    Ok(Json(found.iter().map(|attachment| attachment_json(&event_id, attachment)).collect()))
}

/// The attachment in a path.
#[derive(Debug, Deserialize)]
pub(crate) struct AttachmentPath {
    attachment: String,
}

/// `GET …/events/{event}/attachments/{attachment}/`: what it is or, with `?download`, the file.
pub(crate) async fn show(
    State(app): State<App>,
    at: ProjectAccess<ReadEvents>,
    Path(event): Path<EventPath>,
    Path(path): Path<AttachmentPath>,
    parameters: Parameters,
) -> Result<Response> {
    let (project, event_id) = (ProjectId(at.project.id), event.id()?);
    let id: i64 = path.attachment.parse().map_err(|_| Error::NotFound)?;
    let found = app
        .db
        .read(move |tx| Box::pin(async move { db::attachment::find(tx, project, id).await }))
        .await?;
    let found = found.filter(|found| found.event_id == event_id.bytes()).ok_or(Error::NotFound)?;
    if parameters.get("download").is_none() {
        return Ok(Json(attachment_json(&event_id, &found)).into_response());
    }
    download(&app, found).await
}

/// The file as bytes that no browser opens: it comes from anybody who knows the DSN.
async fn download(app: &App, attachment: Attachment) -> Result<Response> {
    let mut headers = HeaderMap::new();
    let mut set = |name, value| headers.insert(name, value);
    set(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    set(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    set(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox; frame-ancestors 'none'"),
    );
    set(header::CONTENT_DISPOSITION, disposition(&attachment.name));
    set(header::CONTENT_LENGTH, HeaderValue::from(attachment.size));
    let body = match attachment.body {
        Some(body) => Body::from(body),
        None => {
            let sha256 = <[u8; 32]>::try_from(attachment.sha256.as_slice())
                .map_err(|_| Error::internal("the SHA-256 of an attachment is none"))?;
            let file = app.blobs.open_local(BlobKey(sha256)).await?;
            Body::from_stream(ReaderStream::new(tokio::fs::File::from_std(file)))
        }
    };
    Ok((headers, body).into_response())
}

/// Names the file twice: in plain ASCII, and exactly (RFC 6266).
fn disposition(name: &str) -> HeaderValue {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }
    };
    let simple: String = name.chars().map(plain).collect();
    let mut exact = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            exact.push(char::from(byte));
        } else {
            exact.push_str(&format!("%{byte:02X}"));
        }
    }
    let text = format!("attachment; filename=\"{simple}\"; filename*=UTF-8''{exact}");
    // It consists of printable ASCII.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Returns an attachment in Sentry's shape. A large file is kept under its SHA-256 and its SHA-1 is not known:
/// then that is empty, because clients want a text.
fn attachment_json(event_id: &EventId, attachment: &Attachment) -> Value {
    let sha1 = attachment.body.as_ref().map(|body| hex::encode(Sha1::digest(body)));
    json!({
        "id": attachment.id.to_string(),
        "event_id": event_id.to_string(),
        "name": attachment.name,
        "type": attachment.kind,
        "mimetype": attachment.content_type,
        "headers": {"Content-Type": attachment.content_type},
        "size": attachment.size,
        "sha1": sha1.unwrap_or_default(),
        "sha256": hex::encode(&attachment.sha256),
        "dateCreated": time(attachment.received_at_ms),
    })
}

/// Returns the file that an event was made of, or null.
pub(super) fn crash_file_json(event_id: &EventId, attachments: &[AttachmentInfo]) -> Value {
    let is_crash = |info: &&AttachmentInfo| CRASH_FILES.contains(&info.kind.as_str());
    attachments.iter().find(is_crash).map_or(Value::Null, |info| {
        json!({
            "id": info.id.to_string(),
            "event_id": event_id.to_string(),
            "name": info.name,
            "type": info.kind,
            "mimetype": info.content_type,
            "headers": {"Content-Type": info.content_type},
            "size": info.size,
            "sha1": null,
            "dateCreated": time(info.received_at_ms),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let value = disposition("a\"; x=\r\nSet-Cookie: ü.dmp");
        let text = value.to_str().unwrap();
        assert_eq!(
            text,
            "attachment; filename=\"a___x___Set-Cookie___.dmp\"; \
             filename*=UTF-8''a%22%3B%20x%3D%0D%0ASet-Cookie%3A%20%C3%BC.dmp"
        );
    }
}
