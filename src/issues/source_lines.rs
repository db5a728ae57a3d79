//! Source lines of an event's frames, read from uploaded files when somebody looks at the event.

use std::collections::HashMap;

use pages::source::{Contexts, FrameContext, frames};
use protocol::event::Event;

use crate::app::App;
use crate::error::Result;
use crate::symbols::find;

/// Frames of one event whose lines are read, the newest calls of each trace first; a page of more is not read
/// by anybody.
const FRAMES_MAX: usize = 1_000;

/// Reads up to `around` lines before and after each frame's line. A frame whose file is gone has none.
///
/// # Errors
/// When the database or the blob store cannot be asked.
pub(crate) async fn read(app: &App, event: &Event, around: u32) -> Result<Contexts> {
    let mut contexts = HashMap::new();
    for (key, frame) in frames(event) {
        let symbolication = frame.symbolication.as_ref();
        let Some(source) = symbolication.and_then(|verdict| verdict.source.as_ref()) else {
            continue;
        };
        if contexts.len() == FRAMES_MAX {
            break;
        }
        if let Some(context) = find::lines(app, source, around).await? {
            let symbolicate::sources::Context { first_line, lines } = context;
            contexts.insert(key, FrameContext { first_line, lines, hit: source.line });
        }
    }
    Ok(contexts)
}
