//! `symbolist seed`: a data folder full of made-up but realistic events, to look at and to measure with.
//!
//! Eight programs crash for thirty days. Events go through the real accept and the real digest, at the time
//! they happened; native and page frames are symbolicated with uploaded files. The same seed makes the same
//! events, relative to the time of the run.

mod catalogue;
mod event;
mod fault;
mod files;
mod javascript;
mod native;
mod plan;
mod random;
mod sender;
mod stack;

use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;

use self::fault::Subject;
use self::sender::Material;
use super::credentials::Credentials;
use super::{Place, credentials, logging, opened, output, serve};
use crate::accounts::{key, organization, project};
use crate::app::{App, Role};
use crate::clock::Clock;
use crate::config::Config;
use crate::db;
use crate::db::project_key::Admission;
use crate::error::{Error, Result};
use crate::uploads::debug_file::Owner;

const DAY_MS: i64 = 86_400_000;
/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Flags of the command.
#[derive(Debug, Args)]
pub(super) struct Seed {
    /// How many events
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=50_000_000))]
    events: u64,
    /// Makes other events; the same number makes the same ones
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Add to a database that is in use
    #[arg(long)]
    add: bool,
}

impl Seed {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        let quiet = Some("warn".to_owned());
        let config = place.load(&[("symbolist seed", "log.filter", &quiet)])?;
        logging::start(&config.log);
        serve::make_data_folder(&config.data)?;
        opened::runtime()?.block_on(self.fill(config))
    }

    async fn fill(self, config: Config) -> Result<()> {
        let now_ms = Clock::system_with_random_process().now_ms();
        let clock = Clock::manual(now_ms - (plan::DAYS + 1) * DAY_MS);
        let app = App::build_with(clock, config, opened::executable()?, Role::Server).await?;
        let url = credentials::url(&app.config, app.config.server.listen);
        let first = serve::welcome(&app, &url).await?;
        if first.is_none() && !self.add {
            return Err(Error::Invalid(format!(
                "the database of {} is in use, and seed writes made-up events: name an empty folder with --data, or say --add",
                app.config.data.display()
            )));
        }
        let (subjects, faults) = fault::faults(catalogue::programs()?, self.seed)?;
        output::print(&format!(
            "{} events of {} faults in {} programs, with seed {}\n",
            self.events,
            faults.len(),
            subjects.len(),
            self.seed
        ))?;
        let organization = organization(&app).await?;
        let keys = projects(&app, &organization, &subjects).await?;
        let moments = plan::moments(&faults, self.events, now_ms, self.seed);
        let material = Arc::new(Material { subjects, faults, now_ms, seed: self.seed });
        let started = Instant::now();
        sender::send(&app, &material, &keys, moments, progress(self.events, started)).await?;
        app.clock.set(now_ms);
        app.db.write(|tx| Box::pin(async move { db::statistics::analyze(tx).await })).await?;
        let told = told(&app.config, &organization.1, &material.subjects, self.events, started);
        app.db.clone().close().await;
        output::print(&told)
    }
}

/// Tells how many events there are, every few seconds.
fn progress(all: u64, started: Instant) -> impl FnMut(usize) -> Result<()> {
    let mut told_at = started;
    move |done| {
        if told_at.elapsed() < TELL_EVERY {
            return Ok(());
        }
        told_at = Instant::now();
        let rate = done as f64 / started.elapsed().as_secs_f64();
        output::print(&format!("  {done} of {all}, {rate:.0} events/s\n"))
    }
}

/// Returns id and slug of the first organization.
async fn organization(app: &App) -> Result<(i64, String)> {
    let all = organization::list(app).await?;
    let first = all.into_iter().find(|organization| organization.revoked_at_ms.is_none());
    let first = first.ok_or_else(|| {
        Error::Invalid(
            "there is no organization: make one with `symbolist organization create`".to_owned(),
        )
    })?;
    Ok((first.id, first.slug))
}

/// Makes the programs' projects, unless they are there, uploads their files, and returns their keys.
async fn projects(
    app: &App,
    (organization, slug): &(i64, String),
    subjects: &[Subject],
) -> Result<Vec<Admission>> {
    let known = project::list(app, slug).await?;
    let mut keys = Vec::new();
    for program in subjects.iter().map(|subject| &subject.program) {
        if known.iter().all(|project| project.slug != program.slug) {
            let (name, platform) = (Some(program.name.as_str()), Some(program.platform.as_str()));
            project::create(app, slug, &program.slug, name, platform).await?;
        }
        let good = key::list(app, slug, &program.slug).await?;
        let good = good.into_iter().find(|key| key.revoked_at_ms.is_none());
        let good = match good {
            Some(key) => key,
            None => key::create(app, slug, &program.slug, "Seed", None).await?,
        };
        let owner = Owner { organization: *organization, project: good.project_id };
        files::upload(app, owner, program).await?;
        let admission = key::admit(app, &good.public_key).await?;
        let revoked = || Error::Invalid(format!("the project {} is revoked", program.slug));
        keys.push(admission.ok_or_else(revoked)?);
    }
    Ok(keys)
}

/// What is said at the end.
fn told(
    config: &Config,
    organization: &str,
    subjects: &[Subject],
    events: u64,
    started: Instant,
) -> String {
    let seconds = started.elapsed().as_secs_f64();
    let rate = events as f64 / seconds;
    let mut told = format!("{events} events in {seconds:.1} s, {rate:.0} events/s\n\n");
    let data = config.data.display();
    told.push_str(&format!("Look at them:  symbolist serve --data {data}\n\n"));
    if let Some(Credentials { url, email, password, .. }) = Credentials::read(&config.data) {
        told.push_str(&format!("  login     {email}\n  password  {password}\n"));
        for subject in subjects {
            let slug = &subject.program.slug;
            told.push_str(&format!("  {slug:14} {url}/{organization}/{slug}/issues/\n"));
        }
    }
    told
}
