//! Every metric of the server, with its labels as types.
//!
//! Label values are `&'static str`, so that they come from closed sets: nothing that a client sends
//! becomes a time series.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::error::{Error, Result};

/// What every name begins with.
const PREFIX: &str = "symbolist";
/// Buckets of durations, in seconds: from a page out of memory to a slow upload.
const DURATION_BUCKETS_S: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

/// A counter per set of labels.
type Counters<L> = Family<L, Counter>;

/// Of a symbolicated frame.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct FrameLabels {
    /// Platform of the event.
    pub(crate) platform: &'static str,
    /// What became of the frame.
    pub(crate) status: &'static str,
}

/// Of an envelope item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct ItemLabels {
    /// Type of the item; `unknown` for what we do not know.
    pub(crate) r#type: &'static str,
    /// What became of it.
    pub(crate) outcome: &'static str,
}

/// Of an envelope item that was dropped.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct DropLabels {
    /// Type of the item; `unknown` for what we do not know.
    pub(crate) r#type: &'static str,
    /// Why.
    pub(crate) reason: &'static str,
}

/// Of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    /// The route's pattern, which is in our own table.
    route: String,
    method: &'static str,
    status: u16,
}

/// Of the time until an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

/// One label.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct KindLabels {
    /// What kind of thing.
    pub(crate) kind: &'static str,
    /// What became of it.
    pub(crate) outcome: &'static str,
}

/// What is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Events made durable.
    pub(crate) events_accepted: Counter,
    /// Events digested, each once.
    pub(crate) events_digested: Counter,
    /// Events parked after repeated failures.
    pub(crate) events_parked: Counter,
    /// Frames by what symbolication made of them.
    pub(crate) frames: Counters<FrameLabels>,
    /// Accepted events that wait for the digest.
    pub(crate) queue_depth: Gauge,
    /// Accepted events that were given up and are kept aside.
    pub(crate) queue_parked: Gauge,
    /// Events deleted because they were too old or too many.
    pub(crate) retention_events: Counter,
    /// Jobs that wait.
    pub(crate) jobs_waiting: Gauge,
    /// Envelope items by what became of them.
    pub(crate) items: Counters<ItemLabels>,
    /// Envelope items that were not kept.
    pub(crate) items_dropped: Counters<DropLabels>,
    /// Requests refused because a key sent too much.
    pub(crate) rate_limited: Counter,
    /// Files parsed in worker processes.
    pub(crate) workers: Counters<KindLabels>,
    /// Uploaded files by kind.
    pub(crate) uploads: Counters<KindLabels>,
    /// Jobs run.
    pub(crate) jobs: Counters<KindLabels>,
    /// Time until a write was durable, as the caller saw it.
    pub(crate) write_duration: Histogram,
    /// Time to digest a batch.
    pub(crate) digest_duration: Histogram,
    requests: Counters<RequestLabels>,
    request_duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Requests being answered.
    pub(crate) requests_active: Gauge,
    /// Connections open.
    pub(crate) connections: Gauge<u64, AtomicU64>,
}

/// Returns an empty histogram of durations in seconds.
pub(crate) fn durations() -> Histogram {
    Histogram::new(DURATION_BUCKETS_S)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            events_accepted: Counter::default(),
            events_digested: Counter::default(),
            events_parked: Counter::default(),
            frames: Counters::default(),
            queue_depth: Gauge::default(),
            queue_parked: Gauge::default(),
            retention_events: Counter::default(),
            jobs_waiting: Gauge::default(),
            items: Counters::default(),
            items_dropped: Counters::default(),
            rate_limited: Counter::default(),
            workers: Counters::default(),
            uploads: Counters::default(),
            jobs: Counters::default(),
            write_duration: durations(),
            digest_duration: durations(),
            requests: Counters::default(),
            request_duration: Family::new_with_constructor(durations),
            requests_active: Gauge::default(),
            connections: Gauge::default(),
        };
        metrics.register_events();
        metrics.register_work();
        metrics.register_requests();
        metrics
    }
}

