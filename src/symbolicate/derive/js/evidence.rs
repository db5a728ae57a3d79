//! Judges whether a map belongs to a minified text.
//!
//! Measured over eight bundlers: in a right map all segments lie inside the text, at least 97.9 % of them at the
//! start of a token, and 88 % or more of the longer identifiers are the same in the original text at the mapped
//! place (properties and globals survive minifying). A map of another bundle: 53 % and 0.7 %.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::OriginalFile;
use super::map::NONE;
use super::placed::Placed;
use super::text::{Generated, identifier, is_identifier_part};
use crate::js::BLOCK_SHIFT;
use crate::unusable::Unusable;

/// Fewer percent of the segments inside the text: the map is another file's.
const INSIDE_PERCENT_MIN: u32 = 70;

/// Fewer percent of equal identifiers: the map is another file's, if the starts of tokens say so too.
const EQUAL_PERCENT_MIN: u32 = 30;

/// Fewer percent of the segments at the start of a token.
const TOKEN_START_PERCENT_MIN: u32 = 85;

/// Fewer identifiers than this prove nothing.
const COMPARED_MIN: u32 = 32;

/// Most segments looked at, spread over the whole text.
const SAMPLES_MAX: usize = 20_000;

/// Shortest identifier that is compared, in bytes: shorter ones are what minifiers make up.
const IDENTIFIER_BYTES_MIN: usize = 4;

/// Fewer segments in a block than this prove nothing.
const BLOCK_SEGMENTS_MIN: u32 = 24;

/// Fewer percent of a block's segments at the start of a token: the text was shifted there.
const BLOCK_TOKEN_START_PERCENT_MIN: u32 = 80;

/// As many percent of equal identifiers in such a block: it is right all the same.
const BLOCK_EQUAL_PERCENT_MIN: u32 = 50;

/// How well a map fits a text; each count is out of the one before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Segments of the map.
    pub segments: u32,
    /// Segments that lie inside the text.
    pub inside: u32,
    /// Segments of the sample, which is taken from those inside.
    pub sampled: u32,
    /// Segments of the sample that do not begin in the middle of a word.
    pub token_starts: u32,
    /// Segments of the sample at an identifier of four bytes or more that can be compared with the original text.
    pub compared: u32,
    /// Those where the original text has the same identifier.
    pub equal: u32,
}

impl Evidence {
    /// Collects the evidence and refuses a map that is another file's.
    pub(crate) fn checked(
        generated: &Generated<'_>,
        segment_count: usize,
        placed: &Placed,
        sources: &[OriginalFile<'_>],
    ) -> Result<Self, Unusable> {
        let mut evidence = Self {
            segments: segment_count as u32,
            inside: placed.inside_count as u32,
            ..Self::default()
        };
        for at in (0..placed.offsets.len()).step_by((placed.offsets.len() / SAMPLES_MAX).max(1)) {
            evidence.add(generated, placed, at, sources);
        }
        evidence.judge().map(|()| evidence)
    }

    fn add(
        &mut self,
        generated: &Generated<'_>,
        placed: &Placed,
        at: usize,
        sources: &[OriginalFile<'_>],
    ) {
        let Some(is_token_start) = is_token_start(generated, placed, at) else { return };
        self.sampled += 1;
        self.token_starts += u32::from(is_token_start);
        if let Some(is_equal) = is_equal(generated, placed, at, sources) {
            self.compared += 1;
            self.equal += u32::from(is_equal);
        }
    }

    fn judge(&self) -> Result<(), Unusable> {
        if !is_at_least(self.inside, INSIDE_PERCENT_MIN, self.segments) {
            return Err(Unusable::WrongMap(format!(
                "only {} of its {} segments lie inside the minified file",
                self.inside, self.segments
            )));
        }
        if self.compared >= COMPARED_MIN
            && !is_at_least(self.equal, EQUAL_PERCENT_MIN, self.compared)
            && !is_at_least(self.token_starts, TOKEN_START_PERCENT_MIN, self.sampled)
        {
            return Err(Unusable::WrongMap(format!(
                "only {} of {} words of the minified file stand at the mapped place",
                self.equal, self.compared
            )));
        }
        Ok(())
    }
}

/// Returns the blocks of the text that the map does not fit, ascending.
///
/// A build that differs in one place has right positions before it and wrong ones behind: so whatever the whole
/// looks like, each position is judged by the block around it.
pub(crate) fn misfit_blocks(
    generated: &Generated<'_>,
    placed: &Placed,
    sources: &[OriginalFile<'_>],
) -> Vec<u32> {
    let mut misfits = Vec::new();
    let mut first = 0;
    while let Some(offset) = placed.offsets.get(first) {
        let block = offset >> BLOCK_SHIFT;
        let end = placed.offsets.partition_point(|offset| offset >> BLOCK_SHIFT <= block);
        if is_misfit(generated, placed, first..end, sources) {
            misfits.push(block);
        }
        first = end;
    }
    misfits
}

fn is_misfit(
    generated: &Generated<'_>,
    placed: &Placed,
    block: Range<usize>,
    sources: &[OriginalFile<'_>],
) -> bool {
    let (mut counted, mut token_starts) = (0, 0);
    for is_token_start in block.clone().filter_map(|at| is_token_start(generated, placed, at)) {
        counted += 1;
        token_starts += u32::from(is_token_start);
    }
    if counted < BLOCK_SEGMENTS_MIN
        || is_at_least(token_starts, BLOCK_TOKEN_START_PERCENT_MIN, counted)
    {
        return false;
    }
    let (mut compared, mut equal) = (0, 0);
    for is_equal in block.filter_map(|at| is_equal(generated, placed, at, sources)) {
        compared += 1;
        equal += u32::from(is_equal);
    }
    compared == 0 || !is_at_least(equal, BLOCK_EQUAL_PERCENT_MIN, compared)
}

/// Returns whether a segment does not begin in the middle of a word; `None` if it maps nothing.
fn is_token_start(generated: &Generated<'_>, placed: &Placed, at: usize) -> Option<bool> {
    let byte =
        generated.byte_of(placed.offsets[at]).filter(|_| placed.segments[at].source != NONE)?;
    let (before, after) = generated.text.split_at(byte);
    let is_inside_word = before.chars().next_back().is_some_and(is_identifier_part)
        && after.chars().next().is_some_and(is_identifier_part);
    Some(!is_inside_word)
}

/// Returns whether a segment's word is the same in the original text; `None` if there is nothing to compare.
fn is_equal(
    generated: &Generated<'_>,
    placed: &Placed,
    at: usize,
    sources: &[OriginalFile<'_>],
) -> Option<bool> {
    let segment = &placed.segments[at];
    let byte = generated.byte_of(placed.offsets[at])?;
    let identifier =
        identifier(&generated.text[byte..]).filter(|name| name.len() >= IDENTIFIER_BYTES_MIN)?;
    let (_, original) = sources.get(segment.source as usize)?;
    Some(
        original.as_ref()?.identifier_at(segment.source_line, segment.source_column)
            == Some(identifier),
    )
}

fn is_at_least(part: u32, percent: u32, whole: u32) -> bool {
    u64::from(part) * 100 >= u64::from(percent) * u64::from(whole)
}
