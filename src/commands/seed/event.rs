//! One event as its SDK would send it, with an attachment now and then.

use protocol::id::EventId;
use protocol::time::Timestamp;
use serde_json::{Map, Value, json};

use super::catalogue::{ErrorKind, Program};
use super::fault::{Fault, Subject, What};
use super::plan::{DAYS, Moment};
use super::random::Random;
use super::stack::Stack;

/// People who use the programs.
const USERS: f64 = 6_000.0;
/// How unequal they are: the larger, the fewer cause most events.
const USER_SKEW: f64 = 2.4;
/// Most breadcrumbs.
const CRUMBS_MAX: usize = 12;
/// One event in this many has an attachment.
const ATTACHMENT_ONE_IN: usize = 60;
/// One page in this many runs a build whose source map nobody uploaded.
const UNKNOWN_BUILD_ONE_IN: usize = 25;
/// A build that nobody uploaded.
const UNKNOWN_BUILD: &str = "5f0c7e1a-9d42-4b8e-8a6b-6f1f3c2d9e70";
const DAY_MS: i64 = 86_400_000;

/// Systems of servers, as context `os`.
const SERVER_SYSTEMS: [(&str, &str); 2] = [("Linux", "6.1.0-31-amd64"), ("Linux", "6.12.9")];
/// Browsers: name, version, system, user agent.
const BROWSERS: [(&str, &str, &str, &str); 5] = [
    (
        "Chrome",
        "142.0.0",
        "Windows",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    ),
    (
        "Safari",
        "26.1",
        "iOS",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 26_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Mobile/15E148 Safari/604.1",
    ),
    (
        "Firefox",
        "145.0",
        "Linux",
        "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    ),
    (
        "Chrome Mobile",
        "142.0.0",
        "Android",
        "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    ),
    (
        "Edge",
        "142.0.0",
        "Windows",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
    ),
];

/// Returns the envelope of one moment.
pub(super) fn envelope(
    subject: &Subject,
    fault: &Fault,
    moment: Moment,
    now_ms: i64,
    seed: u64,
) -> Vec<u8> {
    let mut random = Random::new(seed, moment.number.wrapping_add(1_000));
    let id = (u128::from(random.next()) << 64) | u128::from(random.next());
    let event_id = EventId::from_slice(&id.to_be_bytes()).unwrap_or_else(EventId::random);
    let event = event(subject, fault, moment, now_ms, event_id, &mut random);
    let body = event.to_string();
    let mut envelope = format!(
        "{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\",\"length\":{}}}\n{body}\n",
        body.len()
    );
    if random.one_in(ATTACHMENT_ONE_IN) {
        let log = log(&subject.program, moment, &mut random);
        let item = json!({"type": "attachment", "length": log.len(), "filename": "application.log", "content_type": "text/plain"});
        envelope.push_str(&format!("{item}\n{log}\n"));
    }
    envelope.into_bytes()
}

fn event(
    subject: &Subject,
    fault: &Fault,
    moment: Moment,
    now_ms: i64,
    event_id: EventId,
    random: &mut Random,
) -> Value {
    let program = &subject.program;
    let environment = random.weighted(&program.environments).cloned().unwrap_or_default();
    let release = program.release_of(version(program, &environment, moment.at_ms, now_ms, random));
    let sdk = json!({"name": program.sdk.name, "version": program.sdk.version});
    let mut event = json!({
        "event_id": event_id.to_string(),
        "timestamp": Timestamp(moment.at_ms).to_string(),
        "platform": program.platform,
        "release": release,
        "environment": environment,
        "sdk": sdk,
        "user": user(random),
        "tags": tags(program, random),
        "breadcrumbs": {"values": crumbs(program, moment.at_ms, random)},
    });
    if let Some(server) = random.pick(&program.servers) {
        event["server_name"] = json!(server);
    }
    surroundings(program, &mut event, random);
    match &fault.what {
        What::Message(place) => {
            let message = &program.message[*place];
            event["level"] = json!(message.level);
            event["logger"] = json!(message.logger);
            let formatted = filled(&message.value, program, random);
            event["logentry"] = json!({"message": message.template, "formatted": formatted});
        }
        What::Exception(place, stack) => {
            exception(program, &program.error[*place], stack, &mut event, random);
            event["debug_meta"] = debug_meta(subject, random);
        }
    }
    event
}

/// The newest version of the time, now and then an older one; staging is a day ahead.
fn version<'a>(
    program: &'a Program,
    environment: &str,
    at_ms: i64,
    now_ms: i64,
    random: &mut Random,
) -> &'a str {
    let ahead_ms = if environment == "production" { 0 } else { DAY_MS };
    let begin_ms = now_ms - (DAYS + 12) * DAY_MS;
    let step_ms = (DAYS + 12) * DAY_MS / program.versions.len() as i64;
    let newest = usize::try_from((at_ms + ahead_ms - begin_ms) / step_ms).unwrap_or(0);
    let behind = random.weighted(&[(0, 80), (1, 16), (2, 4)]).copied().unwrap_or(0);
    let place = newest.min(program.versions.len() - 1).saturating_sub(behind);
    &program.versions[place]
}

