//! `entries` of an event: its parts, the most telling first.

use pages::help::UploadHelp;
use pages::source::{Contexts, FrameKey, TraceId};
use protocol::event::{Breadcrumb, Event, Request};
use protocol::exception::{Exception, Thread};
use protocol::level::Level;
use protocol::stacktrace::Stacktrace;
use serde_json::{Value, json};

use super::frame_json::{has_system_frames, or_null, stacktrace_json};

/// Returns the entries of an event in Sentry's order.
pub(super) fn entries(event: &Event, contexts: &Contexts, help: &UploadHelp) -> Vec<Value> {
    let around = Around { contexts, help };
    let mut entries = Vec::new();
    let mut add = |kind: &str, data: Value| entries.push(json!({"type": kind, "data": data}));
    if let Some(entry) = &event.logentry {
        add(
            "message",
            json!({
                "message": entry.message,
                "params": entry.params,
                "formatted": entry.text(),
            }),
        );
    }
    if !event.exception.is_empty() {
        add("exception", exceptions(&event.exception.values, &around));
    }
    if let Some(trace) = &event.stacktrace {
        add("stacktrace", read(trace, TraceId::Event, &around));
    }
    if !event.threads.is_empty() {
        add("threads", threads(&event.threads.values, &around));
    }
    if !event.breadcrumbs.is_empty() {
        let values: Vec<Value> = event.breadcrumbs.values.iter().map(breadcrumb).collect();
        add("breadcrumbs", json!({"values": values}));
    }
    if let Some(request) = &event.request {
        add("request", request_json(request));
    }
    if let Some(meta) = &event.debug_meta {
        add("debugmeta", json!({"images": meta.images, "sdk_info": or_null(&meta.sdk_info)}));
    }
    entries
}

/// What traces are shown with.
struct Around<'a> {
    contexts: &'a Contexts,
    help: &'a UploadHelp,
}

/// A symbolicated trace with the source lines that were read for it.
fn read(trace: &Stacktrace, id: TraceId, around: &Around<'_>) -> Value {
    let context = |frame| around.contexts.get(&FrameKey { trace: id, frame });
    stacktrace_json(trace, around.help, context)
}

/// A trace as the SDK sent it.
fn raw(trace: Option<&Stacktrace>, around: &Around<'_>) -> Option<Value> {
    trace.map(|trace| stacktrace_json(trace, around.help, |_| None))
}

fn exceptions(exceptions: &[Exception], around: &Around<'_>) -> Value {
    let one = |(index, exception): (usize, &Exception)| {
        let trace = exception.stacktrace.as_ref();
        json!({
            "type": exception.kind,
            "value": exception.value,
            "module": exception.module,
            "mechanism": exception.mechanism,
            "threadId": exception.thread_id,
            "stacktrace": trace.map(|trace| read(trace, TraceId::Exception(index), around)),
            "rawStacktrace": raw(exception.raw_stacktrace.as_ref(), around),
        })
    };
    let traces = exceptions.iter().filter_map(|exception| exception.stacktrace.as_ref());
    json!({
        "values": exceptions.iter().enumerate().map(one).collect::<Vec<_>>(),
        "hasSystemFrames": traces.into_iter().any(has_system_frames),
        "excOmitted": null,
    })
}

fn threads(threads: &[Thread], around: &Around<'_>) -> Value {
    let one = |(index, thread): (usize, &Thread)| {
        let trace = thread.stacktrace.as_ref();
        json!({
            "id": thread.id,
            "name": thread.name,
            "crashed": thread.crashed.unwrap_or(false),
            "current": thread.current.unwrap_or(false),
            "state": thread.state,
            "heldLocks": null,
            "stacktrace": trace.map(|trace| read(trace, TraceId::Thread(index), around)),
            "rawStacktrace": raw(thread.raw_stacktrace.as_ref(), around),
        })
    };
    json!({"values": threads.iter().enumerate().map(one).collect::<Vec<_>>()})
}

fn breadcrumb(crumb: &Breadcrumb) -> Value {
    json!({
        "type": crumb.kind.as_deref().unwrap_or("default"),
        "timestamp": crumb.timestamp,
        "level": crumb.level.unwrap_or(Level::Info),
        "message": crumb.message,
        "category": crumb.category,
        "data": or_null(&crumb.data),
        "event_id": null,
    })
}

fn request_json(request: &Request) -> Value {
    let content_type =
        request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    let media_type = content_type.map(|(_, value)| value.split(';').next().unwrap_or(value).trim());
    json!({
        "method": request.method,
        "url": request.url,
        "query": request.query_string,
        "fragment": request.fragment,
        "data": request.data,
        "headers": request.headers,
        "cookies": request.cookies,
        "env": or_null(&request.env),
        "inferredContentType": media_type,
        "apiTarget": null,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pages::source::FrameContext;
    use std::collections::HashMap;

    fn event(value: Value) -> Event {
        Event::from_json(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn entries_come_in_sentrys_order() {
        let event = event(json!({
            "debug_meta": {"images": [{"type": "elf", "code_id": "ab"}]},
            "request": {"url": "http://h/p?a=1", "headers": {"Content-Type": "text/plain; x"}},
            "breadcrumbs": [{"message": "m"}],
            "threads": [{"id": 7, "crashed": true}],
            "stacktrace": {"frames": [{"function": "f"}]},
            "exception": [{"type": "A", "value": "b"}],
            "logentry": {"message": "%s", "params": [1], "formatted": "1"},
        }));
        let entries = entries(&event, &HashMap::new(), &UploadHelp::default());
        let kinds: Vec<&str> = entries.iter().filter_map(|entry| entry["type"].as_str()).collect();
        assert_eq!(
            kinds,
            [
                "message",
                "exception",
                "stacktrace",
                "threads",
                "breadcrumbs",
                "request",
                "debugmeta"
            ]
        );
        assert_eq!(entries[3]["data"]["values"][0]["id"], "7");
        assert_eq!(entries[5]["data"]["query"], json!([["a", "1"]]));
        assert_eq!(entries[5]["data"]["inferredContentType"], "text/plain");
        assert_eq!(entries[6]["data"]["images"][0]["code_id"], "ab");
    }

    #[test]
    fn source_lines_find_their_frame() {
        let event = event(json!({"exception": [
            {"type": "A", "stacktrace": {"frames": [{"function": "f"}, {"function": "g"}]}},
        ]}));
        let key = FrameKey { trace: TraceId::Exception(0), frame: 1 };
        let context = FrameContext { first_line: 3, lines: vec!["x".to_owned()], hit: 3 };
        let entries = entries(&event, &HashMap::from([(key, context)]), &UploadHelp::default());
        let frames = &entries[0]["data"]["values"][0]["stacktrace"]["frames"];
        assert_eq!(
            (&frames[0]["context"], &frames[1]["context"]),
            (&json!([]), &json!([[3, "x"]]))
        );
    }
}
