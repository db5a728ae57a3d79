//! The demo's page error: what sentry-cli uploaded, and where Chromium says that it happened.

use super::*;
use crate::bundle::{ArtifactBundle, FileKind};

const BUNDLE: &[u8] = include_bytes!("../../../../fixtures/demo/gallery.artifactbundle.zip");
const ENVELOPE: &str = include_str!("../../../../fixtures/demo/web.envelope");

#[test]
fn page_error_is_found_through_the_uploaded_bundle() {
    let event: serde_json::Value = serde_json::from_str(ENVELOPE.lines().nth(2).unwrap()).unwrap();
    let image = &event["debug_meta"]["images"][0];
    let bundle = ArtifactBundle::open(BUNDLE).unwrap();
    let file = |kind: FileKind| {
        let files = &bundle.listing().files;
        let is_wanted = |file: &&crate::bundle::BundleFile| {
            file.kind == kind
                && file.debug_id.map(|id| id.to_string()).as_deref() == image["debug_id"].as_str()
        };
        bundle.read(&files.iter().find(is_wanted).unwrap().entry).unwrap()
    };
    let (script, map) = (file(FileKind::MinifiedSource), file(FileKind::SourceMap));
    assert_eq!(debug_id_of_source(&script), debug_id_of_map(&map));
    assert!(debug_id_of_map(&map).is_some());

    let lookup = open(derive(Some(&script), &map).unwrap());
    let frames = event["exception"]["values"][0]["stacktrace"]["frames"].as_array().unwrap();
    let found: Vec<String> = frames
        .iter()
        .filter_map(|frame| Some((frame["lineno"].as_u64()?, frame["colno"].as_u64()?)))
        .map(|(line, column)| match lookup.lookup(line as u32, column as u32) {
            JsAnswer::Mapped(mapped) => {
                let context =
                    lookup.sources().lines(mapped.source_index, mapped.line, 0, 0).unwrap();
                let name = mapped.source.rsplit('/').next().unwrap_or_default();
                let function = mapped.function.unwrap_or("?");
                format!(
                    "{function} {name}:{} {:?} {}",
                    mapped.line,
                    in_app(mapped.source),
                    context.lines[0].trim()
                )
            }
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(
        found,
        [
            "<anonymous> main.ts:20 Some(true) document.querySelector(\"button\")!.addEventListener(\"click\", () => gallery.open(\"sunset\"));",
            "Gallery.open gallery.ts:13 Some(true) const caption = this.caption(title);",
            "Gallery.caption gallery.ts:18 Some(true) return [title].map((it) => captionOf(this.photos.get(it)!)).join(\", \");",
            "<anonymous> gallery.ts:18 Some(true) return [title].map((it) => captionOf(this.photos.get(it)!)).join(\", \");",
            "captionOf photo.ts:14 Some(true) return `${shape()} of ${photo.taken}: ${photo.title}`;",
            "shape photo.ts:11 Some(true) return photo.width > photo.height ? \"landscape\" : \"portrait\";",
        ]
    );
}

#[test]
fn native_sources_are_found_through_the_uploaded_bundle() {
    let bundle = include_bytes!("../../../../fixtures/demo/contact-sheet.src.zip");
    let derived = crate::derive::sources::derive(bundle).unwrap();
    assert!(derived.source_count > 0 && derived.problems.is_empty(), "{derived:?}");
    let sources = Sources::open(Arc::new(derived.bytes)).unwrap();
    let index = SourceIndex(0);
    assert_eq!(sources.find(sources.path(index).unwrap()), Some(index));
    assert!(!sources.lines(index, 1, 0, 5).unwrap().lines.is_empty());
}
