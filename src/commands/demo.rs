//! `symbolist demo`: a server with one native crash and one page error in it, sent and symbolicated before
//! the user's eyes. Everything goes through the public HTTP API; nothing is compiled or installed.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use cli::client::Client;
use cli::upload::{File, Target, upload};
use protocol::event::Event;
use protocol::id::EventId;
use protocol::time::Timestamp;
use serde_json::Value;

use super::credentials::Credentials;
use super::demo_files::{ARTIFACT_BUNDLE, CRASH, DEBUG_FILE, PAGE_ERROR, SOURCE_BUNDLE};
use super::serve::{self, Running};
use super::{logging, opened, output};
use crate::clock::Clock;
use crate::config::{Config, Sources};
use crate::error::{Context as _, Error, Result};

/// Where the demo listens if nobody says otherwise and the port is free.
const LISTEN: &str = "127.0.0.1:8000";
/// Any free port.
const LISTEN_ANYWHERE: &str = "127.0.0.1:0";
/// How long the digest of two events may take.
const DIGEST_MAX: Duration = Duration::from_secs(60);
/// Time between two looks at an event.
const LOOK_EVERY: Duration = Duration::from_millis(100);

static FILES: &[(&str, &[u8])] = &[
    ("contact-sheet.debug", DEBUG_FILE),
    ("contact-sheet.src.zip", SOURCE_BUNDLE),
    ("gallery.artifactbundle.zip", ARTIFACT_BUNDLE),
];

static EVENTS: &[(&str, &[u8])] = &[
    ("A native crash: a stripped Rust program panics", CRASH),
    ("A page error: minified JavaScript throws", PAGE_ERROR),
];

/// Flags of the demo.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where to listen [default: 127.0.0.1:8000, or any free port]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<String>,
}

impl Demo {
    pub(super) fn run(self) -> Result<()> {
        let folder = tempfile::Builder::new().prefix("symbolist-demo-").tempdir();
        let folder = folder.context("making a temporary folder")?;
        let data = folder.path().to_string_lossy().into_owned();
        let configured = |listen: &str| {
            // No environment and no file: the demo is the same everywhere.
            let sources = Sources { file: None, environment: Vec::new(), flags: Vec::new() };
            let sources = sources
                .flag("--data", "data", Some(data.clone()))
                .flag("--listen", "listen", Some(listen.to_owned()))
                .flag("--log", "log.filter", Some("warn".to_owned()));
            Config::load(&sources)
        };
        let config = configured(self.listen.as_deref().unwrap_or(LISTEN))?;
        logging::start(&config.log);
        serve::make_data_folder(&config.data)?;
        opened::runtime()?.block_on(async {
            let running = match Running::start(config).await {
                Err(Error::Invalid(_)) if self.listen.is_none() => {
                    Running::start(configured(LISTEN_ANYWHERE)?).await?
                }
                started => started?,
            };
            show_beside(running).await
        })
    }
}

/// Serves, and shows meanwhile; the server ends when the showing fails.
async fn show_beside(running: Running) -> Result<()> {
    let app = running.app.clone();
    let credentials = running.first.clone();
    let show = async {
        let credentials =
            credentials.ok_or_else(|| Error::internal("the demo's folder was not empty"))?;
        show(&credentials).await
    };
    let shown = async {
        let shown = show.await;
        if shown.is_err() {
            app.shutdown.cancel();
        }
        shown
    };
    let (served, shown) = tokio::join!(running.run(), shown);
    shown.and(served)
}

async fn show(credentials: &Credentials) -> Result<()> {
    output::print(&format!(
        "\nSymbolist demo\n\n  server    {} (its data is in a temporary folder that goes at the end)\n",
        credentials.url
    ))?;
    let client = Client::new(&credentials.url, &credentials.token).map_err(failed)?;
    send_files(&client, credentials).await?;
    let mut links = String::new();
    for (title, envelope) in EVENTS {
        let event_id = send_event(&client, credentials, envelope).await?;
        let event = digested(&client, credentials, event_id).await?;
        output::print(&format!(
            "\n{title}\n\n  as the SDK sent it\n\n{}\n  as Symbolist shows it\n\n{}",
            indented(&pages::text::trace_as_sent(&event)),
            indented(&pages::text::trace(&event)),
        ))?;
        let Credentials { url, organization, project, .. } = credentials;
        let _ = writeln!(links, "  issue     {url}/{organization}/{project}/events/{event_id}/");
    }
    output::print(&format!(
        "\nLook at them\n\n{links}  login     {}\n  password  {}\n\nCtrl-C ends the demo.\n",
        credentials.email, credentials.password
    ))
}

