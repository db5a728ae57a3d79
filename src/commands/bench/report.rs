//! What was measured, as Markdown.

use std::fmt::Write as _;
use std::time::Duration;

use super::child::Left;
use super::load::{Envelopes, Run};
use super::timeline::Timeline;
use super::upload::Uploaded;
use super::{disk, engine, lookup, stages};

/// Tables and indexes that are named; the rest is small.
const TABLES_NAMED: usize = 12;

/// One line of the table.
pub(super) struct Measured {
    pub(super) connections: usize,
    pub(super) run: Run,
    pub(super) accepted_s: f64,
    pub(super) digested_s: f64,
    pub(super) server_cpu: Duration,
    pub(super) own_cpu: Duration,
    /// The large file, and the most memory in bytes before and during its upload and derivation.
    pub(super) uploaded: Option<(Uploaded, u64, u64)>,
}

/// The Markdown that is printed.
#[derive(Default)]
pub(super) struct Report {
    pub(super) text: String,
    has_head: bool,
    uploads: Vec<String>,
}

impl Report {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    pub(super) fn machine(&mut self, fsync: Duration) {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        self.line(&format!("- processor: {} × {cores}", model.trim_matches([' ', '\t', ':'])));
        self.line(&format!("- fsync of 4 KB, median of {}: {:.2} ms", disk::SAMPLES, ms(fsync)));
    }

    pub(super) fn load(&mut self, engine: &str, envelopes: &Envelopes, seconds: u64) {
        self.line(&format!(
            "- database: {engine}; {} kinds of envelopes, {} bytes on average, {seconds} s per row",
            envelopes.len(),
            envelopes.mean_bytes(),
        ));
        self.line("");
    }

    pub(super) fn add(&mut self, measured: Measured) {
        if !self.has_head {
            self.has_head = true;
            self.line("| connections | requests/s | events accepted/s | accepted and digested/s | p50 ms | p99 ms | server CPU ms/event | generator CPU ms/event |");
            self.line("|---|---|---|---|---|---|---|---|");
        }
        let Measured { connections, run, accepted_s, digested_s, server_cpu, own_cpu, uploaded } =
            measured;
        let events = run.events as f64;
        let line = format!(
            "| {connections} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.3} | {:.3} |",
            run.requests as f64 / accepted_s,
            events / accepted_s,
            events / digested_s,
            ms(run.percentile(0.50)),
            ms(run.percentile(0.99)),
            ms(server_cpu) / events,
            ms(own_cpu) / events,
        );
        self.line(&line);
        if let Some((uploaded, before, meanwhile)) = uploaded {
            self.uploads.push(upload_line(connections, &run, &uploaded, before, meanwhile));
        }
    }

    pub(super) fn end_table(&mut self) {
        self.line("");
    }

    pub(super) fn memory(&mut self, idle: u64, last: u64, timeline: &Timeline) {
        let most = timeline.most(Duration::ZERO, Duration::MAX);
        self.line(&format!(
            "- private resident memory (RssAnon): {:.1} MiB idle, {:.1} MiB at most under load, {:.1} MiB after it",
            mib(idle),
            mib(most),
            mib(last)
        ));
        self.line(&format!("- the same over time, MiB at most until then: {}", timeline.text()));
    }

    pub(super) fn uploads(&mut self) {
        for line in std::mem::take(&mut self.uploads) {
            self.line(&line);
        }
    }

    pub(super) fn storage(&mut self, left: &Left, events: u64, is_postgres: bool) {
        let events = i64::try_from(events).unwrap_or(i64::MAX).max(1);
        let sum: i64 = left.tables.iter().map(|(_, bytes)| *bytes).sum();
        let (what, bytes) = match is_postgres {
            true => ("tables and indexes", sum),
            false => ("database file", i64::try_from(left.bytes).unwrap_or(i64::MAX)),
        };
        self.line(&format!(
            "- bytes stored per event: {} ({what}, {events} events)",
            bytes / events
        ));
        let named = left.tables.iter().take(TABLES_NAMED);
        let named: Vec<String> =
            named.map(|(name, bytes)| format!("{name} {}", bytes / events)).collect();
        self.line(&format!("- of these, per event: {}", named.join(", ")));
    }

    pub(super) fn lookups(&mut self, lookups: &[lookup::Measured]) {
        for lookup in lookups {
            self.line(&format!(
                "- {}: {:.0} ns per frame, {:.0} ns per look-up ({} look-ups, warm)",
                lookup.what, lookup.ns_per_frame, lookup.ns_per_lookup, lookup.lookups
            ));
        }
    }

    pub(super) fn stages(&mut self, stages: &[stages::Stage]) {
        self.line("");
        self.line("| stage of one event, one thread, warm | µs |");
        self.line("|---|---|");
        let mut sum = Duration::ZERO;
        for stage in stages {
            self.line(&format!("| {} | {:.1} |", stage.name, ms(stage.mean) * 1000.0));
            sum += stage.mean;
        }
        self.line(&format!("| together | {:.1} |", ms(sum) * 1000.0));
    }

    pub(super) fn engine(&mut self, measured: &[engine::Measured]) {
        for engine::Measured { what, median } in measured {
            self.line(&format!("- {what}: {:.1} µs (median)", median.as_secs_f64() * 1e6));
        }
    }
}

fn upload_line(
    connections: usize,
    run: &Run,
    uploaded: &Uploaded,
    before: u64,
    meanwhile: u64,
) -> String {
    let Uploaded { name, bytes, began, answered, derived } = uploaded;
    let latency = |part, from, to| ms(run.percentile_between(part, from, to));
    format!(
        "- upload of {name} ({:.0} MB) during {connections} connections: {:.1} s until the answer, {:.1} s until derived; memory \
         of the server {:.1} MiB at most before, {:.1} MiB meanwhile; p50/p99 {:.2}/{:.2} ms before, {:.2}/{:.2} ms meanwhile",
        *bytes as f64 / 1e6,
        (*answered - *began).as_secs_f64(),
        (*derived - *began).as_secs_f64(),
        mib(before),
        mib(meanwhile),
        latency(0.50, Duration::ZERO, *began),
        latency(0.99, Duration::ZERO, *began),
        latency(0.50, *began, *derived),
        latency(0.99, *began, *derived),
    )
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