fn exception(
    program: &Program,
    error: &ErrorKind,
    stack: &Stack,
    event: &mut Value,
    random: &mut Random,
) {
    let mechanism = if error.handled { "generic" } else { program.mechanism.as_str() };
    let mut values = Vec::new();
    if let Some((kind, value)) = &error.cause {
        // The cause was thrown further up in the stack.
        let top = stack.frames.len().saturating_sub(2);
        values.push(json!({"type": kind, "value": filled(value, program, random), "stacktrace": {"frames": stack.frames[top..]}}));
    }
    values.push(json!({
        "type": error.kind,
        "value": filled(&error.value, program, random),
        "module": error.module,
        "stacktrace": {"frames": stack.frames},
        "mechanism": {"type": mechanism, "handled": error.handled},
    }));
    event["exception"] = json!({"values": values});
    event["level"] = json!(error.level.as_deref().unwrap_or("error"));
}

fn debug_meta(subject: &Subject, random: &mut Random) -> Value {
    let mut debug_meta = subject.debug_meta.clone().unwrap_or(Value::Null);
    if subject.program.script.is_some() && random.one_in(UNKNOWN_BUILD_ONE_IN) {
        debug_meta["images"][0]["debug_id"] = json!(UNKNOWN_BUILD);
    }
    debug_meta
}

/// Request and contexts: what the program ran in.
fn surroundings(program: &Program, event: &mut Value, random: &mut Random) {
    let mut contexts = Map::new();
    let trace = json!({"type": "trace", "trace_id": format!("{:016x}{:016x}", random.next(), random.next()), "span_id": format!("{:016x}", random.next())});
    contexts.insert("trace".to_owned(), trace);
    let mut headers = json!({"Accept": "application/json"});
    if program.script.is_some() {
        if let Some((name, version, system, agent)) = random.pick(&BROWSERS) {
            contexts.insert("browser".to_owned(), json!({"name": name, "version": version}));
            contexts.insert("os".to_owned(), json!({"name": system}));
            headers["User-Agent"] = json!(agent);
        }
    } else if let Some((name, version)) = random.pick(&SERVER_SYSTEMS) {
        contexts.insert("os".to_owned(), json!({"name": name, "version": version}));
    }
    if let Some((name, version)) = &program.runtime {
        contexts.insert("runtime".to_owned(), json!({"name": name, "version": version}));
    }
    event["contexts"] = Value::Object(contexts);
    if let (Some((method, path)), Some(host)) = (random.pick(&program.requests), &program.host) {
        if program.script.is_none() {
            event["transaction"] = json!(path.replace("{n}", "<id>").replace("{word}", "<name>"));
        }
        let url = format!("https://{host}{}", filled(path, program, random));
        event["request"] = json!({"method": method, "url": url, "headers": headers});
    }
}

