//! One coordinate for the whole generated text: a line's start plus the column.
//!
//! Minified bundles have few, very long lines, so one sorted table beats one per line.

use super::map::{NONE, Segment};
use super::text::Generated;
use crate::unusable::Unusable;

/// Without the minified text nothing says where a line ends. So many columns from its last segment on still count
/// as mapped by it, in UTF-16 units: room for the last expression of a line, not for another build's.
pub(crate) const LAST_SEGMENT_COLUMNS: u32 = 128;

/// Most lines of a map without its text.
const LINES_MAX: u32 = 10_000_000;

/// Where the lines of the generated text lie in the coordinate, in UTF-16 units.
#[derive(Debug)]
pub(crate) struct Coordinates {
    pub(crate) starts: Vec<u32>,
    pub(crate) lengths: Vec<u32>,
}

impl Coordinates {
    pub(crate) fn of_text(generated: &Generated<'_>) -> Self {
        Self { starts: generated.line_starts.clone(), lengths: generated.line_lengths.clone() }
    }

    /// Invents lines that reach a little beyond their last segments, which must be sorted.
    pub(crate) fn of_segments(segments: &[Segment]) -> Result<Self, Unusable> {
        let line_count = segments.last().map_or(0, |last| last.line.saturating_add(1));
        if line_count > LINES_MAX {
            return Err(Unusable::TooLarge(format!(
                "the map has {line_count} lines, at most {LINES_MAX}"
            )));
        }
        let mut lengths = vec![0; line_count as usize];
        for segment in segments {
            lengths[segment.line as usize] = segment.column.saturating_add(LAST_SEGMENT_COLUMNS);
        }
        let mut start = 0u32;
        let mut starts = Vec::with_capacity(lengths.len());
        for length in &lengths {
            starts.push(start);
            start = start.checked_add(*length).ok_or_else(|| {
                Unusable::TooLarge("the map's columns do not fit 32 bits together".to_owned())
            })?;
        }
        Ok(Self { starts, lengths })
    }

    /// Returns the offset of a place; the end of a line is still inside.
    fn offset(&self, line: u32, column: u32) -> Option<u32> {
        let length = *self.lengths.get(line as usize)?;
        (column <= length).then(|| self.starts[line as usize].checked_add(column)).flatten()
    }

    /// Returns the offset behind the last line.
    pub(crate) fn end(&self) -> u32 {
        let (Some(start), Some(length)) = (self.starts.last(), self.lengths.last()) else {
            return 0;
        };
        start.saturating_add(*length)
    }
}

/// The segments that lie inside of the text, sorted; one per offset.
#[derive(Debug, Default)]
pub(crate) struct Placed {
    pub(crate) offsets: Vec<u32>,
    pub(crate) segments: Vec<Segment>,
    /// Number of segments inside, before those at one offset became one.
    pub(crate) inside_count: usize,
}

impl Placed {
    /// Returns the segment that begins exactly at `offset`.
    pub(crate) fn starting_at(&self, offset: u32) -> Option<&Segment> {
        self.offsets
            .binary_search(&offset)
            .ok()
            .map(|at| &self.segments[at])
            .filter(|segment| segment.source != NONE)
    }
}

/// Places sorted segments in the coordinate.
pub(crate) fn place(segments: &[Segment], coordinates: &Coordinates) -> Placed {
    let mut placed = Placed::default();
    for segment in segments {
        let Some(offset) = coordinates.offset(segment.line, segment.column) else { continue };
        placed.inside_count += 1;
        if placed.offsets.last() == Some(&offset) {
            placed.offsets.pop();
            placed.segments.pop();
        }
        placed.offsets.push(offset);
        placed.segments.push(*segment);
    }
    placed
}
