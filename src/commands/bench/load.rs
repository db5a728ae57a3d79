//! The load: recorded envelopes over keep-alive connections, each waiting for its answer before the next.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future;
use protocol::envelope::{Envelope, ItemType};
use protocol::id::EventId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::child::{Server, Target};
use crate::error::{Context as _, Error, Result};

/// Envelopes larger than this are left out, in bytes: one of 287 KB would be half of the traffic.
const ENVELOPE_BYTES_MAX: u64 = 200_000;
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// How often memory is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The recorded envelopes of the SDKs, from this repository's fixtures.
const BUILT_IN: &[&[u8]] = &[
    include_bytes!("../../../fixtures/envelopes/node/exception.envelope"),
    include_bytes!("../../../fixtures/envelopes/python/exception.envelope"),
    include_bytes!("../../../fixtures/envelopes/rust/panic.envelope"),
];

/// What is sent, without the first line, which gets a new event id each time.
pub(super) struct Envelopes(Vec<Recorded>);

struct Recorded {
    /// The whole envelope, as it was recorded.
    body: Vec<u8>,
    rest: Vec<u8>,
    events: u64,
}

impl Envelopes {
    /// Reads `*.envelope` below a folder, or takes the built-in ones.
    pub(super) fn load(folder: Option<&Path>) -> Result<Self> {
        let mut bodies: Vec<Vec<u8>> = Vec::new();
        match folder {
            None => bodies.extend(BUILT_IN.iter().map(|body| body.to_vec())),
            Some(folder) => read_folder(folder, &mut bodies)?,
        }
        let recorded: Vec<Recorded> = bodies.iter().filter_map(|body| Recorded::of(body)).collect();
        if recorded.is_empty() {
            let folder = folder.map(|folder| folder.display().to_string()).unwrap_or_default();
            return Err(Error::Invalid(format!(
                "{folder} holds no *.envelope file that can be read"
            )));
        }
        Ok(Self(recorded))
    }

    /// Takes envelopes that were made here.
    pub(super) fn of(bodies: &[Vec<u8>]) -> Self {
        Self(bodies.iter().filter_map(|body| Recorded::of(body)).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns the envelopes as they were recorded.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|recorded| recorded.body.as_slice())
    }

    pub(super) fn mean_bytes(&self) -> usize {
        self.0.iter().map(|recorded| recorded.rest.len()).sum::<usize>() / self.0.len()
    }
}

impl Recorded {
    fn of(body: &[u8]) -> Option<Self> {
        let envelope = Envelope::parse(body).ok()?;
        let events =
            envelope.items.iter().filter(|item| item.item_type() == ItemType::Event).count();
        let end = body.iter().position(|byte| *byte == b'\n')?;
        Some(Self { body: body.to_vec(), rest: body[end..].to_vec(), events: events.min(1) as u64 })
    }
}

fn read_folder(folder: &Path, bodies: &mut Vec<Vec<u8>>) -> Result<()> {
    let context = || format!("reading {}", folder.display());
    for entry in std::fs::read_dir(folder).context(context())? {
        let path = entry.context(context())?.path();
        if path.is_dir() {
            read_folder(&path, bodies)?;
        } else if path.extension().is_some_and(|extension| extension == "envelope")
            && path.metadata().is_ok_and(|file| file.len() <= ENVELOPE_BYTES_MAX)
        {
            bodies.push(std::fs::read(&path).context(context())?);
        }
    }
    Ok(())
}

/// What a run did.
#[derive(Default)]
pub(super) struct Run {
    pub(super) requests: u64,
    pub(super) events: u64,
    /// Each with when it was answered, shortest first.
    latencies: Vec<(Duration, Duration)>,
}

impl Run {
    /// Returns the latency below which `part` of the requests were answered.
    pub(super) fn percentile(&self, part: f64) -> Duration {
        self.percentile_between(part, Duration::ZERO, Duration::MAX)
    }

    /// The same for those that were answered between two times since the start.
    pub(super) fn percentile_between(&self, part: f64, from: Duration, to: Duration) -> Duration {
        let within = self.latencies.iter().filter(|(at, _)| (from..to).contains(at));
        let latencies: Vec<Duration> = within.map(|(_, latency)| *latency).collect();
        let place = (latencies.len() as f64 * part) as usize;
        latencies.get(place.min(latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Sends from `connections` connections until `duration` is over. The server is watched for as long as it is busy
/// with something else beside.
pub(super) async fn run(
    target: Result<Target>,
    envelopes: &Envelopes,
    connections: usize,
    duration: Duration,
    is_busy: &AtomicBool,
    server: &mut Server,
) -> Result<Run> {
    let target = target?;
    let begun = Instant::now();
    let until = begun + duration;
    let senders = (0..connections).map(|number| sender(&target, envelopes, number, begun, until));
    let watch = async {
        while Instant::now() < until || is_busy.load(Ordering::Relaxed) {
            server.memory()?;
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok::<(), Error>(())
    };
    let (runs, watched) = tokio::join!(future::try_join_all(senders), watch);
    watched?;
    let mut sum = Run::default();
    for run in runs? {
        sum.requests += run.requests;
        sum.events += run.events;
        sum.latencies.extend(run.latencies);
    }
    sum.latencies.sort_by_key(|(_, latency)| *latency);
    Ok(sum)
}

async fn sender(
    target: &Target,
    envelopes: &Envelopes,
    number: usize,
    begun: Instant,
    until: Instant,
) -> Result<Run> {
    let mut stream =
        TcpStream::connect(target.address).await.context("connecting to the server")?;
    stream.set_nodelay(true).context("connecting to the server")?;
    let mut run = Run::default();
    let mut next = number;
    while Instant::now() < until {
        let recorded = &envelopes.0[next % envelopes.0.len()];
        next += 1;
        let request = request(target, recorded);
        let started = Instant::now();
        stream.write_all(&request).await.context("sending an envelope")?;
        answer(&mut stream).await?;
        run.latencies.push((begun.elapsed(), started.elapsed()));
        run.requests += 1;
        run.events += recorded.events;
    }
    Ok(run)
}

fn request(target: &Target, recorded: &Recorded) -> Vec<u8> {
    let header = format!("{{\"event_id\":\"{}\"}}", EventId::random());
    let Target { address, project_id, public_key } = target;
    let mut request = format!(
        "POST /api/{project_id}/envelope/ HTTP/1.1\r\nhost: {address}\r\nx-sentry-auth: Sentry \
         sentry_key={public_key}, sentry_version=7\r\ncontent-length: {}\r\n\r\n{header}",
        header.len() + recorded.rest.len()
    )
    .into_bytes();
    request.extend_from_slice(&recorded.rest);
    request
}

/// Reads one answer, which must be a 200.
async fn answer(stream: &mut TcpStream) -> Result<()> {
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await.context("reading an answer")?;
        if read == 0 {
            return Err(Error::internal(
                "the server closed a connection or sent a very long answer",
            ));
        }
        filled += read;
        let text = String::from_utf8_lossy(&buffer[..filled]);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        if body.len() >= length {
            let status = head.lines().next().unwrap_or_default();
            let is_ok = status.contains(" 200 ");
            return if is_ok {
                Ok(())
            } else {
                Err(Error::internal(format!("the server answers {status}: {body}")))
            };
        }
    }
}
