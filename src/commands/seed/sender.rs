//! Sends made-up events through the same doors as real ones: accept, then digest, at the time they happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use pages::issue::IssueStatus;
use protocol::envelope::Envelope;
use protocol::id::{IssueId, ProjectId};

use super::event;
use super::fault::{Fault, Subject};
use super::plan::Moment;
use super::random::Random;
use crate::app::App;
use crate::blocking;
use crate::db::issue_search::{self, Filter, Place, Sort};
use crate::db::project_key::Admission;
use crate::error::{Error, Result};
use crate::ingest::accept::{self, Sender};
use crate::issues;
use crate::jobs;

/// Who decides about the issues, for their journal.
const ACTOR: &str = "symbolist seed";
/// Events that are made, accepted and digested together.
const BATCH: usize = 1_024;
/// Events that are accepted at the same time: they share a commit.
const ACCEPTED_AT_ONCE: usize = 256;
/// After so many parts of all events people look at the issues.
const LOOKS: usize = 6;
/// Issues that people look at, at once.
const ISSUES_MAX: i64 = 200;

/// Everything that events are made of.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) subjects: Vec<Subject>,
    pub(super) faults: Vec<Fault>,
    pub(super) now_ms: i64,
    pub(super) seed: u64,
}

/// Sends all events, oldest first, and calls `progress` with how many there are.
///
/// # Errors
/// When the database cannot be written, or an event is refused.
pub(super) async fn send(
    app: &App,
    material: &Arc<Material>,
    keys: &[Admission],
    moments: Vec<Moment>,
    mut progress: impl FnMut(usize) -> Result<()>,
) -> Result<()> {
    let moments = Arc::new(moments);
    let mut random = Random::new(material.seed, u64::MAX);
    let mut made = make(material, &moments, 0).await?;
    let look_every = (moments.len() / LOOKS).max(1);
    for from in (0..moments.len()).step_by(BATCH) {
        let next = make(material, &moments, from + BATCH);
        let sent = async {
            accept_all(app, material, keys, &moments[from..], made).await?;
            while jobs::digest::batch(app).await? > 0 {}
            Ok::<_, Error>(())
        };
        (made, ()) = tokio::try_join!(next, sent)?;
        if (from + BATCH) / look_every > from / look_every {
            tidy(app, keys, &mut random).await?;
        }
        progress((from + BATCH).min(moments.len()))?;
    }
    Ok(())
}

/// Makes the envelopes of one batch, beside the async threads.
async fn make(
    material: &Arc<Material>,
    moments: &Arc<Vec<Moment>>,
    from: usize,
) -> Result<Vec<Bytes>> {
    let (material, moments) = (Arc::clone(material), Arc::clone(moments));
    blocking::run(move || {
        let batch = moments.get(from..).unwrap_or_default().iter().take(BATCH);
        let envelope = |moment: &Moment| {
            let fault = &material.faults[moment.fault];
            let subject = &material.subjects[fault.program];
            let Material { now_ms, seed, .. } = *material;
            Bytes::from(event::envelope(subject, fault, *moment, now_ms, seed))
        };
        Ok(batch.map(envelope).collect())
    })
    .await
}

async fn accept_all(
    app: &App,
    material: &Material,
    keys: &[Admission],
    moments: &[Moment],
    made: Vec<Bytes>,
) -> Result<()> {
    stream::iter(made.into_iter().zip(moments))
        .map(|(body, moment)| {
            let program = material.faults[moment.fault].program;
            let sdk = &material.subjects[program].program.sdk;
            let client = Some(format!("{}/{}", sdk.name, sdk.version));
            accept_one(app, &keys[program], client, body, moment.at_ms)
        })
        .buffered(ACCEPTED_AT_ONCE)
        .try_collect::<()>()
        .await
}

async fn accept_one(
    app: &App,
    key: &Admission,
    client: Option<String>,
    body: Bytes,
    at_ms: i64,
) -> Result<()> {
    let envelope = Envelope::parse(&body).map_err(Error::caused_by)?;
    // Accepting reads the clock before it waits for anything, so its time is this event's.
    app.clock.set(at_ms);
    let sender = Sender { client, ..Sender::default() };
    accept::accept(app, key, sender, &body, &envelope).await.map(drop)
}

/// What people do now and then: they resolve some issues and ignore others.
async fn tidy(app: &App, keys: &[Admission], random: &mut Random) -> Result<()> {
    for key in keys {
        let project = ProjectId(key.project_id);
        let found = app
            .db
            .read(move |tx| {
                Box::pin(async move {
                    let order = (Sort::default(), Place::START);
                    let filter = Filter::default();
                    issue_search::search(tx, project, "unresolved", &filter, order, ISSUES_MAX)
                        .await
                })
            })
            .await?;
        let mut chosen: BTreeMap<bool, Vec<IssueId>> = BTreeMap::new();
        for issue in found {
            match random.below(60) {
                0 => chosen.entry(true).or_default().push(IssueId(issue.id)),
                1..4 => chosen.entry(false).or_default().push(IssueId(issue.id)),
                _ => {}
            }
        }
        for (is_ignored, ids) in chosen {
            let status = if is_ignored { IssueStatus::Ignored } else { IssueStatus::Resolved };
            issues::status::set(app, project, &ids, status, ACTOR).await?;
        }
    }
    Ok(())
}
