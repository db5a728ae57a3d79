//! Stack traces in Sentry's shape, with our own verdict on every frame beside it.

use pages::help::UploadHelp;
use pages::reason::{Weight, reason};
use pages::source::FrameContext;
use protocol::addr::Addr;
use protocol::lenient::Object;
use protocol::stacktrace::{Frame, FrameStatus, Stacktrace, Symbolicated};
use serde_json::{Map, Value, json};

/// What Sentry writes where a part of the original position is unknown.
const UNKNOWN: &str = "?";

/// Returns a stack trace; `context` gives the source lines read for a frame, by index.
pub(super) fn stacktrace_json<'a>(
    trace: &Stacktrace,
    help: &UploadHelp,
    context: impl Fn(usize) -> Option<&'a FrameContext>,
) -> Value {
    let width = address_width(trace);
    let frame = |(index, frame)| Value::Object(frame_json(frame, context(index), help, width));
    json!({
        "frames": trace.frames.iter().enumerate().map(frame).collect::<Vec<_>>(),
        "framesOmitted": null,
        "registers": or_null(&trace.registers),
        "hasSystemFrames": has_system_frames(trace),
    })
}

/// Says whether a trace has both the user's frames and others, so that hiding the others helps.
pub(super) fn has_system_frames(trace: &Stacktrace) -> bool {
    let is_in_app = |frame: &Frame| frame.in_app == Some(true);
    trace.frames.iter().any(is_in_app) && !trace.frames.iter().all(is_in_app)
}

/// Digits of the longest address of a trace: all are written as wide.
fn address_width(trace: &Stacktrace) -> usize {
    let addresses =
        trace.frames.iter().flat_map(|frame| [frame.instruction_addr, frame.symbol_addr]);
    addresses.flatten().map(|addr| format!("{:x}", addr.0).len()).max().unwrap_or(0)
}

fn frame_json(
    frame: &Frame,
    context: Option<&FrameContext>,
    help: &UploadHelp,
    width: usize,
) -> Map<String, Value> {
    let address = |addr: Option<Addr>| addr.map(|addr| format!("0x{:0width$x}", addr.0));
    let verdict = frame.symbolication.as_ref();
    let value = json!({
        "filename": frame.filename,
        "absPath": frame.abs_path,
        "module": frame.module,
        "package": frame.package,
        "platform": frame.platform,
        "instructionAddr": address(frame.instruction_addr),
        "symbolAddr": address(frame.symbol_addr),
        "function": frame.function,
        "rawFunction": frame.raw_function,
        "symbol": frame.symbol,
        "context": context.map_or_else(|| sent_context(frame), read_context),
        "lineNo": frame.lineno,
        "colNo": frame.colno,
        "inApp": frame.in_app.unwrap_or(false),
        "trust": frame.trust,
        "errors": null,
        "lock": null,
        "vars": or_null(&frame.vars),
        "symbolicatorStatus": verdict.and_then(|verdict| verdict.status.symbolicator_status()),
        "symbolication": verdict.map(|verdict| verdict_json(verdict, help)),
    });
    let Value::Object(mut object) = value else { return Map::new() };
    if let Some(mode) = frame.addr_mode.as_deref().filter(|mode| *mode != "abs") {
        object.insert("addrMode".to_owned(), mode.into());
    }
    if let Some(verdict) = verdict {
        add_original(&mut object, verdict);
    }
    object
}

/// Adds where the frame stands in the minified file.
fn add_original(object: &mut Map<String, Value>, verdict: &Symbolicated) {
    let Some(minified) = &verdict.minified else { return };
    let mut add = |key: &str, value: Value| object.insert(key.to_owned(), value);
    let function = minified.function.as_deref().filter(|name| !name.is_empty());
    add("origFunction", function.unwrap_or(UNKNOWN).into());
    add("origAbsPath", minified.abs_path.clone().into());
    add("origFilename", file_name(&minified.abs_path).into());
    add("origLineNo", minified.lineno.into());
    add("origColNo", minified.colno.map_or_else(|| UNKNOWN.into(), Value::from));
    add("map", Value::Null);
}

