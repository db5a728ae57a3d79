//! Judges whether a map belongs to a minified text.
//!
//! Measured over eight bundlers: in a right map all segments lie inside the text, at least 97.9 % of them at the
//! start of a token, and 88 % or more of the longer identifiers are the same in the original text at the mapped
//! place (properties and globals survive minifying). A map of another bundle: 53 % and 0.7 %.

use serde::{Deserialize, Serialize};

use super::OriginalFile;
use super::map::NONE;
use super::placed::Placed;
use super::text::{Generated, identifier, is_identifier_part};
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
        let segment = &placed.segments[at];
        let Some(byte) = generated.byte_of(placed.offsets[at]).filter(|_| segment.source != NONE)
        else {
            return;
        };
        let (before, after) = generated.text.split_at(byte);
        self.sampled += 1;
        let is_inside_word = before.chars().next_back().is_some_and(is_identifier_part)
            && after.chars().next().is_some_and(is_identifier_part);
        self.token_starts += u32::from(!is_inside_word);
        let identifier = identifier(after).filter(|name| name.len() >= IDENTIFIER_BYTES_MIN);
        let original = sources.get(segment.source as usize).and_then(|(_, text)| text.as_ref());
        if let (Some(identifier), Some(original)) = (identifier, original) {
            self.compared += 1;
            let found = original.identifier_at(segment.source_line, segment.source_column);
            self.equal += u32::from(found == Some(identifier));
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

fn is_at_least(part: u32, percent: u32, whole: u32) -> bool {
    u64::from(part) * 100 >= u64::from(percent) * u64::from(whole)
}
