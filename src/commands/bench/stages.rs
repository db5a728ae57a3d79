//! What each stage of one event costs, on one thread, without HTTP and database.

use std::hint::black_box;
use std::time::Duration;

use protocol::envelope::{Envelope, ItemType};
use protocol::event::Event;
use protocol::id::EventId;
use protocol::time::Timestamp;
use symbolicate::symbolication::{Outcome, Step, Symbolication};
use symbolicate::wanted::Found;

use super::load::Envelopes;
use crate::error::{Error, Result};
use crate::grouping;
use crate::ingest::{normalize, scrub, stored, summary, tags, user_hash};

/// Rounds over all envelopes.
const ROUNDS: u32 = 300;
/// What users are hashed with here.
const SECRET: [u8; 32] = [7; 32];

/// Mean time of one stage.
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) mean: Duration,
}

/// Measures the stages over the events of the envelopes, in the order in which an event meets them.
///
/// # Errors
/// When an envelope holds no event that can be digested.
pub(super) fn measure(envelopes: &Envelopes) -> Result<Vec<Stage>> {
    let mut clock = Stopwatch::default();
    let mut events = 0;
    for round in 0..=ROUNDS {
        if round == 0 {
            // The first round warms up.
            one_round(envelopes, &mut Stopwatch::default())?;
            continue;
        }
        events += one_round(envelopes, &mut clock)?;
    }
    if events == 0 {
        return Err(Error::Invalid("the envelopes hold no event".to_owned()));
    }
    let mean = |(name, sum): (&'static str, Duration)| Stage { name, mean: sum / events };
    Ok(clock.sums.into_iter().map(mean).collect())
}

fn one_round(envelopes: &Envelopes, clock: &mut Stopwatch) -> Result<u32> {
    let mut events = 0;
    for body in envelopes.bodies() {
        let envelope = clock.time("accept: parse the envelope", || Envelope::parse(body));
        let envelope = envelope.map_err(|error| Error::Invalid(error.to_string()))?;
        for item in &envelope.items {
            if item.item_type() == ItemType::Event {
                one_event(item.payload, clock)?;
                events += 1;
            }
        }
    }
    Ok(events)
}

fn one_event(payload: &[u8], clock: &mut Stopwatch) -> Result<()> {
    let none = stored::Unpacker::default();
    let packed =
        clock.time("accept: compress the payload", || stored::pack_payload(payload, None))?;
    let payload = clock.time("digest: decompress it", || none.payload(packed))?;
    let event =
        clock.time("digest: parse", || Event::from_json(&protocol::surrogate::repair(&payload)))?;
    let arrival = normalize::Arrival {
        event_id: Some(EventId::random()),
        received: Timestamp(1_795_000_000_000),
        ..normalize::Arrival::default()
    };
    let mut event = clock.time("digest: normalize", || normalize::normalize(event, &arrival));
    clock.time("digest: scrub", || scrub::scrub(&mut event));
    let original =
        clock.time("digest: write the original", || stored::json(&event, payload.len()))?;
    let outcome = clock.time("digest: symbolicate (no file found)", || symbolicated(event));
    clock.time("digest: fingerprint, summary, tags", || {
        black_box(grouping::fingerprint(&outcome.event));
        black_box(summary::summarize(&outcome.event));
        black_box(tags::counted(&outcome.event));
        black_box(user_hash::user_hash(&outcome.event, &SECRET));
    });
    let result = clock.time("digest: write the result", || {
        stored::json(&outcome.event, original.len() * 3 / 2)
    })?;
    clock.time("digest: compress both", || stored::pack(&original, &result, None))?;
    clock.time("digest: free", || drop((original, result, outcome)));
    Ok(())
}

fn symbolicated(event: Event) -> Outcome {
    let mut symbolication = Symbolication::of_event(event);
    let mut found = Vec::new();
    loop {
        match symbolication.step(std::mem::take(&mut found)) {
            Step::Done(outcome) => return *outcome,
            Step::Need(wanted) => {
                found = wanted.into_iter().map(|wanted| (wanted, Found::Missing)).collect();
            }
        }
    }
}

/// Returns the processor time of this thread: what else the machine does must not show.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Sums of times by name, in the order of their first use.
#[derive(Default)]
struct Stopwatch {
    sums: Vec<(&'static str, Duration)>,
}

impl Stopwatch {
    fn time<T>(&mut self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let started = thread_time();
        let done = work();
        let elapsed = thread_time().saturating_sub(started);
        match self.sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += elapsed,
            None => self.sums.push((name, elapsed)),
        }
        done
    }
}
