//! With a small program in the worker's place, which counts how often it is started.

use super::*;
use crate::app::Role;
use crate::blobs::BlobKey;
use crate::config::{Config, Sources};
use bytes::Bytes;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

struct Door {
    folder: tempfile::TempDir,
    app: App,
}

impl Door {
    async fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        let environment = vec![("SYMBOLIST_DATA".to_owned(), data.display().to_string())];
        let config = Config::load(&Sources { environment, ..Sources::default() }).unwrap();
        let program = folder.path().join("worker");
        let starts = folder.path().join("starts").display().to_string();
        write_program(&program, &format!("#!/bin/sh\necho >> '{starts}'\n{script}\n"));
        let app = App::build(config, program, Role::Server).await.unwrap();
        Self { folder, app }
    }

    async fn key(&self) -> DerivedKey {
        let sha256 = self.app.blobs.put_bytes(Bytes::from_static(b"input")).await.unwrap();
        DerivedKey::Native { sha256 }
    }

    fn starts(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("starts")).map_or(0, |text| text.len())
    }
}

/// By another process: a file that a thread of ours has open for writing while another test forks cannot
/// be executed (ETXTBSY).
fn write_program(path: &Path, text: &str) {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "printf %s \"$1\" > \"$2\"", "sh", text]).arg(path);
    assert!(shell.status().unwrap().success());
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn many_callers_at_a_time_derive_once() {
    let door = Door::new("sleep 0.2; printf SYMNATV1-and-more").await;
    let key = door.key().await;
    let opened = (0..8).map(|_| open(&door.app, &key));
    for outcome in futures_util::future::join_all(opened).await {
        let Ok(Outcome::File(bytes)) = outcome else { panic!("{outcome:?}") };
        assert_eq!((*bytes).as_ref(), b"SYMNATV1-and-more");
    }
    assert_eq!(door.starts(), 1);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_the_work_to_the_next() {
    let door = Door::new("sleep 0.3; printf SYMNATV1").await;
    let key = door.key().await;
    let impatient =
        tokio::time::timeout(std::time::Duration::from_millis(50), open(&door.app, &key));
    let (impatient, patient) = tokio::join!(impatient, open(&door.app, &key));
    assert!(impatient.is_err());
    assert!(matches!(patient, Ok(Outcome::File(_))), "{patient:?}");
}

#[tokio::test]
async fn what_cannot_be_derived_is_remembered() {
    let door = Door::new("echo '{\"reason\":\"no sections\"}' >&2; exit 3").await;
    let key = door.key().await;
    for _ in 0..2 {
        let outcome = open(&door.app, &key).await.unwrap();
        assert!(matches!(&outcome, Outcome::Unusable(why) if why == "no sections"), "{outcome:?}");
    }
    assert_eq!(door.starts(), 1);
}

#[tokio::test]
async fn what_was_too_large_is_tried_again_an_hour_later() {
    let door = Door::new("exit 5").await;
    let key = door.key().await;
    for _ in 0..2 {
        assert!(matches!(open(&door.app, &key).await, Ok(Outcome::TooLargeHere(_))));
    }
    assert_eq!(door.starts(), 1);
    door.app
        .db
        .write(|tx| {
            Box::pin(async move {
                tx.execute(
                    "UPDATE derive_failure SET created_at_ms = created_at_ms - $1",
                    &[&TOO_LARGE_MS],
                )
                .await
            })
        })
        .await
        .unwrap();
    assert!(matches!(open(&door.app, &key).await, Ok(Outcome::TooLargeHere(_))));
    assert_eq!(door.starts(), 2);
}

#[tokio::test]
async fn output_of_another_kind_is_never_kept() {
    let door = Door::new("printf hello").await;
    let key = door.key().await;
    assert!(matches!(open(&door.app, &key).await, Err(Error::Internal(_))));
    let derived = door.folder.path().join("data/derived");
    assert_eq!(std::fs::read_dir(derived).unwrap().count(), 0);
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_found() {
    let door = Door::new("exit 0").await;
    let key = DerivedKey::Sources { sha256: BlobKey::of(b"never stored") };
    assert!(matches!(open(&door.app, &key).await, Err(Error::NotFound)));
    assert_eq!(door.starts(), 0);
}
