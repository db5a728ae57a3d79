use std::io::Write;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::*;

const DEBUG_ID: &str = "15ac1bd8-0d1f-5b0c-9f2a-0c1d2e3f4a5b";

/// Writes a container the way the clients do: the ZIP writer starts behind the header.
fn container(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"SYSB\x02\0\0\0".to_vec();
    let mut cursor = Cursor::new(&mut bytes);
    cursor.set_position(HEADER_BYTES as u64);
    let mut zip = ZipWriter::new(cursor);
    for (name, content) in files {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap();
    bytes
}

const MANIFEST_JSON: &str = r#"{
  "files": {
    "files/_/_/static/app.min.js": {"type":"minified_source","url":"~/static/app.min.js",
      "headers":{"Debug-ID":"15ac1bd8-0d1f-5b0c-9f2a-0c1d2e3f4a5b","Sourcemap":"app.min.js.map","x":[1]}},
    "files/_/_/static/app.min.js.map": {"type":"source_map","url":"~/static/app.min.js.map",
      "headers":{"debug-id":"15ac1bd80d1f5b0c9f2a0c1d2e3f4a5b"}},
    "files/_/_/odd": {"type":"novelty","url":"~/odd","headers":null},
    "files/_/_/gone.js": {"type":"minified_source","url":"~/gone.js"}
  },
  "debug_id":"11111111-2222-5333-8444-555555555555","org":"org","project":"shop","release":"app@1.0.0","dist":42}"#;

fn artifact_bundle() -> Vec<u8> {
    container(&[
        ("files/_/_/static/app.min.js", b"boom()"),
        ("files/_/_/static/app.min.js.map", b"{}"),
        ("files/_/_/odd", b""),
        ("manifest.json", MANIFEST_JSON.as_bytes()),
    ])
}

#[test]
fn artifact_bundle_is_listed_and_read() {
    let bytes = artifact_bundle();
    let bundle = ArtifactBundle::open(&bytes).unwrap();
    let listing = bundle.listing();
    assert_eq!(listing.release.as_deref(), Some("app@1.0.0"));
    assert_eq!(listing.dist.as_deref(), Some("42"));
    assert_eq!(listing.bundle_id.unwrap().to_string(), "11111111-2222-5333-8444-555555555555");
    let [script, map, odd] = &listing.files[..] else { panic!("{:?}", listing.files) };
    assert_eq!(
        (script.url.as_str(), script.kind, script.size),
        ("~/static/app.min.js", FileKind::MinifiedSource, 6)
    );
    assert_eq!(script.debug_id.unwrap().to_string(), DEBUG_ID);
    assert_eq!(script.sourcemap.as_deref(), Some("app.min.js.map"));
    assert_eq!((map.kind, map.debug_id), (FileKind::SourceMap, script.debug_id));
    assert_eq!(odd.kind, FileKind::Other);
    assert_eq!(bundle.read(&script.entry).unwrap(), b"boom()");
    assert_eq!(listing.problems, ["file files/_/_/gone.js is not in the archive"]);
}

