//! `[blobs]`: where uploads and large attachments are kept.

use super::setting::choice;
use super::settings::Settings;

/// Which kind of store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The folder `blobs` in the data folder.
    FileSystem,
    /// A bucket of an S3 service.
    S3,
}
choice!(Kind { FileSystem = "fs", S3 = "s3" });

/// Where uploads and large attachments are kept.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    /// `blobs.kind`.
    pub(crate) kind: Kind,
    /// `[blobs.s3]`, of meaning if `kind` is `s3`.
    pub(crate) s3: S3,
}

/// A bucket and how to reach it.
#[derive(Clone)]
pub(crate) struct S3 {
    /// `blobs.s3.endpoint`: for services other than Amazon's; `http://` is allowed.
    pub(crate) endpoint: Option<String>,
    /// `blobs.s3.bucket`.
    pub(crate) bucket: String,
    /// `blobs.s3.region`.
    pub(crate) region: String,
    /// `blobs.s3.access_key`.
    pub(crate) access_key: String,
    /// `blobs.s3.secret_key`.
    pub(crate) secret_key: String,
    /// `blobs.s3.prefix`: what every key begins with, so that a bucket can be shared.
    pub(crate) prefix: String,
}

impl Blobs {
    /// Reads the section.
    pub(super) fn read(settings: &mut Settings) -> Self {
        Self {
            kind: settings.take("blobs.kind", Kind::FileSystem),
            s3: S3 {
                endpoint: settings.take_optional("blobs.s3.endpoint"),
                bucket: settings.take_optional("blobs.s3.bucket").unwrap_or_default(),
                region: settings.take("blobs.s3.region", "us-east-1".to_owned()),
                access_key: settings.take_optional("blobs.s3.access_key").unwrap_or_default(),
                secret_key: settings
                    .take_secret("blobs.s3.secret_key", |_| "***".to_owned())
                    .unwrap_or_default(),
                prefix: settings.take_optional("blobs.s3.prefix").unwrap_or_default(),
            },
        }
    }

    /// Checks that a bucket is complete.
    pub(super) fn check(&self, settings: &mut Settings) {
        if self.kind != Kind::S3 {
            return;
        }
        let needed = [
            ("blobs.s3.bucket", &self.s3.bucket),
            ("blobs.s3.access_key", &self.s3.access_key),
            ("blobs.s3.secret_key", &self.s3.secret_key),
        ];
        for (key, value) in needed {
            if value.is_empty() {
                settings
                    .complain(key, &format!("`{key}` is not set, but `blobs.kind` is s3: set it"));
            }
        }
    }
}

impl std::fmt::Debug for S3 {
    /// Leaves out the keys.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3")
            .field("endpoint", &self.endpoint)
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
