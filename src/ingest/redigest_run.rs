//! A digest of stored events that somebody asked for: newest first, in bounded steps, each of which is
//! written down in the transaction that keeps it. So it may be interrupted at any time, and go on.

use tracing::warn;

use super::portion;
use super::redigest::{self, Reason};
use crate::app::App;
use crate::clock::Clock;
use crate::db::redigest_run::{self as runs, Run, Scope, Step};
use crate::error::{Error, Result};

/// Events of one step.
const STEP_EVENTS_MAX: i64 = 32;
/// Tries of a step after which its first event is left as it is: it ended the process each time.
const TRIES_MAX: i64 = 4;
/// How long runs are remembered, in milliseconds: thirty days.
const AGE_MS_MAX: i64 = 30 * 24 * 3_600_000;

/// A run, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Going {
    /// How far it is.
    pub(crate) run: Run,
    /// Which events.
    pub(crate) scope: Scope,
    /// Whether an earlier process began it.
    pub(crate) is_resumed: bool,
    /// Events that are left to do, counted at the beginning of this process.
    pub(crate) left: i64,
}

/// Goes on with the unfinished run of a scope, or begins one with the newest event.
///
/// # Errors
/// When the database cannot be written.
pub(crate) async fn go_on(app: &App, scope: Scope, restart: bool) -> Result<Going> {
    let (id, now_ms) = (app.clock.new_id(), app.clock.now_ms());
    let (run, is_resumed) = app
        .db
        .write(move |tx| {
            Box::pin(async move {
                runs::expire(tx, now_ms - AGE_MS_MAX).await?;
                let unfinished = runs::unfinished(tx, &scope).await?;
                match unfinished {
                    Some(run) if !restart => return Ok((run, true)),
                    Some(run) => runs::finish(tx, run.id, now_ms).await?,
                    None => {}
                }
                let run = Run {
                    id,
                    // Events that are digested from now on are digested by this version.
                    before_id: id,
                    tries: 0,
                    done: 0,
                    changed: 0,
                    moved: 0,
                    failed: 0,
                    started_at_ms: now_ms,
                };
                runs::insert(tx, &run, &scope).await?;
                Ok((run, false))
            })
        })
        .await?;
    let (before_id, since_id) = (run.before_id, since_id(&scope));
    let left = app
        .db
        .read(move |tx| {
            Box::pin(async move { runs::count_below(tx, &scope, before_id, since_id).await })
        })
        .await?;
    Ok(Going { run, scope, is_resumed, left })
}

/// Ids of events are ordered by when they were digested first, which is not before they were received.
fn since_id(scope: &Scope) -> i64 {
    Clock::first_id_at(scope.since_ms)
}

/// Does the next step and says whether there was one; the run is ended when there is none.
///
/// # Errors
/// When files or the database cannot be reached; the step is not done then.
pub(crate) async fn step(app: &App, going: &mut Going) -> Result<bool> {
    let (id, scope) = (going.run.id, going.scope);
    let tries = app.db.write(move |tx| Box::pin(runs::count_try(tx, id))).await?;
    // What was in hand when a process ended is tried alone.
    let limit = if tries <= 1 { STEP_EVENTS_MAX } else { 1 };
    let (before_id, since_id) = (going.run.before_id, since_id(&scope));
    let ids = app
        .db
        .read(move |tx| {
            Box::pin(
                async move { runs::events_below(tx, &scope, before_id, since_id, limit).await },
            )
        })
        .await?;
    let Some(first) = ids.first().copied() else {
        let now_ms = app.clock.now_ms();
        app.db.write(move |tx| Box::pin(runs::finish(tx, id, now_ms))).await?;
        return Ok(false);
    };
    if tries > TRIES_MAX {
        warn!("event {first} is left as it is: the process ended each time it was digested again");
        leave(app, going, first).await?;
    } else if let Err(error) = some(app, going, &ids).await {
        if ids.len() == 1 && !matches!(error, Error::Busy | Error::Unavailable { .. }) {
            warn!("event {first} is left as it is: {error}");
            leave(app, going, first).await?;
        } else if matches!(error, Error::Busy | Error::Unavailable { .. }) || tries > 1 {
            return Err(error);
        }
        // Else the next try takes one event alone.
    }
    going.run = find(app, id).await?;
    Ok(true)
}

/// Digests events from the front of the list again: as many as are taken together.
async fn some(app: &App, going: &Going, ids: &[i64]) -> Result<()> {
    portion::wait_for_accepts(app).await?;
    let (taken, rows) = portion::read(app, ids).await?;
    let step = Step {
        from_id: going.run.before_id,
        to_id: taken.checked_sub(1).and_then(|last| ids.get(last)).copied().unwrap_or_default(),
        ..Step::default()
    };
    let report = redigest::redigest(app, rows, Reason::Run(going.run.id, step)).await?;
    for (row, error) in report.failed {
        warn!("event {row} is left as it is: {error}");
    }
    Ok(())
}

/// Passes over an event.
async fn leave(app: &App, going: &Going, id: i64) -> Result<()> {
    let run = going.run.id;
    let step =
        Step { from_id: going.run.before_id, to_id: id, done: 1, failed: 1, ..Step::default() };
    app.db
        .write(move |tx| Box::pin(async move { runs::advance(tx, run, &step).await }))
        .await
        .map(drop)
}

async fn find(app: &App, id: i64) -> Result<Run> {
    let found = app.db.read(move |tx| Box::pin(runs::find(tx, id))).await?;
    found.ok_or_else(|| Error::internal(format!("the run {id} is gone")))
}
