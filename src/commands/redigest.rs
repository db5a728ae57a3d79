//! `symbolist redigest`: stored events are digested again, from their originals.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::Args;
use protocol::id::ProjectId;
use protocol::short_id::ShortId;
use protocol::time::Timestamp;

use super::output::{Format, Table};
use super::{Place, logging, opened};
use crate::app::App;
use crate::db;
use crate::db::engine::Tx;
use crate::db::redigest_run::Scope;
use crate::error::{Error, Result};
use crate::ingest::redigest_run::{self, Going};
use crate::issues::named;

/// Time between two lines of progress on a terminal, and elsewhere.
const PROGRESS_EVERY: Duration = Duration::from_millis(200);
const PROGRESS_LINE_EVERY: Duration = Duration::from_secs(5);
/// How often a step is tried that failed for want of the database or the blob store, and how long after.
const FAILURES_MAX: u32 = 10;
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Which events, and how.
#[derive(Debug, Args)]
pub(super) struct Redigest {
    /// Only events of this project [default: of all]
    #[arg(long, value_name = "SLUG")]
    project: Option<String>,
    /// Only events of this issue, by its short id
    #[arg(long, value_name = "SHORT-ID", conflicts_with = "project")]
    issue: Option<String>,
    /// The organization of the project or issue
    #[arg(long, default_value = "default", value_name = "SLUG")]
    organization: String,
    /// Only events received since then, such as 2026-11-20 or 2026-11-20T08:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Begin anew with the newest event instead of going on where the last run stopped
    #[arg(long)]
    restart: bool,
    #[command(flatten)]
    format: Format,
}

impl Redigest {
    pub(super) fn run(self, place: &Place) -> Result<()> {
        logging::start_for_command();
        opened::with_app(place, async |app| {
            let scope = self.scope(app).await?;
            let mut going = redigest_run::go_on(app, scope, self.restart).await?;
            work(app, &mut going).await?;
            let run = going.run;
            Table::new(&["done", "changed", "moved", "failed"])
                .row(vec![run.done.into(), run.changed.into(), run.moved.into(), run.failed.into()])
                .print_one(self.format)
        })
    }

    async fn scope(&self, app: &App) -> Result<Scope> {
        let since_ms = self.since.as_deref().map_or(Ok(0), parse_time)?;
        let (organization, project) = (self.organization.clone(), self.project.clone());
        let issue = self.issue.as_deref().map(parse_short_id).transpose()?;
        app.db
            .read(move |tx| {
                let (organization, project) = (organization.clone(), project.clone());
                let issue = issue.clone();
                Box::pin(async move {
                    let slug = project.or_else(|| issue.as_ref().map(|issue| issue.slug.clone()));
                    let Some(slug) = slug else {
                        return Ok(Scope { project_id: None, issue_id: None, since_ms });
                    };
                    let project = find_project(tx, &organization, &slug).await?;
                    let issue_id = match issue {
                        Some(issue) => Some(find_issue(tx, project, &issue).await?),
                        None => None,
                    };
                    Ok(Scope { project_id: Some(project), issue_id, since_ms })
                })
            })
            .await
    }
}

fn parse_time(text: &str) -> Result<i64> {
    let parsed =
        Timestamp::from_text(text).or_else(|| Timestamp::from_text(&format!("{text}T00:00:00Z")));
    parsed.map(Timestamp::ms).ok_or_else(|| {
        Error::Invalid(format!(
            "--since is `{text}`, expected a date or time such as 2026-11-20 or 2026-11-20T08:00:00Z"
        ))
    })
}

fn parse_short_id(text: &str) -> Result<ShortId> {
    ShortId::parse(text).ok_or_else(|| {
        Error::Invalid(format!("--issue is `{text}`, expected a short id such as SHOP-1K"))
    })
}

async fn find_project(tx: &mut Tx<'_>, organization: &str, slug: &str) -> Result<i64> {
    let found = db::organization::find_by_slug(tx, organization).await?;
    let found = found.ok_or_else(|| {
        Error::Invalid(format!(
            "there is no organization `{organization}`: `symbolist organization list` shows all"
        ))
    })?;
    let project = db::project::find_by_slug(tx, found.id, slug).await?;
    project.map(|project| project.id).ok_or_else(|| {
        Error::Invalid(format!(
            "the organization `{organization}` has no project `{slug}`: `symbolist project list \
             --organization {organization}` shows all"
        ))
    })
}

async fn find_issue(tx: &mut Tx<'_>, project: i64, short_id: &ShortId) -> Result<i64> {
    let found = named::by_number(tx, ProjectId(project), short_id.number).await?;
    found.map(|issue| issue.id).ok_or_else(|| {
        Error::Invalid(format!("the project `{}` has no issue with that number", short_id.slug))
    })
}

/// Does all steps, and says how far it is.
async fn work(app: &App, going: &mut Going) -> Result<()> {
    let mut progress = Progress::new(going);
    let mut failures = 0;
    loop {
        match redigest_run::step(app, going).await {
            Ok(true) => failures = 0,
            Ok(false) => break,
            Err(error) => {
                failures += 1;
                if failures >= FAILURES_MAX {
                    return Err(error.with_context(
                        "stopped; the same command goes on where this one stopped".to_owned(),
                    ));
                }
                tokio::time::sleep(PAUSE_AFTER_FAILURE).await;
            }
        }
        progress.show(going);
    }
    progress.end(going);
    Ok(())
}

/// Lines on standard error.
struct Progress {
    is_terminal: bool,
    started: Instant,
    shown: Option<Instant>,
    done_before: i64,
    total: i64,
}

impl Progress {
    fn new(going: &Going) -> Self {
        let progress = Self {
            is_terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            shown: None,
            done_before: going.run.done,
            total: going.run.done + going.left,
        };
        let begun = if going.is_resumed {
            format!("going on after {} of {} events", going.run.done, progress.total)
        } else {
            format!("{} events, the newest first", progress.total)
        };
        progress.write(&format!("{begun}\n"));
        progress
    }

    fn show(&mut self, going: &Going) {
        let every = if self.is_terminal { PROGRESS_EVERY } else { PROGRESS_LINE_EVERY };
        if self.shown.is_some_and(|shown| shown.elapsed() < every) {
            return;
        }
        self.shown = Some(Instant::now());
        let line = self.line(going);
        self.write(&if self.is_terminal { format!("\r\x1b[K{line}") } else { format!("{line}\n") });
    }

    fn line(&self, going: &Going) -> String {
        let run = &going.run;
        let seconds = self.started.elapsed().as_secs_f64().max(0.001);
        let per_second = (run.done - self.done_before) as f64 / seconds;
        format!(
            "{} of {} events, {} changed, {} moved, {} failed; {per_second:.0} per second",
            run.done,
            self.total.max(run.done),
            run.changed,
            run.moved,
            run.failed
        )
    }

    fn end(&self, going: &Going) {
        let line = self.line(going);
        self.write(&if self.is_terminal {
            format!("\r\x1b[K{line}\n")
        } else {
            format!("{line}\n")
        });
    }

    fn write(&self, text: &str) {
        // When even this cannot be written there is nobody to tell.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_dates_or_times() {
        assert_eq!(parse_time("1970-01-02").unwrap(), 86_400_000);
        assert_eq!(parse_time("1970-01-01T00:00:01Z").unwrap(), 1_000);
        let error = parse_time("yesterday").unwrap_err().to_string();
        assert!(error.contains("`yesterday`"), "{error}");
    }
}
