//! The dictionaries that events are compressed with: one per project, learnt from its own events, because
//! an application's events repeat each other far more than those of different applications do.
//!
//! Tried on recorded events of Node and Python programs: without a dictionary an event takes 1,860 bytes,
//! with one shipped for its language 1,430, with one of its project 480.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use quick_cache::sync::Cache;

use super::compress::Dictionary;
use super::stored::{Unpacker, dictionary_needed};
use crate::clock::Clock;
use crate::db::dictionary::{self, StoredDictionary};
use crate::db::engine::{Db, Tx};
use crate::error::Result;

/// Dictionaries by the id that frames name.
pub(super) type Dictionaries = BTreeMap<u32, Arc<Dictionary>>;

/// What is added to a row's id: zstd keeps the lower numbers for registered dictionaries.
pub(super) const ID_BASE: u32 = 32_768;
/// Dictionaries in memory at most: with prepared tables one takes some 150 KB.
const CACHED_MAX: usize = 64;
/// Events of a project before its first dictionary.
const EVENTS_BEFORE_FIRST: u64 = 200;
/// Events between two dictionaries of a project.
const EVENTS_BETWEEN: u64 = 50_000;
/// Projects whose current dictionary is remembered.
const PROJECTS_MAX: usize = 1_000;
/// How long a project's current dictionary is believed in, in milliseconds: another replica may train one.
const BELIEVED_MS: i64 = 10_000;

/// What a process knows of dictionaries.
#[derive(Debug)]
pub(crate) struct Shelf {
    by_id: Cache<u32, Arc<Dictionary>>,
    projects: Mutex<HashMap<i64, Known>>,
}

/// What is known of one project.
#[derive(Debug, Default)]
struct Known {
    /// Only its id: how many dictionaries are in memory is the cache's to bound.
    current: Option<u32>,
    asked_at_ms: i64,
    /// Events packed since the dictionary was made, or the process was started.
    packed: u64,
}

impl Known {
    fn is_due(&self) -> bool {
        let enough = if self.current.is_some() { EVENTS_BETWEEN } else { EVENTS_BEFORE_FIRST };
        self.packed >= enough
    }
}

impl Shelf {
    /// Makes an empty shelf.
    pub(crate) fn new() -> Self {
        Self { by_id: Cache::new(CACHED_MAX), projects: Mutex::default() }
    }

    /// Returns the dictionary of a project if it is at hand: on the way in nobody waits for one.
    pub(super) fn at_hand(&self, project_id: i64) -> Option<Arc<Dictionary>> {
        let current = self.lock().get(&project_id)?.current?;
        self.by_id.get(&current)
    }

    /// Returns the dictionary for new events of a project.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(super) async fn current(
        &self,
        db: &Db,
        clock: &Clock,
        project_id: i64,
    ) -> Result<Option<Arc<Dictionary>>> {
        let now_ms = clock.now_ms();
        let believed = self
            .lock()
            .get(&project_id)
            .filter(|known| (now_ms - known.asked_at_ms).abs() < BELIEVED_MS)
            .map(|known| known.current);
        if let Some(current) = believed {
            return self.find_current(db, current).await;
        }
        let id: Option<i64> = db
            .read(move |tx| Box::pin(async move { dictionary::current(tx, project_id).await }))
            .await?;
        let current = id.and_then(frame_id);
        {
            let mut projects = self.lock();
            if projects.len() >= PROJECTS_MAX && !projects.contains_key(&project_id) {
                projects.clear();
            }
            let known = projects.entry(project_id).or_default();
            (known.current, known.asked_at_ms) = (current, now_ms);
        }
        self.find_current(db, current).await
    }

    async fn find_current(&self, db: &Db, id: Option<u32>) -> Result<Option<Arc<Dictionary>>> {
        match id {
            Some(id) => self.find(db, id).await,
            None => Ok(None),
        }
    }

    /// Counts packed events of a project, and says whether these made it due for a dictionary.
    pub(super) fn count_packed(&self, project_id: i64, events: u64) -> bool {
        let mut projects = self.lock();
        let Some(known) = projects.get_mut(&project_id) else { return false };
        let was_due = known.is_due();
        known.packed += events;
        known.is_due() && !was_due
    }

    /// Returns the projects that have enough new events for a dictionary.
    pub(super) fn due(&self) -> Vec<i64> {
        let projects = self.lock();
        projects.iter().filter(|(_, known)| known.is_due()).map(|(id, _)| *id).collect()
    }

    /// Begins to count anew, and asks for the current dictionary at its next use.
    pub(super) fn note_trained(&self, project_id: i64) {
        if let Some(known) = self.lock().get_mut(&project_id) {
            known.packed = 0;
            known.asked_at_ms = i64::MIN / 2;
        }
    }

    /// Returns what is needed to read these blobs. A dictionary that is gone is left out: then the blobs that need
    /// it cannot be read, and say so; their neighbours can.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub(crate) async fn unpacker<'a>(
        &self,
        db: &Db,
        blobs: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Unpacker> {
        let mut needed: Vec<u32> =
            blobs.into_iter().map(dictionary_needed).filter(|id| *id != 0).collect();
        needed.sort_unstable();
        needed.dedup();
        let mut found = Dictionaries::new();
        for id in needed {
            found.extend(self.find(db, id).await?.map(|dictionary| (id, dictionary)));
        }
        Ok(Unpacker(found))
    }

    /// As [`unpacker`](Self::unpacker) for one blob, inside of a transaction.
    ///
    /// # Errors
    /// As there.
    pub(super) async fn unpacker_in(&self, tx: &mut Tx<'_>, blob: &[u8]) -> Result<Unpacker> {
        let mut found = Dictionaries::new();
        let id = dictionary_needed(blob);
        if id != 0 {
            let dictionary = match self.by_id.get(&id) {
                Some(dictionary) => Some(dictionary),
                None => self.keep(id, dictionary::find(tx, row_of(id)).await?),
            };
            found.extend(dictionary.map(|dictionary| (id, dictionary)));
        }
        Ok(Unpacker(found))
    }

    async fn find(&self, db: &Db, id: u32) -> Result<Option<Arc<Dictionary>>> {
        if let Some(dictionary) = self.by_id.get(&id) {
            return Ok(Some(dictionary));
        }
        let row = row_of(id);
        let stored =
            db.read(move |tx| Box::pin(async move { dictionary::find(tx, row).await })).await?;
        Ok(self.keep(id, stored))
    }

    fn keep(&self, id: u32, stored: Option<StoredDictionary>) -> Option<Arc<Dictionary>> {
        let dictionary = Arc::new(Dictionary::new(id, stored?.body));
        self.by_id.insert(id, Arc::clone(&dictionary));
        Some(dictionary)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<i64, Known>> {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the row of the dictionary that frames name so.
fn row_of(id: u32) -> i64 {
    i64::from(id) - i64::from(ID_BASE)
}

/// Returns the id that frames name for a row.
pub(super) fn frame_id(row: i64) -> Option<u32> {
    u32::try_from(row).ok()?.checked_add(ID_BASE)
}
