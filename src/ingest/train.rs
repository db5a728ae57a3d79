//! Learns a project's dictionary from its newest events, now and then.
//!
//! A dictionary holds pieces of the events it was learnt from, scrubbed like them. It is replaced now and
//! then, and removed with the last event that needs it, so it does not outlive them by much.

use std::sync::Arc;

use super::compress::{Dictionary, compress};
use super::dictionaries::frame_id;
use crate::app::App;
use crate::blocking;
use crate::clock::Clock;
use crate::db::dictionary::{self, StoredDictionary};
use crate::db::event::StoredEvent;
use crate::error::{Context as _, Error, Result};

/// Events that one is learnt from.
const SAMPLES: i64 = 300;
/// Largest event that is learnt from, in bytes of JSON; what is larger is kept without a dictionary.
const SAMPLE_BYTES_MAX: usize = 64 << 10;
/// JSON that is learnt from together, in bytes.
const SAMPLES_BYTES_MAX: usize = 4 << 20;
/// Fewest samples that are worth it.
const SAMPLES_MIN: usize = 50;
/// Sizes of dictionaries that are tried, in bytes. Which is best depends on how much events differ: the same three
/// events again and again take 180 bytes with the smallest and 480 with the largest; where fifteen are mixed, the
/// largest saves a fifth.
const DICTIONARY_BYTES: [usize; 3] = [16 << 10, 32 << 10, 64 << 10];
/// Level of what it is compared with.
const LEVEL: i32 = 3;
/// How long after it was superseded another replica may still use a dictionary, in milliseconds: one day.
const LATE_MS: i64 = 24 * 3600 * 1000;

/// Learns dictionaries for the projects that have enough new events.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn train_due(app: &App) -> Result<()> {
    for project_id in app.dictionaries.due() {
        train(app, project_id).await?;
    }
    Ok(())
}

/// Learns a dictionary from the newest events of a project, and keeps it if it is better than none.
///
/// # Errors
/// When the database cannot be reached.
pub(super) async fn train(app: &App, project_id: i64) -> Result<()> {
    // Whatever comes out, the next one is due only after as many events again.
    app.dictionaries.note_trained(project_id);
    let rows: Vec<StoredEvent> = app
        .db
        .read(move |tx| {
            Box::pin(async move {
                let project = protocol::id::ProjectId(project_id);
                crate::db::event::page_of_project(tx, project, i64::MAX, SAMPLES).await
            })
        })
        .await?;
    let unpacker =
        app.dictionaries.unpacker(&app.db, rows.iter().map(|row| row.result.as_slice())).await?;
    let samples = blocking::run(move || {
        let mut left = SAMPLES_BYTES_MAX;
        let mut samples = Vec::new();
        for row in rows {
            let original = unpacker.original_json(&row.original, &row.result)?;
            let result = unpacker.result_json(&row.original, &row.result)?;
            let both = [original, result].concat();
            if both.len() <= SAMPLE_BYTES_MAX && both.len() <= left {
                left -= both.len();
                samples.push(both);
            }
        }
        Ok(samples)
    })
    .await?;
    if samples.len() < SAMPLES_MIN {
        return Ok(());
    }
    let id = app.db.write(|tx| Box::pin(async move { dictionary::next_id(tx).await })).await?;
    let Some(body) = blocking::run(move || learn(&samples, id)).await? else { return Ok(()) };
    let (stored, now_ms) = (Arc::new(StoredDictionary { id, body }), app.clock.now_ms());
    app.db
        .write(move |tx| {
            let stored = Arc::clone(&stored);
            Box::pin(async move { dictionary::insert(tx, project_id, &stored, now_ms).await })
        })
        .await?;
    app.dictionaries.note_trained(project_id);
    Ok(())
}

/// Returns a dictionary that names the id of its row, or nothing if these events have nothing in common.
fn learn(samples: &[Vec<u8>], row: i64) -> Result<Option<Vec<u8>>> {
    let id = frame_id(row).ok_or_else(|| Error::internal("too many dictionaries were made"))?;
    // With nothing at all a tenth more is not worth a dictionary.
    let mut best = (compressed_bytes(samples, None)? * 9 / 10, None);
    for bytes in DICTIONARY_BYTES {
        let Some(body) = learn_within(samples, bytes, id)? else { continue };
        let dictionary = Dictionary::new(id, body.clone());
        let compressed = compressed_bytes(samples, Some(&dictionary))?;
        if compressed < best.0 {
            best = (compressed, Some(body));
        }
    }
    Ok(best.1)
}

/// Returns how much some of the samples take together.
fn compressed_bytes(samples: &[Vec<u8>], dictionary: Option<&Dictionary>) -> Result<usize> {
    let mut bytes = 0;
    for sample in samples.iter().step_by(7) {
        bytes += compress(&[], sample, dictionary, LEVEL).context("trying a dictionary")?.len();
    }
    Ok(bytes)
}

fn learn_within(samples: &[Vec<u8>], bytes: usize, id: u32) -> Result<Option<Vec<u8>>> {
    // Few or very equal samples are refused: then there is nothing to learn yet.
    let Ok(mut body) = zstd::dict::from_samples(samples, bytes) else {
        return Ok(None);
    };
    // The format: four bytes of magic, then the id, which zstd made up.
    let place = body.get_mut(4..8).ok_or_else(|| Error::internal("a dictionary is too short"))?;
    place.copy_from_slice(&id.to_le_bytes());
    Ok(Some(body))
}

/// Removes dictionaries that no event needs any more.
///
/// # Errors
/// When the database cannot be reached.
pub(crate) async fn expire(app: &App) -> Result<()> {
    let superseded =
        app.db.read(|tx| Box::pin(async move { dictionary::superseded(tx).await })).await?;
    let now_ms = app.clock.now_ms();
    for old in superseded {
        let before_ms = old.superseded_at_ms + LATE_MS;
        if before_ms > now_ms {
            continue;
        }
        let before_id = Clock::first_id_at(before_ms);
        app.db
            .write(move |tx| {
                Box::pin(async move { dictionary::delete_unneeded(tx, old, before_id).await })
            })
            .await?;
    }
    Ok(())
}