#[test]
fn listing_survives_json() {
    let bytes = artifact_bundle();
    let bundle = ArtifactBundle::open(&bytes).unwrap();
    let json = serde_json::to_string(bundle.listing()).unwrap();
    assert!(json.contains(r#""kind":"minified_source""#));
    assert_eq!(&serde_json::from_str::<ArtifactListing>(&json).unwrap(), bundle.listing());
}

#[test]
fn bundle_without_files_is_fine() {
    let bytes = container(&[("manifest.json", br#"{"files":{},"org":"o"}"#)]);
    assert!(ArtifactBundle::open(&bytes).unwrap().listing().files.is_empty());
    let bytes = container(&[("manifest.json", b"{}")]);
    assert!(ArtifactBundle::open(&bytes).unwrap().listing().files.is_empty());
}

/// npm `sentry` writes zero into the DOS date and time, which is no valid day or month.
#[test]
fn invalid_dates_do_not_matter() {
    let mut bytes = artifact_bundle();
    let local = find_all(&bytes, b"PK\x03\x04").into_iter().map(|at| at + 10);
    let central = find_all(&bytes, b"PK\x01\x02").into_iter().map(|at| at + 12);
    for at in local.chain(central).collect::<Vec<_>>() {
        bytes[at..at + 4].fill(0);
    }
    assert_eq!(ArtifactBundle::open(&bytes).unwrap().listing().files.len(), 3);
}

#[test]
fn embedded_map_in_a_header_is_shortened() {
    let map = "A".repeat(5 << 20);
    let json = format!(
        r#"{{"files":{{"_/_/a.js":{{"url":"~/a.js","type":"minified_source","headers":{{"sourcemap":"data:application/json;base64,{map}"}}}}}}}}"#
    );
    let bytes = container(&[("manifest.json", json.as_bytes()), ("_/_/a.js", b"a")]);
    let bundle = ArtifactBundle::open(&bytes).unwrap();
    assert_eq!(bundle.listing().files[0].sourcemap.as_deref(), Some(EMBEDDED_MAP));
}

#[test]
fn source_bundle_is_listed_by_path() {
    let json = r#"{"files":{"files/usr/src/main.c":{"type":"source","path":"/usr/src/main.c"}},
        "arch":"x86_64","code_id":"ef24","debug_id":"15ac1bd8-0d1f-5b0c-9f2a-0c1d2e3f4a5b","object_name":"prog"}"#;
    let bytes =
        container(&[("files/usr/src/main.c", b"int main;\n"), ("manifest.json", json.as_bytes())]);
    let bundle = SourceBundle::open(&bytes).unwrap();
    let listing = bundle.listing();
    assert_eq!(listing.debug_id.unwrap().to_string(), DEBUG_ID);
    assert_eq!(
        (listing.arch.as_deref(), listing.object_name.as_deref()),
        (Some("x86_64"), Some("prog"))
    );
    assert_eq!(listing.files[0].path, "/usr/src/main.c");
    assert_eq!(bundle.read(&listing.files[0].entry).unwrap(), b"int main;\n");
}

#[track_caller]
fn refused(bytes: &[u8], expected: &str) {
    let error = ArtifactBundle::open(bytes).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn what_is_no_bundle_is_refused_with_the_reason() {
    refused(b"", "SYSB");
    refused(b"PK\x03\x04", "SYSB");
    refused(b"SYSB\x03\0\0\0", "version 3");
    refused(b"SYSB\x02\0\0\0", "ZIP archive");
    refused(&container(&[]), "manifest.json");
    refused(&container(&[("manifest.json", b"[")]), "manifest.json");
    refused(&container(&[("manifest.json", br#"{"files":7}"#)]), "manifest.json");
}

#[test]
fn entry_that_claims_too_much_is_refused_before_inflating() {
    let mut bytes = artifact_bundle();
    let central = find_all(&bytes, b"PK\x01\x02")[0];
    bytes[central + 24..central + 28].copy_from_slice(&(191u32 << 20).to_le_bytes());
    let bundle = ArtifactBundle::open(&bytes).unwrap();
    assert_eq!(bundle.listing().files.len(), 2);
    assert!(matches!(bundle.read("files/_/_/static/app.min.js"), Err(Unusable::TooLarge(_))));
}

#[test]
fn entry_that_inflates_to_another_size_is_malformed() {
    for size in [5u32, 7] {
        let mut bytes = artifact_bundle();
        let central = find_all(&bytes, b"PK\x01\x02")[0];
        bytes[central + 24..central + 28].copy_from_slice(&size.to_le_bytes());
        let bundle = ArtifactBundle::open(&bytes).unwrap();
        assert!(matches!(bundle.read("files/_/_/static/app.min.js"), Err(Unusable::Malformed(_))));
    }
}

#[test]
fn manifest_above_its_limit_is_refused() {
    let mut json = b"{}".to_vec();
    json.resize(MANIFEST_BYTES_MAX as usize + 1, b' ');
    refused(&container(&[("manifest.json", &json)]), "manifest.json has");
}

#[test]
fn too_many_entries_are_refused_before_the_directory_is_read() {
    let mut bytes = artifact_bundle();
    bytes.splice(8..8, b"PK\x01\x02".repeat(ENTRIES_MAX + 1));
    refused(&bytes, "entries");
}

proptest::proptest! {
    #[test]
    fn flipped_bytes_never_panic(flips in proptest::collection::vec((0usize..2000, 0u8..), 1..8)) {
        let mut bytes = artifact_bundle();
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        if let Ok(bundle) = ArtifactBundle::open(&bytes) {
            for file in &bundle.listing().files {
                let _ = bundle.read(&file.entry);
            }
        }
        let _ = SourceBundle::open(&bytes);
    }
}

fn find_all(bytes: &[u8], needle: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|&at| bytes[at..].starts_with(needle)).collect()
}
