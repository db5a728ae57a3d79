//! Blobs in an S3 bucket, under `<prefix>ab/cdef…`.
//!
//! Keys are content hashes, so a second put of the same key is harmless and no conditional put is needed
//! (small stores lack them).

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::buffered::BufWriter;
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, RetryConfig};
use tokio::io::{AsyncWriteExt as _, copy};

use super::client::Connector;
use super::standing::Standing;
use super::{BlobKey, Scratch, file_failure, unavailable};
use crate::config;
use crate::error::{Context as _, Error, Result};

/// Bytes of one part of a large file; smaller files go in one request. S3 wants at least 5 MiB.
const PART_BYTES: usize = 8 << 20;
/// Parts of one file under way at the same time.
const PARTS_AT_ONCE: usize = 4;
/// How often, and for how long, a request is tried again.
const RETRIES_MAX: usize = 4;
const RETRY_TIME_MAX: Duration = Duration::from_secs(30);

/// A bucket.
#[derive(Debug)]
pub(super) struct S3 {
    store: Arc<AmazonS3>,
    prefix: String,
    standing: Standing,
}

impl S3 {
    pub(super) fn open(options: &config::blobs::S3) -> Result<Self> {
        let retry = RetryConfig {
            max_retries: RETRIES_MAX,
            retry_timeout: RETRY_TIME_MAX,
            ..RetryConfig::default()
        };
        let mut builder = AmazonS3Builder::new()
            .with_http_connector(Connector::new()?)
            .with_retry(retry)
            .with_bucket_name(&options.bucket)
            .with_region(&options.region)
            .with_access_key_id(&options.access_key)
            .with_secret_access_key(&options.secret_key);
        if let Some(endpoint) = &options.endpoint {
            builder =
                builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        let store = builder.build().map_err(Error::caused_by).context("opening the bucket")?;
        Ok(Self {
            store: Arc::new(store),
            prefix: options.prefix.clone(),
            standing: Standing::default(),
        })
    }

    pub(super) async fn put_file(&self, file: Scratch, key: BlobKey) -> Result<()> {
        self.standing.ask(self.put(file, key)).await
    }

    async fn put(&self, file: Scratch, key: BlobKey) -> Result<()> {
        let source =
            file.open_read_only().map_err(|error| file_failure("storing a blob", error))?;
        let mut source = tokio::fs::File::from_std(source);
        let store = Arc::clone(&self.store);
        let mut writer = BufWriter::with_capacity(store, self.path(key), PART_BYTES)
            .with_max_concurrency(PARTS_AT_ONCE);
        let written = match copy(&mut source, &mut writer).await {
            Ok(_) => writer.shutdown().await,
            Err(error) => Err(error),
        };
        if let Err(error) = written {
            // What it has of the file would be paid for until somebody looks.
            if let Err(abort) = writer.abort().await {
                tracing::debug!("could not give up the upload of {key}: {abort}");
            }
            return Err(failure("storing", key, &error));
        }
        Ok(())
    }

    pub(super) async fn open_local(&self, key: BlobKey, scratch: Scratch) -> Result<File> {
        self.standing.ask(self.fetch(key, scratch)).await
    }

    async fn fetch(&self, key: BlobKey, scratch: Scratch) -> Result<File> {
        let answer = match self.store.get(&self.path(key)).await {
            Err(object_store::Error::NotFound { .. }) => return Err(Error::NotFound),
            answer => answer.map_err(|error| failure("reading", key, &error))?,
        };
        let file = scratch.file().try_clone()?;
        let mut file = tokio::fs::File::from_std(file);
        let mut stream = answer.into_stream();
        while let Some(bytes) = stream.next().await {
            let bytes = bytes.map_err(|error| failure("reading", key, &error))?;
            let written = file.write_all(&bytes).await;
            written.map_err(|error| file_failure("fetching a blob", error))?;
        }
        file.flush().await.map_err(|error| file_failure("fetching a blob", error))?;
        Ok(scratch.open_read_only()?)
    }

    pub(super) async fn exists(&self, key: BlobKey) -> Result<bool> {
        let head = async {
            match self.store.head(&self.path(key)).await {
                Ok(_) => Ok(true),
                Err(object_store::Error::NotFound { .. }) => Ok(false),
                Err(error) => Err(failure("looking for", key, &error)),
            }
        };
        self.standing.ask(head).await
    }

    pub(super) async fn delete(&self, key: BlobKey) -> Result<()> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure("removing", key, &error)),
        }
    }

    /// Lists the beginning of the bucket: a bucket that is not there, or a wrong secret, shows.
    pub(super) async fn check(&self) -> Result<()> {
        match self.store.list(None).next().await {
            None | Some(Ok(_)) => Ok(()),
            Some(Err(error)) => {
                tracing::warn!("the bucket does not answer: {error}");
                Err(unavailable("the blob store does not answer"))
            }
        }
    }

    fn path(&self, key: BlobKey) -> Path {
        let name = key.to_string();
        let (shelf, rest) = name.split_at(2);
        Path::from(format!("{}{shelf}/{rest}", self.prefix))
    }
}

fn failure(doing: &str, key: BlobKey, error: &dyn std::fmt::Display) -> Error {
    tracing::error!("{doing} blob {key} in the bucket failed: {error}");
    unavailable("the blob store does not answer")
}
