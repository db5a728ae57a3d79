//! Stack traces of pages: real positions in minified scripts, found by looking at their source maps.

use std::sync::Arc;

use protocol::id::DebugId;
use serde_json::{Value, json};
use symbolicate::bundle::{ArtifactBundle, FileKind};
use symbolicate::js::{JsAnswer, JsLookup};
use symbolicate::{SharedBytes, derive};

use super::random::Random;
use super::stack::Stack;
use crate::error::{Error, Result};

/// Stack traces that are made per script.
const STACKS: usize = 14;
/// Names that minifiers give.
const MINIFIED: [&str; 6] = ["t", "o", "r.open", "n.render", "HTMLButtonElement.<anonymous>", "?"];

/// One script, and stack traces through it.
pub(super) struct Script {
    /// Which script.
    pub(super) debug_id: DebugId,
    pub(super) stacks: Vec<Stack>,
}

/// A place in the minified text.
struct Place {
    line: u32,
    column: u32,
    /// What it is in the source.
    source: (String, u32),
}

/// Makes stack traces through the script of a bundle, loaded from `url`.
///
/// # Errors
/// When the bundle has no script with a map, which a test rules out.
pub(super) fn script(bundle: &[u8], url: &str, random: &mut Random) -> Result<Script> {
    let bundle = ArtifactBundle::open(bundle).map_err(Error::caused_by)?;
    let file = |kind: FileKind| {
        let file = bundle.listing().files.iter().find(|file| file.kind == kind);
        file.ok_or_else(|| Error::internal("an embedded bundle is incomplete"))
    };
    let (minified, map) = (file(FileKind::MinifiedSource)?, file(FileKind::SourceMap)?);
    let debug_id = minified.debug_id;
    let debug_id = debug_id.ok_or_else(|| Error::internal("an embedded script has no debug id"))?;
    let text = bundle.read(&minified.entry).map_err(Error::caused_by)?;
    let map = bundle.read(&map.entry).map_err(Error::caused_by)?;
    let places = places(&text, &map)?;
    let stacks = (0..STACKS).map(|_| stack(&places, url, random)).collect();
    Ok(Script { debug_id, stacks })
}

/// Returns one place per line of the sources, in their order.
fn places(text: &[u8], map: &[u8]) -> Result<Vec<Place>> {
    let derived = derive::js::derive(Some(text), map).map_err(Error::caused_by)?;
    let bytes: SharedBytes = Arc::new(derived.bytes);
    let lookup = JsLookup::open(bytes).map_err(Error::caused_by)?;
    let mut places: Vec<Place> = Vec::new();
    for (index, content) in String::from_utf8_lossy(text).lines().enumerate() {
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        for column in 1..=u32::try_from(content.len()).unwrap_or(0) {
            let JsAnswer::Mapped(mapped) = lookup.lookup(line, column) else { continue };
            let source = (mapped.source.to_owned(), mapped.line);
            if mapped.function.is_some() && places.iter().all(|place| place.source != source) {
                places.push(Place { line, column, source });
            }
        }
    }
    Ok(places)
}

fn stack(places: &[Place], url: &str, random: &mut Random) -> Stack {
    let depth = 2 + random.below(4);
    let frames = (0..depth).filter_map(|_| {
        let place = random.pick(places)?;
        let function = random.pick(&MINIFIED)?;
        Some(json!({"filename": url, "function": function, "in_app": true, "lineno": place.line, "colno": place.column}))
    });
    Stack { frames: frames.collect(), last: String::new(), library: None }
}

/// Returns the image of a script, as SDKs name it.
pub(super) fn image(url: &str, debug_id: DebugId) -> Value {
    json!({"images": [{"type": "sourcemap", "code_file": url, "debug_id": debug_id.to_string()}]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::demo_files::ARTIFACT_BUNDLE;

    #[test]
    fn stacks_run_through_lines_that_the_map_knows() {
        let script = script(ARTIFACT_BUNDLE, "https://a/app.js", &mut Random::new(1, 1)).unwrap();
        assert_eq!(script.stacks.len(), STACKS);
        assert!(script.stacks.iter().all(|stack| stack.frames.len() > 1));
    }
}
