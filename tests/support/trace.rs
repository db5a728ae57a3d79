//! What the API says of an event's frames, held against the sources the program was made of.

use std::path::Path;

use serde_json::Value;

/// Source lines shown before and after a frame's line.
const CONTEXT_LINES: usize = 5;

/// A source file of `tests/clients`, whose expected lines end with `frame: NAME`.
#[derive(Debug)]
pub(crate) struct Source {
    path: String,
    lines: Vec<String>,
}

/// What a frame should say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected<'a> {
    /// The enclosing function.
    pub(crate) function: &'a str,
    /// Its file.
    pub(crate) source: &'a Source,
    /// The name at the end of its line.
    pub(crate) marker: &'a str,
    /// Whether the call was inlined into the next older frame.
    pub(crate) inlined: bool,
}

impl Source {
    /// Reads a file of `tests/clients`.
    pub(crate) fn read(path: &str) -> Self {
        let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(path);
        let text = std::fs::read_to_string(full).expect("the source is there");
        Self { path: path.to_owned(), lines: text.lines().map(str::to_owned).collect() }
    }

    /// Returns the number of the line marked with `name`.
    #[track_caller]
    pub(crate) fn line(&self, name: &str) -> usize {
        let marker = format!("// frame: {name}");
        let place = self.lines.iter().position(|line| line.ends_with(&marker));
        place.unwrap_or_else(|| panic!("{} has no line marked {name}", self.path)) + 1
    }

    /// Returns the lines around a line as the API shows them.
    fn around(&self, line: usize) -> Value {
        let first = line.saturating_sub(CONTEXT_LINES).max(1);
        let last = (line + CONTEXT_LINES).min(self.lines.len());
        (first..=last).map(|number| serde_json::json!([number, self.lines[number - 1]])).collect()
    }
}

/// Returns the frames that matter: of the last exception, else of the event, else of its first thread that
/// has any. Oldest first.
#[track_caller]
pub(crate) fn frames(event: &Value) -> Vec<Value> {
    let data = |kind: &str| {
        let entries = event["entries"].as_array().expect("an event has entries");
        entries.iter().find(|entry| entry["type"] == kind).map(|entry| &entry["data"])
    };
    let traces = ["exception", "threads"].into_iter().filter_map(data);
    let traces =
        traces.flat_map(|data| data["values"].as_array().expect("they are a list").iter().rev());
    let mut traces = traces.map(|value| &value["stacktrace"]).chain(data("stacktrace"));
    let trace = traces.find(|trace| trace["frames"].is_array());
    let trace = trace.unwrap_or_else(|| panic!("the event has no stack trace: {event:#}"));
    trace["frames"].as_array().expect("they are a list").clone()
}

/// Returns the frames of functions of that name.
pub(crate) fn named<'a>(frames: &'a [Value], function: &str) -> Vec<&'a Value> {
    frames.iter().filter(|frame| frame["function"] == function).collect()
}

/// Says of every frame what it is, for messages and for comparing traces.
pub(crate) fn outline(frames: &[Value]) -> Vec<String> {
    let line = |frame: &Value| {
        format!(
            "{} {}:{}:{} {} inlined={}",
            frame["function"].as_str().unwrap_or("?"),
            frame["filename"].as_str().unwrap_or("?"),
            frame["lineNo"],
            frame["colNo"],
            frame["symbolication"]["status"].as_str().unwrap_or("?"),
            frame["symbolication"]["inlined"],
        )
    };
    frames.iter().map(line).collect()
}

/// Asserts that neighbouring frames, oldest first, are just these, and that the source lines around each are
/// those of the file.
#[track_caller]
pub(crate) fn assert_chain(frames: &[Value], expected: &[Expected<'_>]) {
    let first = frames.iter().position(|frame| frame["function"] == expected[0].function);
    let first = first.unwrap_or_else(|| {
        panic!("there is no frame {}: {:#?}", expected[0].function, outline(frames))
    });
    for (place, expected) in (first..).zip(expected) {
        let Some(frame) = frames.get(place) else {
            panic!("no frame for {expected:?}: {:#?}", outline(frames));
        };
        assert_frame(frame, *expected, &outline(frames));
    }
}

#[track_caller]
fn assert_frame(frame: &Value, expected: Expected<'_>, all: &[String]) {
    let Expected { function, source, marker, inlined } = expected;
    let line = source.line(marker);
    let said = (&frame["function"], &frame["lineNo"], &frame["symbolication"]["inlined"]);
    assert_eq!(said, (&function.into(), &line.into(), &inlined.into()), "{all:#?}");
    assert_eq!(frame["symbolication"]["status"], "symbolicated", "{function}: {all:#?}");
    let file = source.path.split_once('/').expect("sources are in folders").1;
    let path = frame["absPath"].as_str().expect("a symbolicated frame has a path");
    assert!(path.ends_with(file), "{function} is in {path}, expected {file}");
    assert_eq!(frame["context"].to_string(), source.around(line).to_string(), "{function}");
    assert_eq!(frame["inApp"], true, "{function}");
}
