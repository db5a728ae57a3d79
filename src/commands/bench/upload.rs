//! The upload of one large debug file while events come in.

use std::path::Path;
use std::time::{Duration, Instant};

use cli::client::Client;
use cli::upload::{File, Target, upload};

use crate::commands::credentials::Credentials;
use crate::error::{Context as _, Error, Result};

/// How long the server may take to derive the file.
const DERIVE_MAX: Duration = Duration::from_secs(600);

/// When an upload began, was answered, and was derived, from a common start on.
#[derive(Debug, Clone)]
pub(super) struct Uploaded {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) began: Duration,
    pub(super) answered: Duration,
    pub(super) derived: Duration,
}

/// Uploads files and says which of them the server cannot use.
pub(super) async fn send(credentials: &Credentials, files: &[File]) -> Result<()> {
    let client = Client::new(&credentials.url, &credentials.token).map_err(Error::caused_by)?;
    let target = Target {
        organization: credentials.organization.clone(),
        project: credentials.project.clone(),
        release: None,
        dist: None,
    };
    for uploaded in upload(&client, &target, files).await.map_err(Error::caused_by)? {
        if !uploaded.is_usable {
            let detail = uploaded.detail.unwrap_or_default();
            return Err(Error::Invalid(format!("{} cannot be used: {detail}", uploaded.name)));
        }
    }
    Ok(())
}

/// Uploads a file after `pause` and waits until its look-up file is in the data folder.
pub(super) async fn during(
    credentials: &Credentials,
    data: &Path,
    file: File,
    pause: Duration,
) -> Result<Uploaded> {
    let started = Instant::now();
    tokio::time::sleep(pause).await;
    let before = lookups(data)?;
    let began = started.elapsed();
    let (name, bytes) = (file.name.clone(), file.bytes.len() as u64);
    send(credentials, &[file]).await?;
    let answered = started.elapsed();
    while lookups(data)? <= before {
        if started.elapsed() > DERIVE_MAX {
            return Err(Error::internal("the large file was not derived in time"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Uploaded { name, bytes, began, answered, derived: started.elapsed() })
}

/// Returns how many native look-up files the server has.
fn lookups(data: &Path) -> Result<usize> {
    let entries = std::fs::read_dir(data.join("derived")).context("watching derived files")?;
    let is_native = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with("native-");
    Ok(entries.filter_map(|entry| entry.ok()).filter(|e| is_native(&e.file_name())).count())
}
