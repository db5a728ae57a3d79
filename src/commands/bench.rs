//! `symbolist bench`: what the server does per second and what that costs, printed as Markdown.
//!
//! The server is a process of its own, so that its processor time and memory are its own; the load comes
//! from this process over loopback connections. Loops are bounded in time and number.

mod child;
mod disk;
mod load;
mod lookup;
mod pages;
mod stages;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use self::child::Server;
use self::load::{Envelopes, Run};
use super::{Place, opened, output};
use crate::error::{Context as _, Error, Result};

/// How long the digest may take to catch up after a run.
const CATCH_UP_MAX: Duration = Duration::from_secs(300);

/// Flags of the benchmark.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Bench {
    #[command(subcommand)]
    what: Option<What>,
    /// Seconds of load per number of connections
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Numbers of connections
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    connections: Vec<usize>,
    /// Folder with recorded envelopes (*.envelope) instead of the built-in ones; files over 200 KB are left out
    #[arg(long, value_name = "DIR")]
    envelopes: Option<PathBuf>,
    /// Measure only what needs no server: look-ups, and the stages of one event
    #[arg(long)]
    engine: bool,
    /// Folder for the server's data [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Address of a PostgreSQL database to use instead of SQLite
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

/// What else can be measured.
#[derive(Debug, Subcommand)]
enum What {
    /// Measure pages and the API over a filled data folder
    Pages(pages::Pages),
}

impl Bench {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        if let Some(What::Pages(pages)) = &self.what {
            return pages.run(place);
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix("symbolist-bench-");
        let folder = match &self.folder {
            Some(parent) => builder.tempdir_in(parent),
            None => builder.tempdir(),
        };
        let folder = folder.context("making a folder for the benchmark")?;
        let envelopes = Envelopes::load(self.envelopes.as_deref())?;
        let mut report = Report::default();
        report.machine(disk::fsync_median(folder.path())?, &envelopes, &self);
        if !self.engine {
            self.measure_server(&folder.path().join("data"), &envelopes, &mut report)?;
        }
        report.lookups(&lookup::measure()?);
        report.stages(&stages::measure(&envelopes)?);
        output::print(&report.text)
    }

    fn measure_server(
        &self,
        data: &Path,
        envelopes: &Envelopes,
        report: &mut Report,
    ) -> Result<()> {
        opened::runtime()?.block_on(async {
            let mut server = Server::start(data, self.database.as_deref()).await?;
            let idle = server.memory()?;
            for connections in &self.connections {
                let measured = self.measure(&mut server, envelopes, *connections).await?;
                report.add(&measured);
            }
            report.memory(idle, server.memory_peak, server.memory()?);
            let events = server.digested().await?;
            let bytes = server.stop().await?;
            report.storage(bytes, events, self.database.is_some());
            Ok(())
        })
    }

    async fn measure(
        &self,
        server: &mut Server,
        envelopes: &Envelopes,
        connections: usize,
    ) -> Result<Measured> {
        let digested_before = server.digested().await?;
        let (cpu_before, own_before) = (server.cpu()?, child::own_cpu()?);
        let started = Instant::now();
        let duration = Duration::from_secs(self.seconds);
        let run = load::run(server.target(), envelopes, connections, duration, server).await?;
        let accepted_s = started.elapsed().as_secs_f64();
        let own_cpu = child::own_cpu()? - own_before;
        while server.digested().await? < digested_before + run.events {
            if started.elapsed() > duration + CATCH_UP_MAX {
                return Err(Error::internal("the digest did not catch up"));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let digested_s = started.elapsed().as_secs_f64();
        let server_cpu = server.cpu()? - cpu_before;
        Ok(Measured { connections, run, accepted_s, digested_s, server_cpu, own_cpu })
    }
}

/// One line of the table.
struct Measured {
    connections: usize,
    run: Run,
    accepted_s: f64,
    digested_s: f64,
    server_cpu: Duration,
    own_cpu: Duration,
}

/// The Markdown that is printed.
#[derive(Default)]
struct Report {
    text: String,
    has_head: bool,
}

impl Report {
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn machine(&mut self, fsync: Duration, envelopes: &Envelopes, bench: &Bench) {
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model =
            cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let engine = if bench.database.is_some() { "PostgreSQL" } else { "SQLite" };
        self.line(&format!("- processor: {} × {cores}", model.trim_matches([' ', '\t', ':'])));
        self.line(&format!("- fsync of 4 KB, median of {}: {:.2} ms", disk::SAMPLES, ms(fsync)));
        self.line(&format!(
            "- database: {engine}; {} kinds of envelopes, {} bytes on average, {} s per row",
            envelopes.len(),
            envelopes.mean_bytes(),
            bench.seconds
        ));
        self.line("");
    }

    fn add(&mut self, measured: &Measured) {
        if !self.has_head {
            self.has_head = true;
            self.line("| connections | requests/s | events accepted/s | accepted and digested/s | p50 ms | p99 ms | server CPU ms/event | generator CPU ms/event |");
            self.line("|---|---|---|---|---|---|---|---|");
        }
        let Measured { connections, run, accepted_s, digested_s, server_cpu, own_cpu } = measured;
        let events = run.events as f64;
        let line = format!(
            "| {connections} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} | {:.3} | {:.3} |",
            run.requests as f64 / accepted_s,
            events / accepted_s,
            events / digested_s,
            ms(run.percentile(0.50)),
            ms(run.percentile(0.99)),
            ms(*server_cpu) / events,
            ms(*own_cpu) / events,
        );
        self.line(&line);
    }

    fn memory(&mut self, idle: u64, peak: u64, after: u64) {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        self.line("");
        self.line(&format!(
            "- private resident memory (RssAnon): {:.1} MiB idle, {:.1} MiB at most under load, {:.1} MiB after it",
            mib(idle),
            mib(peak),
            mib(after)
        ));
    }

    fn storage(&mut self, bytes: u64, events: u64, is_postgres: bool) {
        if is_postgres {
            self.line("- bytes stored per event: not measured on PostgreSQL");
        } else {
            self.line(&format!(
                "- bytes stored per event: {} (database file, {events} events)",
                bytes / events.max(1)
            ));
        }
    }

    fn lookups(&mut self, lookups: &[lookup::Measured]) {
        for lookup in lookups {
            self.line(&format!(
                "- {}: {:.0} ns per frame, {:.0} ns per look-up ({} look-ups, warm)",
                lookup.what, lookup.ns_per_frame, lookup.ns_per_lookup, lookup.lookups
            ));
        }
    }

    fn stages(&mut self, stages: &[stages::Stage]) {
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
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
