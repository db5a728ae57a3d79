//! What the commands need that bring missing files: this server's address, the names in the path, and how
//! many events wait for what.

use std::collections::BTreeMap;

use pages::help::UploadHelp;
use protocol::event::Event;

use super::origin::Origin;
use crate::app::App;
use crate::db::engine::Tx;
use crate::db::missing_key;
use crate::db::organization::Organization;
use crate::db::project::Project;
use crate::error::Result;

/// Missing files of one event whose waiting events are counted.
const WAITING_KEYS_MAX: usize = 100;

/// Returns the help for one event of a project.
pub(crate) async fn for_event(
    app: &App,
    origin: &Origin,
    (organization, project): (&Organization, &Project),
    event: &Event,
) -> Result<UploadHelp> {
    let (keys, id) = (waiting_keys(event), project.id);
    let waiting = app
        .db
        .read(move |tx| {
            let keys = keys.clone();
            Box::pin(async move { waiting(tx, id, &keys).await })
        })
        .await?;
    Ok(UploadHelp { waiting, ..for_project(origin, organization, project) })
}

/// Returns the help for a project, without how many events wait.
pub(crate) fn for_project(
    origin: &Origin,
    organization: &Organization,
    project: &Project,
) -> UploadHelp {
    UploadHelp {
        origin: origin.as_str().to_owned(),
        organization: organization.slug.clone(),
        project: project.slug.clone(),
        waiting: BTreeMap::new(),
    }
}

/// What the frames of an event wait for.
pub(crate) fn waiting_keys(event: &Event) -> Vec<String> {
    let verdicts = event
        .stacktraces()
        .flat_map(|trace| &trace.frames)
        .filter_map(|frame| frame.symbolication.as_ref());
    let mut keys: Vec<String> =
        verdicts.flat_map(|verdict| pages::reason::missing_keys(&verdict.status)).collect();
    keys.sort();
    keys.dedup();
    keys.truncate(WAITING_KEYS_MAX);
    keys
}

/// Counts the events that wait for keys.
pub(crate) async fn waiting(
    tx: &mut Tx<'_>,
    project: i64,
    keys: &[String],
) -> Result<BTreeMap<String, u64>> {
    let mut waiting = BTreeMap::new();
    for key in keys {
        let events = missing_key::waiting(tx, project, key).await?;
        waiting.insert(key.clone(), events.unsigned_abs());
    }
    Ok(waiting)
}
