//! Attachments that are too large for a row: into the blob store, or into the row after all while that is away.

use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::blobs::BlobKey;
use crate::db::attachment::Attachment;
use crate::error::{Error, Result};
use crate::{blocking, garbage};

/// Attachments of an envelope up to this sum are kept in the database while the blob store is away, rather than
/// lost: SDKs do not send again. In bytes.
const INLINE_WHEN_AWAY_BYTES_MAX: usize = 8 << 20;
/// How long the blob store may take for one attachment before it counts as away.
const STORE_TIME_MAX: Duration = Duration::from_secs(10);
/// When a client is asked to come back whose attachment is too large to be kept without the blob store, in seconds.
const AWAY_RETRY_AFTER_S: u32 = 10;
/// How many bytes of one envelope may still be kept in rows while the blob store is away.
pub(super) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(INLINE_WHEN_AWAY_BYTES_MAX)
    }
}

impl Room {
    /// Stores the body of a large attachment, or keeps it in its row while the blob store is away.
    ///
    /// # Errors
    /// `Unavailable` when the blob store is away and there is no room.
    pub(super) async fn keep(
        &mut self,
        app: &App,
        attachment: &mut Attachment,
        bytes: Bytes,
    ) -> Result<()> {
        let store = async {
            let (file, key) = app.blobs.write_scratch(bytes.clone()).await?;
            garbage::spare(app, key).await?;
            app.blobs.put_file(file, key).await?;
            Ok(key)
        };
        let stored = tokio::time::timeout(STORE_TIME_MAX, store).await;
        let away = match stored {
            Ok(Err(Error::Unavailable { message, .. })) => message,
            Err(_) => "the blob store does not answer".to_owned(),
            Ok(stored) => {
                attachment.sha256 = stored.map(|key: BlobKey| key.0.to_vec())?;
                return Ok(());
            }
        };
        let Some(left) = self.0.checked_sub(bytes.len()) else {
            return Err(Error::Unavailable {
                message: format!(
                    "{away}, and attachment `{}` of {} bytes cannot be kept without it (at most {} of an envelope can): \
                     send later",
                    attachment.name,
                    bytes.len(),
                    INLINE_WHEN_AWAY_BYTES_MAX
                ),
                retry_after_s: AWAY_RETRY_AFTER_S,
            });
        };
        self.0 = left;
        tracing::warn!("{away}: an attachment of {} bytes is kept in the database", bytes.len());
        let (sha256, body) =
            blocking::run(move || Ok((Sha256::digest(&bytes).to_vec(), bytes.to_vec()))).await?;
        (attachment.sha256, attachment.body) = (sha256, Some(body));
        Ok(())
    }
}
