//! Counts the tags of digested events, up to a number of values: a tag that is different in every event (an id
//! of a request) must not grow its issue without end.

use std::collections::BTreeMap;

use crate::db::engine::Tx;
use crate::db::issue_count::{self, TAG_VALUES_MAX, TagKey};
use crate::error::Result;

/// Adds to tag values' counts: events, and the time of the newest. Values beyond the limit are not counted.
pub(super) async fn count(tx: &mut Tx<'_>, counts: &BTreeMap<TagKey, (i64, i64)>) -> Result<()> {
    // Most batches bring no new value, and then nothing more is asked.
    let mut new: BTreeMap<i64, Vec<TagKey>> = BTreeMap::new();
    for key in issue_count::add_tags(tx, counts).await? {
        new.entry(key.issue_id).or_default().push(key);
    }
    for (issue_id, new) in new {
        for (tag, values) in issue_count::crowded_tags(tx, issue_id, TAG_VALUES_MAX).await? {
            let excess = usize::try_from(values - TAG_VALUES_MAX).unwrap_or(0);
            for key in new.iter().filter(|key| key.key == tag).take(excess) {
                issue_count::delete_tag(tx, key).await?;
            }
        }
    }
    Ok(())
}
