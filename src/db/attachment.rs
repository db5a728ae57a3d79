//! Files that came with events.

use protocol::id::{EventId, ProjectId};

use super::engine::{Bind, Tx, from_row};
use crate::error::Result;

/// An attachment; its body stands in the row or, above the limit, in the blob store.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) id: i64,
    pub(crate) project_id: i64,
    pub(crate) event_id: Vec<u8>,
    pub(crate) received_at_ms: i64,
    pub(crate) name: String,
    pub(crate) content_type: String,
    /// `event.attachment`, `event.minidump`…
    pub(crate) kind: String,
    pub(crate) size: i64,
    pub(crate) sha256: Vec<u8>,
    pub(crate) body: Option<Vec<u8>>,
}
from_row!(Attachment {
    id,
    project_id,
    event_id,
    received_at_ms,
    name,
    content_type,
    kind,
    size,
    sha256,
    body
});

/// Keeps attachments; the same one sent again changes nothing.
pub(crate) async fn insert(tx: &mut Tx<'_>, attachments: &[&Attachment]) -> Result<()> {
    let rows: Vec<[&dyn Bind; 10]> = attachments
        .iter()
        .map(|new| -> [&dyn Bind; 10] {
            [
                &new.id,
                &new.project_id,
                &new.event_id,
                &new.received_at_ms,
                &new.name,
                &new.content_type,
                &new.kind,
                &new.size,
                &new.sha256,
                &new.body,
            ]
        })
        .collect();
    tx.insert_many(
        "INSERT INTO attachment (id, project_id, event_id, received_at_ms, name, content_type, kind, size,
           sha256, body) VALUES",
        &rows,
        "ON CONFLICT (project_id, event_id, name, sha256) DO NOTHING",
    )
    .await?;
    Ok(())
}

/// An attachment without its body.
#[derive(Debug, Clone)]
pub(crate) struct AttachmentInfo {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) kind: String,
    pub(crate) size: i64,
    pub(crate) received_at_ms: i64,
}
from_row!(AttachmentInfo { id, name, content_type, kind, size, received_at_ms });

/// Returns the attachments of an event, oldest first.
pub(crate) async fn of_event(
    tx: &mut Tx<'_>,
    project: ProjectId,
    event_id: &EventId,
) -> Result<Vec<AttachmentInfo>> {
    tx.all(
        "SELECT id, name, content_type, kind, size, received_at_ms FROM attachment
         WHERE project_id = $1 AND event_id = $2
         ORDER BY id",
        &[&project.0, &event_id.bytes()],
    )
    .await
}

/// Returns one attachment of a project with its body.
pub(crate) async fn find(
    tx: &mut Tx<'_>,
    project: ProjectId,
    id: i64,
) -> Result<Option<Attachment>> {
    tx.optional(
        "SELECT id, project_id, event_id, received_at_ms, name, content_type, kind, size, sha256, body
         FROM attachment
         WHERE project_id = $1 AND id = $2",
        &[&project.0, &id],
    )
    .await
}
