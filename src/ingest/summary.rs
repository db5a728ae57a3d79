//! What an issue takes over from an event: title, culprit, level, place.

use protocol::event::Event;
use serde::{Deserialize, Serialize};

use crate::db::issue::IssueUpdate;
use crate::grouping::culprit::{crash_frame, culprit};
use crate::grouping::title::title;

/// What lists and the REST API show of an issue beside its columns; kept as JSON in the issue's row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Metadata {
    /// Type of the exception.
    #[serde(default)]
    pub(crate) kind: String,
    /// Message.
    #[serde(default)]
    pub(crate) value: String,
    /// File of the frame that people look at first.
    #[serde(default)]
    pub(crate) filename: Option<String>,
    /// Function of that frame.
    #[serde(default)]
    pub(crate) function: Option<String>,
    /// Frames of the newest event that could not be resolved.
    #[serde(default)]
    pub(crate) unresolved_frames: u32,
}

/// Says what one event makes of its issue; `issue_id` is filled in when the issue is known.
pub(crate) fn summarize(event: &Event) -> IssueUpdate {
    let title = title(event);
    let frame = crash_frame(event);
    let metadata = Metadata {
        kind: title.kind,
        value: title.value,
        filename: frame.and_then(|frame| frame.filename.clone()),
        function: frame.and_then(|frame| frame.function.clone()),
        unresolved_frames: unresolved_frames(event),
    };
    let occurred_at_ms = event.timestamp.or(event.received).unwrap_or_default().ms();
    IssueUpdate {
        id: 0,
        added: 1,
        first_seen_ms: occurred_at_ms,
        last_seen_ms: occurred_at_ms,
        kind: event.kind.clone().unwrap_or_default(),
        title: title.title,
        culprit: culprit(event),
        metadata: serde_json::to_string(&metadata).unwrap_or_default(),
        level: event.level.unwrap_or_default().to_string(),
        platform: event.platform.clone().unwrap_or_default(),
        logger: event.logger.clone(),
        release: event.release.clone(),
        first_release: event.release.clone(),
        unhandled_at_ms: is_unhandled(event).then_some(occurred_at_ms),
    }
}

/// Says whether an exception ended the program or reached the SDK's last handler.
pub(crate) fn is_unhandled(event: &Event) -> bool {
    let mechanisms =
        event.exception.values.iter().filter_map(|exception| exception.mechanism.as_ref());
    mechanisms.into_iter().any(|mechanism| mechanism.handled == Some(false))
}

fn unresolved_frames(event: &Event) -> u32 {
    let frames = event.stacktraces().flat_map(|trace| &trace.frames);
    let verdicts = frames.filter_map(|frame| frame.symbolication.as_ref());
    let count = verdicts.filter(|verdict| !verdict.status.is_resolved()).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}