async fn send_files(client: &Client, credentials: &Credentials) -> Result<()> {
    let target = Target {
        organization: credentials.organization.clone(),
        project: credentials.project.clone(),
        release: None,
        dist: None,
    };
    let file = |(name, bytes): &(&str, &'static [u8])| File {
        name: (*name).to_owned(),
        bytes: Bytes::from_static(bytes),
    };
    let files: Vec<File> = FILES.iter().map(file).collect();
    for uploaded in upload(client, &target, &files).await.map_err(failed)? {
        let verdict = if uploaded.is_usable { "ok" } else { "not usable" };
        let detail = uploaded.detail.map(|detail| format!(" ({})", detail.replace('\n', ", ")));
        let name = &uploaded.name;
        output::print(&format!("  uploaded  {name}: {verdict}{}\n", detail.unwrap_or_default()))?;
    }
    Ok(())
}

/// Sends a recorded envelope as if it had happened now, under an id of its own.
async fn send_event(
    client: &Client,
    credentials: &Credentials,
    envelope: &[u8],
) -> Result<EventId> {
    let event_id = EventId::random();
    let body = renewed(envelope, event_id, Clock::system_with_random_process().now_ms())?;
    let key = credentials.dsn.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    let key = key.map(|(key, _)| key).unwrap_or_default();
    client.send_envelope(credentials.project_id, key, body).await.map_err(failed)?;
    Ok(event_id)
}

/// Moves the time of an event or breadcrumb.
fn shift(value: &mut Value, by_ms: i64) {
    if let Some(time) = value.get("timestamp").and_then(Timestamp::from_value) {
        value["timestamp"] = Value::String(Timestamp(time.ms() + by_ms).to_string());
    }
}

/// Gives the event of an envelope a new id, and lets it happen now.
fn renewed(envelope: &[u8], event_id: EventId, now_ms: i64) -> Result<Vec<u8>> {
    let mut lines = envelope.splitn(3, |byte| *byte == b'\n');
    let payload = lines.nth(2).unwrap_or_default();
    let payload = payload.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut event: Value = serde_json::from_slice(payload).context("reading the demo's event")?;
    event["event_id"] = Value::String(event_id.to_string());
    let recorded = event.get("timestamp").and_then(Timestamp::from_value).unwrap_or_default();
    let shift_ms = now_ms - recorded.ms();
    shift(&mut event, shift_ms);
    // Some SDKs wrap the list, some do not.
    let is_wrapped = event.pointer("/breadcrumbs/values").is_some();
    let place = if is_wrapped { "/breadcrumbs/values" } else { "/breadcrumbs" };
    let breadcrumbs = event.pointer_mut(place).and_then(Value::as_array_mut);
    breadcrumbs.into_iter().flatten().for_each(|breadcrumb| shift(breadcrumb, shift_ms));
    Ok(format!("{{\"event_id\":\"{event_id}\"}}\n{{\"type\":\"event\"}}\n{event}\n").into_bytes())
}

/// Waits for the digest and returns its result.
async fn digested(client: &Client, credentials: &Credentials, event_id: EventId) -> Result<Event> {
    let Credentials { organization, project, .. } = credentials;
    let path = format!("projects/{organization}/{project}/events/{event_id}/json/");
    let look = async {
        loop {
            match client.get::<Value>(&path).await {
                Ok(json) => return Ok(json),
                Err(cli::Error::Refused { status: 404, .. }) => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Err(error) => return Err(failed(error)),
            }
        }
    };
    let json = tokio::time::timeout(DIGEST_MAX, look).await.map_err(|_| {
        Error::internal(format!(
            "event {event_id} was not digested within {} s",
            DIGEST_MAX.as_secs()
        ))
    })??;
    Event::from_json(json.to_string().as_bytes()).context("reading the digested event")
}

fn failed(error: cli::Error) -> Error {
    Error::caused_by(error)
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_events_happen_now_under_a_new_id() {
        for (_, envelope) in EVENTS {
            let event_id = EventId::random();
            let body = renewed(envelope, event_id, 7_000_000_000_000).unwrap();
            let parsed = protocol::envelope::Envelope::parse(&body).unwrap();
            let event = Event::from_json(parsed.items[0].payload).unwrap();
            assert_eq!(event.event_id, Some(event_id));
            assert_eq!(event.timestamp, Some(Timestamp(7_000_000_000_000)));
            let newest =
                event.breadcrumbs.values.last().and_then(|breadcrumb| breadcrumb.timestamp);
            assert!(newest > Some(Timestamp(6_999_999_000_000)), "{newest:?}");
            assert!(!event.exception.is_empty());
        }
    }
}
