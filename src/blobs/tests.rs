use super::*;
use std::io::{Read as _, Seek as _, Write as _};

/// Runs a body over a store in a folder, in memory, and in the bucket of `tests/run`.
macro_rules! on_every_store {
    ($name:ident, |$blobs:ident| $body:block) => {
        mod $name {
            use super::*;

            async fn check($blobs: Blobs) $body

            #[tokio::test]
            async fn folder() {
                let folder = tempfile::tempdir().unwrap();
                check(in_folder(folder.path())).await;
            }

            #[tokio::test]
            async fn memory() {
                let folder = tempfile::tempdir().unwrap();
                let memory = Memory::default();
                check(Blobs::in_memory(memory, folder.path().to_owned()).unwrap()).await;
            }

            #[tokio::test]
            async fn bucket() {
                let folder = tempfile::tempdir().unwrap();
                let options = bucket_options(concat!("blobs-test/", stringify!($name), "/"));
                check(Blobs::in_bucket(&options, folder.path().to_owned()).unwrap()).await;
            }
        }
    };
}

fn in_folder(folder: &std::path::Path) -> Blobs {
    Blobs::in_folder(folder.join("blobs"), folder.join("tmp")).unwrap()
}

/// The bucket that `tests/run` makes.
fn bucket_options(prefix: &str) -> config::blobs::S3 {
    let variable = |name: &str| {
        let name = format!("SYMBOLIST_TEST_S3_{name}");
        std::env::var(&name).unwrap_or_else(|_| {
            panic!("{name} is not set: run the tests with tests/run, which starts an S3 server")
        })
    };
    config::blobs::S3 {
        endpoint: Some(variable("ENDPOINT")),
        bucket: variable("BUCKET"),
        region: "us-east-1".to_owned(),
        access_key: variable("KEY"),
        secret_key: variable("SECRET"),
        prefix: prefix.to_owned(),
    }
}

fn text(mut file: File) -> String {
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    text
}

on_every_store!(a_blob_comes_back_as_it_was, |blobs| {
    let key = blobs.put_bytes(Bytes::from_static(b"some bytes")).await.unwrap();
    assert_eq!(key, BlobKey::of(b"some bytes"));
    assert!(blobs.exists(key).await.unwrap());
    assert_eq!(text(blobs.open_local(key).await.unwrap()), "some bytes");
    assert_eq!(blobs.read(key, 10).await.unwrap(), "some bytes");
    assert!(matches!(blobs.read(key, 9).await, Err(Error::TooLarge(_))));
    blobs.check().await.unwrap();
});

on_every_store!(a_removed_blob_is_not_found, |blobs| {
    let key = blobs.put_bytes(Bytes::from_static(b"short-lived")).await.unwrap();
    blobs.delete(key).await.unwrap();
    blobs.delete(key).await.unwrap();
    assert!(!blobs.exists(key).await.unwrap());
    assert!(matches!(blobs.open_local(key).await, Err(Error::NotFound)));
});

on_every_store!(a_file_larger_than_one_part_comes_back_as_it_was, |blobs| {
    let number = |n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8;
    let bytes: Vec<u8> = (0..20_u32 << 20).map(number).collect();
    let key = BlobKey::of(&bytes);
    let scratch = blobs.scratch().unwrap();
    scratch.file().write_all(&bytes).unwrap();
    blobs.put_file(scratch, key).await.unwrap();
    assert!(blobs.read(key, 21 << 20).await.unwrap() == bytes);
});

on_every_store!(two_readers_of_a_blob_do_not_share_a_position, |blobs| {
    let key = blobs.put_bytes(Bytes::from_static(b"abc")).await.unwrap();
    let mut first = blobs.open_local(key).await.unwrap();
    first.seek(std::io::SeekFrom::End(0)).unwrap();
    assert_eq!(text(blobs.open_local(key).await.unwrap()), "abc");
    assert!(first.write_all(b"x").is_err());
});

#[tokio::test]
async fn the_same_bytes_are_stored_once_by_many_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path().join("blobs"), folder.path().join("tmp")).unwrap();
    let puts = (0..8).map(|_| blobs.put_bytes(Bytes::from_static(b"same")));
    for put in futures_util::future::join_all(puts).await {
        put.unwrap();
    }
    let key = BlobKey::of(b"same").to_string();
    let shelf = folder.path().join("blobs").join(&key[..2]);
    let names: Vec<_> =
        std::fs::read_dir(shelf).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [std::ffi::OsStr::new(&key[2..])]);
    assert_eq!(std::fs::read_dir(folder.path().join("tmp")).unwrap().count(), 0);
}

#[tokio::test]
async fn faults_happen_as_often_as_told() {
    let folder = tempfile::tempdir().unwrap();
    let memory = Memory::default();
    let blobs = Blobs::in_memory(memory.clone(), folder.path().to_owned()).unwrap();
    memory.fail(Operation::Put, 1);
    assert!(blobs.put_bytes(Bytes::from_static(b"x")).await.is_err());
    assert_eq!(memory.len(), 0);
    blobs.put_bytes(Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(memory.len(), 1);
}

#[tokio::test]
async fn a_folder_that_went_away_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::in_folder(folder.path().join("blobs"), folder.path().join("tmp")).unwrap();
    std::fs::remove_dir(folder.path().join("blobs")).unwrap();
    assert!(blobs.check().await.is_err());
}

#[tokio::test]
async fn a_bucket_that_does_not_answer_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    // Port 9 (discard) has no listener on a test machine.
    let options =
        config::blobs::S3 { endpoint: Some("http://127.0.0.1:9".to_owned()), ..bucket_options("") };
    let blobs = Blobs::in_bucket(&options, folder.path().to_owned()).unwrap();
    assert!(matches!(blobs.check().await, Err(Error::Unavailable { .. })));
}

#[tokio::test]
async fn a_wrong_secret_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let options = config::blobs::S3 { secret_key: "wrong".to_owned(), ..bucket_options("") };
    let blobs = Blobs::in_bucket(&options, folder.path().to_owned()).unwrap();
    assert!(matches!(blobs.check().await, Err(Error::Unavailable { .. })));
}