impl Metrics {
    fn register_events(&mut self) {
        let registry = &mut self.registry;
        registry.register("events_accepted", "Events made durable", self.events_accepted.clone());
        registry.register(
            "events_digested",
            "Events digested, each once",
            self.events_digested.clone(),
        );
        registry.register(
            "events_parked",
            "Events set aside after repeated failures",
            self.events_parked.clone(),
        );
        registry.register(
            "frames",
            "Frames by what symbolication made of them",
            self.frames.clone(),
        );
        registry.register(
            "queue_depth",
            "Accepted events that wait for the digest",
            self.queue_depth.clone(),
        );
        registry.register(
            "queue_parked",
            "Accepted events kept aside after repeated failures",
            self.queue_parked.clone(),
        );
        registry.register("items", "Envelope items by what became of them", self.items.clone());
        registry.register(
            "items_dropped",
            "Envelope items that were not kept",
            self.items_dropped.clone(),
        );
        registry.register(
            "rate_limited",
            "Requests refused because a key sent too much",
            self.rate_limited.clone(),
        );
    }

    fn register_work(&mut self) {
        let registry = &mut self.registry;
        registry.register("jobs_waiting", "Jobs that wait", self.jobs_waiting.clone());
        registry.register(
            "retention_events",
            "Events deleted because they were too old or too many",
            self.retention_events.clone(),
        );
        registry.register("jobs", "Jobs run", self.jobs.clone());
        registry.register("workers", "Files parsed in worker processes", self.workers.clone());
        registry.register("uploads", "Uploaded files", self.uploads.clone());
        let (write, digest) = (self.write_duration.clone(), self.digest_duration.clone());
        registry.register_with_unit(
            "db_commit_duration",
            "Time until a write was durable",
            Unit::Seconds,
            write,
        );
        registry.register_with_unit(
            "digest_duration",
            "Time to digest a batch",
            Unit::Seconds,
            digest,
        );
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", build);
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        let duration = self.request_duration.clone();
        registry.register("http_requests", "Answers by route and status", self.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time until the answer",
            Unit::Seconds,
            duration,
        );
        registry.register(
            "http_requests_active",
            "Requests being answered",
            self.requests_active.clone(),
        );
        registry.register("http_connections", "Connections open", self.connections.clone());
    }

    /// Counts an answer. `route` is the pattern in our table, not what the client asked for.
    pub(crate) fn count_request(
        &self,
        route: &str,
        method: &'static str,
        status: u16,
        took: Duration,
    ) {
        let route = route.to_owned();
        self.requests.get_or_create(&RequestLabels { route: route.clone(), method, status }).inc();
        self.request_duration.get_or_create(&RouteLabels { route }).observe(took.as_secs_f64());
    }

    /// Returns everything in the text format of OpenMetrics.
    ///
    /// # Errors
    /// When it cannot be written, which does not happen to a string.
    pub(crate) fn text(&self) -> Result<String> {
        let mut text = String::new();
        let written: fmt::Result =
            prometheus_client::encoding::text::encode(&mut text, &self.registry);
        written.map_err(Error::caused_by)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_documented_ones() {
        let metrics = Metrics::default();
        metrics.events_accepted.inc();
        metrics
            .frames
            .get_or_create(&FrameLabels { platform: "native", status: "symbolicated" })
            .inc_by(3);
        metrics
            .items_dropped
            .get_or_create(&DropLabels { r#type: "session", reason: "counted" })
            .inc();
        metrics.count_request("/healthz", "GET", 200, Duration::from_millis(3));
        let text = metrics.text().unwrap();
        for line in [
            "symbolist_events_accepted_total 1",
            "symbolist_events_digested_total 0",
            "symbolist_frames_total{platform=\"native\",status=\"symbolicated\"} 3",
            "symbolist_queue_depth 0",
            "symbolist_items_dropped_total{type=\"session\",reason=\"counted\"} 1",
            "symbolist_http_requests_total{route=\"/healthz\",method=\"GET\",status=\"200\"} 1",
            "symbolist_http_request_duration_seconds_bucket{le=\"0.005\",route=\"/healthz\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn manual_knows_every_metric() {
        let manual = include_str!("../docs/metrics.md");
        let text = Metrics::default().text().unwrap();
        let families =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        for (name, kind) in families {
            let suffix = match kind {
                "counter" => "_total",
                "info" => "_info",
                _ => "",
            };
            assert!(
                manual.contains(&format!("| `{name}{suffix}` |")),
                "{name}{suffix} is not in docs/metrics.md"
            );
        }
    }
}
