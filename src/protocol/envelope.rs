//! The envelope: one header line, then items, each with a header line and a payload.
//!
//! Grammar and leniency follow Relay (`relay-server/src/envelope`, read at 0.9.31): the last newline is
//! optional, `length` may be missing (the payload then ends at the next newline), CRLF is no separator.

use bytes_at::Lines;
use serde::Deserialize;
use serde_json::Value;

use crate::id::EventId;
use crate::lenient::Object;
use crate::time::Timestamp;

/// Most items of one envelope; Relay refuses more with 400.
pub const ITEMS_MAX: usize = 500;

/// A parsed envelope; payloads borrow from the body.
#[derive(Debug)]
pub struct Envelope<'a> {
    /// The first line.
    pub header: EnvelopeHeader,
    /// The items in order.
    pub items: Vec<Item<'a>>,
}

/// First line of an envelope. Unknown fields are ignored, bad ones count as absent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EnvelopeHeader {
    /// Overrides the payload's own id.
    pub event_id: Option<EventId>,
    /// Authentication where no header or query carries it.
    pub dsn: Option<String>,
    /// When the client sent it, by its own clock.
    pub sent_at: Option<Timestamp>,
    /// Name and version of the SDK.
    pub sdk: Option<(String, String)>,
}

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item<'a> {
    /// Header line.
    pub header: ItemHeader,
    /// The payload.
    pub payload: &'a [u8],
}

/// Header line of an item.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct ItemHeader {
    /// Kind; see [`ItemType`].
    #[serde(rename = "type")]
    pub kind: String,
    /// Bytes of the payload.
    #[serde(default)]
    pub length: Option<usize>,
    /// Media type.
    #[serde(default)]
    pub content_type: Option<String>,
    /// Name of an attachment.
    #[serde(default)]
    pub filename: Option<String>,
    /// Kind of an attachment, for example `event.minidump`.
    #[serde(default)]
    pub attachment_type: Option<String>,
    /// Items in a container item.
    #[serde(default)]
    pub item_count: Option<u64>,
}

/// What an item is, as far as the server treats it differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemType {
    /// An error or message.
    Event,
    /// A file that belongs to the event.
    Attachment,
    /// Release health of one session.
    Session,
    /// Release health of many sessions.
    Sessions,
    /// What the SDK dropped before sending.
    ClientReport,
    /// Feedback in the old form.
    UserReport,
    /// Feedback.
    Feedback,
    /// A cron monitor's sign of life.
    CheckIn,
    /// Performance data.
    Transaction,
    /// Performance data.
    Span,
    /// Profiles.
    Profile,
    /// Session replays.
    Replay,
    /// Structured logs.
    Log,
    /// Metrics of any kind.
    Metric,
    /// Browser security reports.
    Security,
    /// Form fields beside a minidump, Unreal reports.
    CrashReport,
    /// Only Relay's own; refused from clients.
    Internal,
    /// Not known; dropped, so that newer SDKs keep working.
    Unknown,
}

impl ItemType {
    /// Reads the kind from an item's `type`.
    pub fn from_text(text: &str) -> Self {
        match text {
            "event" => Self::Event,
            "attachment" => Self::Attachment,
            "session" => Self::Session,
            "sessions" => Self::Sessions,
            "client_report" => Self::ClientReport,
            "user_report" => Self::UserReport,
            "feedback" => Self::Feedback,
            "check_in" => Self::CheckIn,
            "transaction" => Self::Transaction,
            "span" => Self::Span,
            "profile" | "profile_chunk" | "profile_chunk_ui" => Self::Profile,
            "replay_event" | "replay_recording" | "replay_video" => Self::Replay,
            "log" => Self::Log,
            "trace_metric" | "statsd" | "metric_buckets" | "metric_meta" => Self::Metric,
            "security" | "raw_security" => Self::Security,
            "form_data" | "unreal_report" => Self::CrashReport,
            "integration" => Self::Internal,
            _ => Self::Unknown,
        }
    }

