//! Symbolication within the digest: the need/done loop, for many events at a time, each file found once.

use std::collections::{BTreeMap, BTreeSet};

use protocol::event::Event;
use protocol::id::ProjectId;
use symbolicate::symbolication::{Outcome, Step, Symbolication};
use symbolicate::wanted::{Found, Wanted};

use super::digest::{Attempt, caught};
use crate::app::App;
use crate::db::missing_file;
use crate::error::{Error, Result};
use crate::{blocking, symbols};

/// Most rounds of asking for files; today's symbolication needs two.
const ROUNDS_MAX: usize = 8;

/// A symbolicated event and what it misses; see `Digested::missing`.
pub(crate) struct Looked {
    pub(super) outcome: Outcome,
    pub(super) missing: BTreeMap<String, i64>,
}

/// How many files answer to a key of a project.
type Stored = BTreeMap<(ProjectId, String), i64>;

/// Symbolicates events: asks what they want, finds it once per project, until nothing is wanted.
///
/// # Errors
/// When the database or the blob store cannot be asked about any of them.
pub(crate) async fn all(
    app: &App,
    events: Vec<(ProjectId, Event)>,
) -> Result<Vec<Attempt<Looked>>> {
    each(app, events).await?.into_iter().collect()
}

/// As [`all`], where an event that wants a file which cannot be read now has that error for itself.
pub(super) async fn each(
    app: &App,
    events: Vec<(ProjectId, Event)>,
) -> Result<Vec<Result<Attempt<Looked>>>> {
    let mut done: Vec<Option<Result<Attempt<Looked>>>> = events.iter().map(|_| None).collect();
    let mut open: Vec<InWork> = events.into_iter().enumerate().map(InWork::new).collect();
    let mut stored = Stored::new();
    for _ in 0..ROUNDS_MAX {
        let stepped = blocking::map(open, InWork::step).await?;
        open = Vec::new();
        for (place, project, step) in stepped {
            match step {
                Ok(work) => open.push(work),
                Err(attempt) => {
                    let attempt = attempt.map(|outcome| looked(outcome, project, &stored));
                    done[place] = Some(Ok(attempt));
                }
            }
        }
        if open.is_empty() {
            break;
        }
        for (place, error) in find_for(app, &mut open, &mut stored).await? {
            done[place] = Some(Err(error));
        }
    }
    let unfinished = || Ok(Err("symbolication asked for files again and again".to_owned()));
    Ok(done.into_iter().map(|outcome| outcome.unwrap_or_else(unfinished)).collect())
}

/// Leaves out keys that nobody was asked for (beyond the limit of one event): asking again would not help.
fn looked(outcome: Outcome, project: ProjectId, stored: &Stored) -> Looked {
    let count = |key: &String| Some((key.clone(), *stored.get(&(project, key.clone()))?));
    Looked { missing: outcome.missing.iter().filter_map(count).collect(), outcome }
}

/// One event between two steps.
struct InWork {
    place: usize,
    project: ProjectId,
    symbolication: Symbolication,
    wanted: Vec<Wanted>,
    found: Vec<(Wanted, Found)>,
}

impl InWork {
    fn new((place, (project, event)): (usize, (ProjectId, Event))) -> Self {
        let symbolication = Symbolication::of_event(event);
        Self { place, project, symbolication, wanted: Vec::new(), found: Vec::new() }
    }

    /// Takes one step: still in work, or finished one way or the other.
    fn step(mut self) -> (usize, ProjectId, Result<Self, Attempt<Outcome>>) {
        let found = std::mem::take(&mut self.found);
        let (place, project) = (self.place, self.project);
        let stepped = caught(|| Ok(self.symbolication.step(found)));
        let next = match stepped {
            Err(error) => Err(Err(error)),
            Ok(Step::Done(outcome)) => Err(Ok(*outcome)),
            Ok(Step::Need(wanted)) => {
                self.wanted = wanted;
                Ok(self)
            }
        };
        (place, project, next)
    }
}

/// Finds what all open events want, each thing once per project. Returns the places of those that have to
/// wait for the blob store, which are no longer open.
async fn find_for(
    app: &App,
    open: &mut Vec<InWork>,
    stored: &mut Stored,
) -> Result<Vec<(usize, Error)>> {
    let mut wanted: BTreeMap<ProjectId, BTreeSet<Wanted>> = BTreeMap::new();
    for work in open.iter() {
        wanted.entry(work.project).or_default().extend(work.wanted.iter().cloned());
    }
    let mut found = BTreeMap::new();
    for (project, wanted) in wanted {
        let wanted: Vec<Wanted> = wanted.into_iter().collect();
        count_stored(app, project, &wanted, stored).await?;
        found.insert(project, symbols::find::find_all(app, project, &wanted).await?);
    }
    let mut waiting = Vec::new();
    for mut work in std::mem::take(open) {
        let of_project = found.get(&work.project);
        let find = |wanted: Wanted| {
            let found = of_project.and_then(|found| found.get(&wanted)).cloned();
            Ok((wanted, found.unwrap_or(Ok(Found::Missing))?))
        };
        match std::mem::take(&mut work.wanted).into_iter().map(find).collect() {
            Ok(found) => open.push(InWork { found, ..work }),
            Err(error) => waiting.push((work.place, error)),
        }
    }
    Ok(waiting)
}

/// Counts what is stored under the wanted keys *before* it is looked up: if the count is another one when
/// the event is kept, a file arrived that the look-up may not have seen.
async fn count_stored(
    app: &App,
    project: ProjectId,
    wanted: &[Wanted],
    stored: &mut Stored,
) -> Result<()> {
    let keys: Vec<String> = wanted.iter().flat_map(Wanted::keys).collect();
    let counted = app
        .db
        .read(move |tx| {
            let keys = keys.clone();
            Box::pin(async move {
                let mut counted = Vec::with_capacity(keys.len());
                for key in keys {
                    let count = missing_file::stored_count(tx, project.0, &key).await?;
                    counted.push(((project, key), count));
                }
                Ok(counted)
            })
        })
        .await?;
    stored.extend(counted);
    Ok(())
}
