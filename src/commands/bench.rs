//! `symbolist bench`: what the server does per second and what that costs, printed as Markdown.
//!
//! The server is a process of its own, so that its processor time and memory are its own; the load comes
//! from this process over loopback connections. Loops are bounded in time and number.

mod child;
mod disk;
mod engine;
mod load;
mod lookup;
mod mix;
mod pages;
mod report;
mod stages;
mod timeline;
mod upload;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::{Args, Subcommand};
use cli::upload::File;

use self::child::Server;
use self::load::Envelopes;
use self::mix::Mix;
use self::report::{Measured, Report};
use super::demo_files::{ARTIFACT_BUNDLE, DEBUG_FILE};
use super::{Place, opened, output};
use crate::error::{Context as _, Error, Result};

/// How long the digest may take to catch up after a run.
const CATCH_UP_MAX: Duration = Duration::from_secs(300);
/// Which part of a run is over when the large file is uploaded.
const UPLOAD_AFTER_PART: u32 = 4;

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
    /// What is sent: recorded events, or made ones with 20 symbolicated frames
    #[arg(long, value_enum, default_value = "recorded", conflicts_with = "envelopes")]
    mix: Mix,
    /// Debug file to upload during the load of each row
    #[arg(long, value_name = "FILE")]
    upload: Option<PathBuf>,
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
        let envelopes = match self.mix {
            Mix::Recorded => Envelopes::load(self.envelopes.as_deref())?,
            made => Envelopes::of(&mix::envelopes(made)?),
        };
        let mut report = Report::default();
        report.machine(disk::fsync_median(folder.path())?);
        if !self.engine {
            let engine = if self.database.is_some() { "PostgreSQL" } else { "SQLite" };
            report.load(engine, &envelopes, self.seconds);
            opened::runtime()?.block_on(self.load(folder.path(), &envelopes, &mut report))?;
        }
        report.lookups(&lookup::measure()?);
        report.engine(&engine::measure(folder.path())?);
        report.stages(&stages::measure(&envelopes)?);
        output::print(&report.text)
    }

    async fn load(&self, folder: &Path, envelopes: &Envelopes, report: &mut Report) -> Result<()> {
        let database = self.database.as_deref();
        let mut server = Server::start(&folder.join("data"), database).await?;
        let idle = server.memory()?;
        if self.mix != Mix::Recorded {
            upload::send(server.credentials(), &demo_files()).await?;
        }
        for connections in &self.connections {
            let measured = self.measure(&mut server, envelopes, *connections).await?;
            report.add(measured);
        }
        report.end_table();
        let last = server.memory()?;
        report.memory(idle, last, &server.timeline);
        report.uploads();
        report.engine(&largest_lookup(server.data(), self.upload.is_some())?);
        let events = server.digested().await?;
        let left = server.stop(database).await?;
        report.storage(&left, events, database.is_some());
        Ok(())
    }

    async fn measure(
        &self,
        server: &mut Server,
        envelopes: &Envelopes,
        connections: usize,
    ) -> Result<Measured> {
        let digested_before = server.digested().await?;
        let (cpu_before, own_before) = (server.cpu()?, child::own_cpu()?);
        let (started, began) = (Instant::now(), server.timeline.now());
        let duration = Duration::from_secs(self.seconds);
        let (credentials, data) = (server.credentials().clone(), server.data().to_owned());
        let is_busy = AtomicBool::new(self.upload.is_some());
        let uploading = async {
            let Some(path) = &self.upload else { return Ok(None) };
            let pause = duration / UPLOAD_AFTER_PART;
            let uploaded = upload::during(&credentials, &data, file(path)?, pause).await;
            is_busy.store(false, Ordering::Relaxed);
            uploaded.map(Some)
        };
        let target = server.target();
        let loading = load::run(target, envelopes, connections, duration, &is_busy, server);
        let (run, uploaded) = tokio::try_join!(loading, uploading)?;
        let accepted_s = duration.as_secs_f64();
        let own_cpu = child::own_cpu()? - own_before;
        while server.digested().await? < digested_before + run.events {
            if started.elapsed() > duration + CATCH_UP_MAX {
                return Err(Error::internal("the digest did not catch up"));
            }
            server.memory()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let digested_s = started.elapsed().as_secs_f64();
        let server_cpu = server.cpu()? - cpu_before;
        let memory = |from, to| server.timeline.most(began + from, began + to);
        let uploaded = uploaded.map(|uploaded| {
            let before = memory(Duration::ZERO, uploaded.began);
            let meanwhile = memory(uploaded.began, uploaded.derived);
            (uploaded, before, meanwhile)
        });
        Ok(Measured { connections, run, accepted_s, digested_s, server_cpu, own_cpu, uploaded })
    }
}

fn demo_files() -> Vec<File> {
    let file = |(name, bytes): (&str, &'static [u8])| File {
        name: name.to_owned(),
        bytes: Bytes::from_static(bytes),
    };
    [("contact-sheet.debug", DEBUG_FILE), ("gallery.artifactbundle.zip", ARTIFACT_BUNDLE)]
        .map(file)
        .into()
}

fn file(path: &Path) -> Result<File> {
    let bytes = std::fs::read(path).context(format!("reading {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(File { name, bytes: bytes.into() })
}

/// Measures the first look-up in the largest file that the server derived, if a large one was uploaded.
fn largest_lookup(data: &Path, is_wanted: bool) -> Result<Vec<engine::Measured>> {
    if !is_wanted {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(data.join("derived")).context("looking for derived files")?;
    let native = entries
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("native-"));
    let largest = native.max_by_key(|entry| entry.metadata().map_or(0, |file| file.len()));
    largest.map_or(Ok(Vec::new()), |entry| engine::first_of_server(&entry.path()))
}