fn user(random: &mut Random) -> Value {
    let number = (random.unit().powf(USER_SKEW) * USERS) as u64 + 1_000;
    let mut user =
        json!({"id": number.to_string(), "ip_address": format!("203.0.113.{}", number % 254 + 1)});
    if number.is_multiple_of(3) {
        user["username"] = json!(format!("customer-{number}"));
    }
    user
}

fn tags(program: &Program, random: &mut Random) -> Value {
    let tag = |(key, values): (&String, &Vec<String>)| {
        let value = random.pick(values)?;
        Some((key.clone(), json!(value)))
    };
    Value::Object(program.tags.iter().filter_map(tag).collect())
}

fn crumbs(program: &Program, at_ms: i64, random: &mut Random) -> Vec<Value> {
    let count = 2 + random.below(CRUMBS_MAX - 1);
    let mut time_ms = at_ms - 400 * count as i64 - random.below(9_000) as i64;
    let mut crumbs = Vec::with_capacity(count);
    for _ in 0..count {
        time_ms = (time_ms + random.below(900) as i64).min(at_ms);
        let Some((category, message)) = random.pick(&program.crumbs) else { break };
        crumbs.push(json!({
            "timestamp": Timestamp(time_ms).to_string(),
            "category": category,
            "level": "info",
            "message": filled(message, program, random),
        }));
    }
    crumbs
}

/// The last lines of a program's log.
fn log(program: &Program, moment: Moment, random: &mut Random) -> String {
    let count = 20 + random.below(40) as i64;
    let line = |number: i64| {
        let at = Timestamp(moment.at_ms - (count - number) * 350);
        let (category, message) = random.pick(&program.crumbs).cloned().unwrap_or_default();
        format!("{at} INFO {category}: {}\n", filled(&message, program, random))
    };
    (0..count).map(line).collect()
}

/// Fills `{n}`, `{d}`, `{id}` and `{word}`.
fn filled(text: &str, program: &Program, random: &mut Random) -> String {
    let mut filled = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        let (value, length) = match rest {
            rest if rest.starts_with("{word}") => {
                (random.pick(&program.words).cloned().unwrap_or_default(), 6)
            }
            rest if rest.starts_with("{n}") => ((1_000 + random.below(90_000)).to_string(), 3),
            rest if rest.starts_with("{d}") => ((2 + random.below(90)).to_string(), 3),
            rest if rest.starts_with("{id}") => (format!("{:012x}", random.next() >> 16), 4),
            _ => ("{".to_owned(), 1),
        };
        filled.push_str(&value);
        rest = &rest[length..];
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::seed::{catalogue, fault};
    use protocol::envelope::Envelope;
    use protocol::event::Event;

    #[test]
    fn every_fault_makes_an_event_that_sdks_could_have_sent() {
        let (subjects, faults) = fault::faults(catalogue::programs().unwrap(), 1).unwrap();
        let now_ms = 1_795_247_062_000;
        for (number, fault) in faults.iter().enumerate() {
            let moment = Moment { at_ms: now_ms - 5_000, fault: number, number: number as u64 };
            let made = || envelope(&subjects[fault.program], fault, moment, now_ms, 1);
            let bytes = made();
            assert_eq!(bytes, made());
            let read = Envelope::parse(&bytes).unwrap();
            let event = Event::from_json(read.items[0].payload).unwrap();
            assert!(event.errors.is_empty(), "{:?}", event.errors);
            assert_eq!(event.timestamp, Some(Timestamp(moment.at_ms)));
            assert!(event.release.is_some() && event.environment.is_some());
            let text = String::from_utf8_lossy(&bytes);
            for placeholder in ["{n}", "{d}", "{id}", "{word}"] {
                assert!(!text.contains(placeholder), "{text}");
            }
        }
    }
}
