//! What the developer's commands can be asked.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::{Args, Subcommand};

use crate::client::Client;
use crate::upload::{File, Target, upload};
use crate::{Error, Result};

/// A developer's command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Upload debug files, source bundles and artifact bundles
    Upload(Upload),
}

/// Where the server is and who is asking.
#[derive(Debug, Args)]
pub struct Server {
    /// Address of the server
    #[arg(long, env = "SENTRY_URL", value_name = "URL")]
    url: String,
    /// Token of the API
    #[arg(long, env = "SENTRY_AUTH_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: String,
    /// Slug of the organization
    #[arg(long, env = "SENTRY_ORG", value_name = "ORG", default_value = "default")]
    organization: String,
    /// Slug of the project
    #[arg(long, env = "SENTRY_PROJECT", value_name = "PROJECT")]
    project: String,
}

/// Uploads files.
#[derive(Debug, Args)]
pub struct Upload {
    #[command(flatten)]
    server: Server,
    /// Release of artifact bundles
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// Distribution of the release
    #[arg(long, value_name = "DIST", requires = "release")]
    dist: Option<String>,
    /// Files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Command {
    /// Runs the command and returns the lines to print, and whether everything went well.
    ///
    /// # Errors
    /// Where a file cannot be read or the server cannot be asked.
    pub async fn run(&self) -> Result<(Vec<String>, bool)> {
        match self {
            Self::Upload(upload) => upload.run().await,
        }
    }
}

impl Upload {
    async fn run(&self) -> Result<(Vec<String>, bool)> {
        let client = Client::new(&self.server.url, &self.server.token)?;
        let target = Target {
            organization: self.server.organization.clone(),
            project: self.server.project.clone(),
            release: self.release.clone(),
            dist: self.dist.clone(),
        };
        let files: Vec<File> = self.files.iter().map(|path| read(path)).collect::<Result<_>>()?;
        let mut lines = Vec::new();
        let mut is_well = true;
        for uploaded in upload(&client, &target, &files).await? {
            is_well &= uploaded.is_usable;
            let verdict = if uploaded.is_usable { "ok   " } else { "ERROR" };
            lines.push(format!("{verdict} {}", uploaded.name));
            let detail = uploaded.detail.unwrap_or_default();
            lines.extend(detail.lines().map(|line| format!("      {line}")));
        }
        Ok((lines, is_well))
    }
}

fn read(path: &Path) -> Result<File> {
    let bytes = std::fs::read(path)
        .map_err(|cause| Error::File { path: path.display().to_string(), cause })?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(File { name, bytes: Bytes::from(bytes) })
}