fn file_name(path: &str) -> &str {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// The verdict with its reason; where our own files are is nobody's business.
fn verdict_json(verdict: &Symbolicated, help: &UploadHelp) -> Value {
    let mut value = serde_json::to_value(verdict).unwrap_or_default();
    if let Value::Object(object) = &mut value {
        object.remove("source");
        object.remove("minified");
        object.insert("inlined".to_owned(), verdict.inlined.into());
        object.insert("why".to_owned(), reason_json(&verdict.status, help));
    }
    value
}

/// Why a frame is not resolved, in the words of its page; null where there is nothing to say.
///
/// It is called `why`, because some verdicts have a `reason` of their own.
pub(super) fn reason_json(status: &FrameStatus, help: &UploadHelp) -> Value {
    let reason = reason(status, help).map(|reason| {
        json!({
            "code": status.name(),
            "short": reason.short,
            "text": reason.text(),
            "command": reason.command,
            "isUnresolved": reason.weight == Weight::Unresolved,
        })
    });
    reason.unwrap_or_default()
}

/// `[[number, "text"], …]` of lines read from uploaded files.
fn read_context(context: &FrameContext) -> Value {
    (context.first_line..).zip(&context.lines).map(|(number, line)| json!([number, line])).collect()
}

/// The same of lines that the SDK sent.
fn sent_context(frame: &Frame) -> Value {
    let (Some(line_number), Some(line)) = (frame.lineno, &frame.context_line) else {
        return json!([]);
    };
    let before = i64::try_from(frame.pre_context.len()).unwrap_or(i64::MAX);
    let lines = frame.pre_context.iter().chain([line]).chain(&frame.post_context);
    let numbers = i64::from(line_number).saturating_sub(before)..;
    let numbered = numbers.zip(lines).filter(|(number, _)| *number > 0);
    numbered.map(|(number, line)| json!([number, line])).collect()
}

/// Sentry writes null where there is nothing.
pub(super) fn or_null(object: &Object) -> Value {
    if object.is_empty() { Value::Null } else { Value::Object(object.clone()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::lenient::Errors;
    use protocol::stacktrace::MinifiedPosition;

    fn help() -> UploadHelp {
        UploadHelp {
            origin: "https://errors.example".to_owned(),
            organization: "acme".to_owned(),
            project: "shop".to_owned(),
            ..UploadHelp::default()
        }
    }

    fn trace(frames: Value) -> Stacktrace {
        Stacktrace::from_value(json!({"frames": frames}).into(), &mut Errors::default()).unwrap()
    }

    #[test]
    fn every_key_is_there_and_addresses_are_padded() {
        let trace = trace(json!([
            {"instruction_addr": "0x10", "in_app": true},
            {"instruction_addr": "0x7f0010", "symbol_addr": "0x7f0000"},
        ]));
        let json = stacktrace_json(&trace, &help(), |_| None);
        assert_eq!(json["hasSystemFrames"], true);
        assert_eq!(json["frames"][0]["instructionAddr"], "0x000010");
        assert_eq!(json["frames"][1]["symbolAddr"], "0x7f0000");
        let keys: Vec<&String> = json["frames"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "absPath",
                "colNo",
                "context",
                "errors",
                "filename",
                "function",
                "inApp",
                "instructionAddr",
                "lineNo",
                "lock",
                "module",
                "package",
                "platform",
                "rawFunction",
                "symbol",
                "symbolAddr",
                "symbolication",
                "symbolicatorStatus",
                "trust",
                "vars",
            ]
        );
    }

    #[test]
    fn lines_read_from_files_go_before_lines_sent() {
        let trace = trace(json!([
            {"lineno": 2, "pre_context": ["a", "b", "c"], "context_line": "d", "post_context": ["e"]},
        ]));
        let sent = stacktrace_json(&trace, &help(), |_| None);
        assert_eq!(sent["frames"][0]["context"], json!([[1, "c"], [2, "d"], [3, "e"]]));
        let read = FrameContext { first_line: 7, lines: vec!["x".into(), "y".into()], hit: 8 };
        let read = stacktrace_json(&trace, &help(), |_| Some(&read));
        assert_eq!(read["frames"][0]["context"], json!([[7, "x"], [8, "y"]]));
    }

    #[test]
    fn verdicts_carry_their_reason() {
        let mut trace = trace(json!([{"function": "t"}]));
        let minified = MinifiedPosition {
            function: None,
            abs_path: "https://h/a/app.min.js?v=1".to_owned(),
            lineno: 1,
            colno: Some(80),
        };
        let status = FrameStatus::NoDebugId { abs_path: minified.abs_path.clone() };
        trace.frames[0].symbolication =
            Some(Symbolicated { status, minified: Some(minified), ..Symbolicated::default() });
        let json = stacktrace_json(&trace, &help(), |_| None);
        let frame = &json["frames"][0];
        let text = "https://h/a/app.min.js?v=1 carries no debug id, so no source map can be matched to it. Run this \
                    on the build, then deploy the files it changed:";
        let command = "sentry-cli sourcemaps inject ./dist && sentry-cli --url https://errors.example sourcemaps \
                       upload --org acme --project shop ./dist";
        assert_eq!(
            frame["symbolication"],
            json!({"status": "no_debug_id", "abs_path": "https://h/a/app.min.js?v=1",
                   "original_index": 0, "inlined": false,
                   "why": {"code": "no_debug_id", "short": "app.min.js carries no debug id", "text": text,
                           "command": command, "isUnresolved": true}})
        );
        assert_eq!(
            (&frame["origFilename"], &frame["origFunction"]),
            (&json!("app.min.js"), &json!("?"))
        );
        assert_eq!((&frame["origLineNo"], &frame["origColNo"]), (&json!(1), &json!(80)));
    }
}