    /// Returns the name that metrics use; a closed set, so clients cannot make new label values.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Attachment => "attachment",
            Self::Session => "session",
            Self::Sessions => "sessions",
            Self::ClientReport => "client_report",
            Self::UserReport => "user_report",
            Self::Feedback => "feedback",
            Self::CheckIn => "check_in",
            Self::Transaction => "transaction",
            Self::Span => "span",
            Self::Profile => "profile",
            Self::Replay => "replay",
            Self::Log => "log",
            Self::Metric => "metric",
            Self::Security => "security",
            Self::CrashReport => "crash_report",
            Self::Internal => "internal",
            Self::Unknown => "unknown",
        }
    }
}

/// What is wrong with an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvelopeError {
    /// The body has no bytes.
    Empty,
    /// The first line is no JSON object.
    Header(String),
    /// An item's header line is no JSON object with a `type`.
    ItemHeader {
        /// Number of the item, from 1.
        item: usize,
        /// What the JSON parser says.
        problem: String,
    },
    /// An item says it is longer than the rest of the body.
    Truncated {
        /// Number of the item, from 1.
        item: usize,
        /// Bytes it should have.
        expected: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A payload with `length` is not followed by a newline.
    MissingNewline {
        /// Number of the item, from 1.
        item: usize,
    },
    /// More than [`ITEMS_MAX`] items.
    TooManyItems,
}

impl std::fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => write!(f, "empty request body, expected an envelope"),
            Self::Header(problem) => write!(f, "invalid envelope header: {problem}"),
            Self::ItemHeader { item, problem } => {
                write!(f, "invalid header of item {item}: {problem}")
            }
            Self::Truncated { item, expected, left } => write!(
                f,
                "unexpected end of file: item {item} should have {expected} bytes, {left} are left"
            ),
            Self::MissingNewline { item } => {
                write!(f, "missing newline after header or payload of item {item}")
            }
            Self::TooManyItems => {
                write!(f, "too many individual items: an envelope has at most {ITEMS_MAX}")
            }
        }
    }
}

impl std::error::Error for EnvelopeError {}

impl<'a> Envelope<'a> {
    /// Parses a whole envelope.
    ///
    /// # Errors
    /// Where the framing is broken; what is inside payloads is not looked at.
    pub fn parse(body: &'a [u8]) -> Result<Self, EnvelopeError> {
        if body.is_empty() {
            return Err(EnvelopeError::Empty);
        }
        let mut lines = Lines::new(body);
        let header = EnvelopeHeader::parse(lines.line())?;
        let mut items = Vec::new();
        while !lines.is_at_end() {
            let line = lines.line();
            // Some SDKs end the body with more than one newline.
            if line.is_empty() {
                continue;
            }
            if items.len() == ITEMS_MAX {
                return Err(EnvelopeError::TooManyItems);
            }
            items.push(Item::parse(line, &mut lines, items.len() + 1)?);
        }
        Ok(Self { header, items })
    }
}

impl EnvelopeHeader {
    /// Parses the first line of a body.
    ///
    /// # Errors
    /// Where it is not a JSON object.
    pub fn parse(line: &[u8]) -> Result<Self, EnvelopeError> {
        let object: Object = serde_json::from_slice(line)
            .map_err(|error| EnvelopeError::Header(format!("{error}, expected a JSON object")))?;
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let sdk = object.get("sdk").and_then(|sdk| {
            let part = |key: &str| sdk.get(key).and_then(Value::as_str).map(str::to_owned);
            Some((part("name")?, part("version").unwrap_or_default()))
        });
        Ok(Self {
            event_id: text("event_id").and_then(|id| id.parse().ok()),
            dsn: text("dsn").map(str::to_owned),
            sent_at: object.get("sent_at").and_then(Timestamp::from_value),
            sdk,
        })
    }
}

impl<'a> Item<'a> {
    fn parse(line: &[u8], lines: &mut Lines<'a>, item: usize) -> Result<Self, EnvelopeError> {
        let header: ItemHeader = serde_json::from_slice(line)
            .map_err(|error| EnvelopeError::ItemHeader { item, problem: error.to_string() })?;
        let payload = match header.length {
            None => lines.line(),
            Some(length) => {
                let left = lines.left();
                let payload = lines.take(length).ok_or(EnvelopeError::Truncated {
                    item,
                    expected: length,
                    left,
                })?;
                if !lines.skip_newline() {
                    return Err(EnvelopeError::MissingNewline { item });
                }
                payload
            }
        };
        Ok(Self { header, payload })
    }

