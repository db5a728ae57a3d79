//! Stack traces, their frames, and what became of each frame.

mod symbolicated;

use serde::{Deserialize, Serialize};
pub use symbolicated::{FrameStatus, MinifiedPosition, SourceRef, Symbolicated};

use crate::addr::Addr;
use crate::lenient::{Errors, Object, Take};
use crate::node::Node;

/// Most frames of one stack trace that are kept: the oldest 50 and the newest 200 (Relay's limit).
pub const FRAMES_MAX: usize = 250;
const FRAMES_OLDEST_KEPT: usize = 50;

/// A stack trace. Frames are ordered as SDKs send them: oldest call first, the crash last.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Stacktrace {
    /// The frames, oldest first.
    pub frames: Vec<Frame>,
    /// Registers of the newest frame by name.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub registers: Object,
    /// Which frames' addresses are return addresses: `auto`, `all_but_first`, `all` or `none`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_addr_adjustment: Option<String>,
}

impl Stacktrace {
    /// Reads a stack trace leniently; one without frames is none.
    pub fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let mut values = object.list("frames", errors);
        if values.len() > FRAMES_MAX {
            let newest = values.len() - (FRAMES_MAX - FRAMES_OLDEST_KEPT);
            values.drain(FRAMES_OLDEST_KEPT..newest);
        }
        let frames: Vec<Frame> =
            values.into_iter().filter_map(|value| Frame::from_value(value, errors)).collect();
        if frames.is_empty() {
            return None;
        }
        Some(Self {
            frames,
            registers: object.object("registers", errors).unwrap_or_default(),
            instruction_addr_adjustment: object.text("instruction_addr_adjustment", errors),
        })
    }
}

/// One call: where the program was, as sent and as symbolicated.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Frame {
    /// Name for people: demangled, without parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The demangled name with parameters, where it differs from `function`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_function: Option<String>,
    /// The linkage (mangled) name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol: Option<String>,
    /// Module in the sense of the language: Python module, Java class, JavaScript module path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The native image or package the frame belongs to, as a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// File name for people, often relative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Full path or URL of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub abs_path: Option<String>,
    /// Line, counted from 1; 0 never occurs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u32>,
    /// Column, counted from 1 where the SDK counts so (browsers, node).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colno: Option<u32>,
    /// Platform of this frame where it differs from the event's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Source lines before the line, as the SDK sent them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_context: Vec<String>,
    /// The source line itself, as the SDK sent it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_line: Option<String>,
    /// Source lines after the line, as the SDK sent them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub post_context: Vec<String>,
    /// Whether the frame is the user's code; absent where nobody said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_app: Option<bool>,
    /// Local variables, scrubbed.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub vars: Object,
    /// Free-form data of the SDK.
    #[serde(skip_serializing_if = "Object::is_empty")]
    pub data: Object,
    /// Start of the image the SDK found the frame in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image_addr: Option<Addr>,
    /// The address in question: absolute, or relative to an image if `addr_mode` says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instruction_addr: Option<Addr>,
    /// Start of the function.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbol_addr: Option<Addr>,
    /// `abs` (also when absent) or `rel:<image index>`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub addr_mode: Option<String>,
    /// How the frame was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<FrameTrust>,
    /// Language of the function, where debug information says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Whether the frame starts a new stack (async runtimes).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_start: Option<bool>,
    /// What symbolication made of the frame. Absent in originals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub symbolication: Option<Symbolicated>,
}

impl Frame {
    /// Reads a frame leniently.
    pub fn from_value(value: Node<'_>, errors: &mut Errors) -> Option<Self> {
        let Node::Fields(mut object) = value else {
            return None;
        };
        let frame = Self {
            function: object.text("function", errors),
            raw_function: object.text("raw_function", errors),
            symbol: object.text("symbol", errors),
            module: object.text("module", errors),
            package: object.text("package", errors),
            filename: object.text("filename", errors),
            abs_path: object.text("abs_path", errors),
            lineno: object.number("lineno", errors).filter(|line| *line > 0),
            colno: object.number("colno", errors),
            platform: object.text("platform", errors),
            pre_context: object.texts("pre_context", errors),
            context_line: object.text("context_line", errors),
            post_context: object.texts("post_context", errors),
            in_app: object.boolean("in_app", errors),
            vars: vars(object.value("vars")),
            data: object.object("data", errors).unwrap_or_default(),
            image_addr: object.read("image_addr", errors, Addr::from_value),
            instruction_addr: object.read("instruction_addr", errors, Addr::from_value),
            symbol_addr: object.read("symbol_addr", errors, Addr::from_value),
            addr_mode: object.text("addr_mode", errors),
            trust: object.text("trust", errors).map(|text| FrameTrust::from_text(&text)),
            lang: object.text("lang", errors),
            stack_start: object.boolean("stack_start", errors),
            // Ours; what a client sends under this name is a kept result read again, never trusted input:
            // `normalize` removes it.
            symbolication: object
                .value("symbolication")
                .and_then(|node| serde_json::from_value(node.into()).ok()),
        };
        Some(frame)
    }
}

/// Variables come as an object, or as a list, which becomes an object by index.
fn vars(node: Option<Node<'_>>) -> Object {
    match node {
        Some(Node::Fields(fields)) => fields.into(),
        Some(Node::List(nodes)) => nodes
            .into_iter()
            .enumerate()
            .map(|(index, node)| (index.to_string(), node.into()))
            .collect(),
        _ => Object::new(),
    }
}

/// How a frame was found on the stack; names as Sentry writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrameTrust {
    /// Nobody said.
    #[default]
    None,
    /// By scanning the stack for what looks like a return address: often wrong.
    Scan,
    /// By scanning, checked against call frame information.
    CfiScan,
    /// By following frame pointers.
    Fp,
    /// By call frame information.
    Cfi,
    /// By the SDK, before the event was sent.
    Prewalked,
    /// From the registers: where the program was.
    Context,
}

impl FrameTrust {
    fn from_text(text: &str) -> Self {
        match text {
            "scan" => Self::Scan,
            "cfiscan" | "cfi_scan" | "cfi-scan" => Self::CfiScan,
            "fp" | "frame_pointer" => Self::Fp,
            "cfi" => Self::Cfi,
            "prewalked" => Self::Prewalked,
            "context" => Self::Context,
            _ => Self::None,
        }
    }
}