    /// Returns what the item is.
    pub fn item_type(&self) -> ItemType {
        ItemType::from_text(&self.header.kind)
    }
}

mod bytes_at {
    //! A cursor over lines and counted bytes.

    /// Walks over a body.
    pub(super) struct Lines<'a> {
        rest: &'a [u8],
    }

    impl<'a> Lines<'a> {
        pub(super) fn new(rest: &'a [u8]) -> Self {
            Self { rest }
        }

        pub(super) fn is_at_end(&self) -> bool {
            self.rest.is_empty()
        }

        pub(super) fn left(&self) -> usize {
            self.rest.len()
        }

        /// Takes everything up to the next newline, which is skipped.
        pub(super) fn line(&mut self) -> &'a [u8] {
            match memchr::memchr(b'\n', self.rest) {
                Some(end) => {
                    let line = &self.rest[..end];
                    self.rest = &self.rest[end + 1..];
                    line
                }
                None => std::mem::take(&mut self.rest),
            }
        }

        pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
            let (taken, rest) = self.rest.split_at_checked(length)?;
            self.rest = rest;
            Some(taken)
        }

        /// Skips one newline; says no where there is another byte.
        pub(super) fn skip_newline(&mut self) -> bool {
            match self.rest.split_first() {
                None => true,
                Some((b'\n', rest)) => {
                    self.rest = rest;
                    true
                }
                Some(_) => false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "9ec79c33ec9942ab8353589fcb2e04dc";

    #[test]
    fn items_come_with_and_without_length() {
        let body = format!(
            "{{\"event_id\":\"{ID}\"}}\n{{\"type\":\"event\"}}\n{{}}\n\
             {{\"type\":\"attachment\",\"length\":4,\"filename\":\"a\"}}\nx\ny\n\n\
             {{\"type\":\"attachment\",\"length\":0}}\n\n{{\"type\":\"session\"}}\n{{}}"
        );
        let envelope = Envelope::parse(body.as_bytes()).unwrap();
        assert_eq!(envelope.header.event_id.unwrap().to_string(), ID);
        let payloads: Vec<_> = envelope.items.iter().map(|item| item.payload).collect();
        assert_eq!(payloads, [&b"{}"[..], b"x\ny\n", b"", b"{}"]);
    }

    #[test]
    fn an_empty_header_is_an_envelope() {
        let envelope = Envelope::parse(b"{}").unwrap();
        assert_eq!(envelope.header, EnvelopeHeader::default());
        assert!(envelope.items.is_empty());
        assert_eq!(Envelope::parse(b"{}\n").unwrap().items.len(), 0);
    }

    #[track_caller]
    fn refused(body: &[u8], expected: &str) {
        assert_eq!(Envelope::parse(body).unwrap_err().to_string(), expected);
    }

    #[test]
    fn broken_framing_is_refused_with_the_place() {
        refused(b"", "empty request body, expected an envelope");
        refused(
            b"{}\n{\"type\":\"event\",\"length\":10}\n{}",
            "unexpected end of file: item 1 should have 10 bytes, 2 are left",
        );
        refused(
            b"{}\n{\"type\":\"event\",\"length\":1}\n{}\n",
            "missing newline after header or payload of item 1",
        );
        assert!(matches!(Envelope::parse(b"[]\n"), Err(EnvelopeError::Header(_))));
        assert!(matches!(Envelope::parse(b"{}\n{}\n{}"), Err(EnvelopeError::ItemHeader { .. })));
        let many = [&b"{}\n"[..], &b"{\"type\":\"x\"}\n\n".repeat(ITEMS_MAX + 1)].concat();
        assert_eq!(Envelope::parse(&many).unwrap_err(), EnvelopeError::TooManyItems);
    }

    #[test]
    fn unknown_items_and_bad_header_fields_are_no_error() {
        let body = b"{\"event_id\":5,\"sent_at\":\"x\",\"sdk\":3}\n{\"type\":\"novelty\"}\nabc";
        let envelope = Envelope::parse(body).unwrap();
        assert_eq!(envelope.items[0].item_type(), ItemType::Unknown);
        assert_eq!(envelope.header, EnvelopeHeader::default());
    }
}
