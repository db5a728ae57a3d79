//! Reads a source map (ECMA-426), lenient where a slip costs nothing and strict where it would make lines wrong.
//!
//! A name that is no text, a source that is `null` or a column out of order is worth a note; a digit outside of
//! the alphabet is not, because all that follows it would be shifted. Index maps come out flat.
//! Not in here: `rangeMappings` and `scopes`, which are proposals, and the function maps of Hermes.

mod raw;

use std::borrow::Cow;

use protocol::id::DebugId;

use self::raw::{RawMap, RawOffset, RawSection};
use super::vlq;
use crate::unusable::Unusable;

/// Most segments of one map: 24 bytes each while deriving. The largest real bundle we know has 2.3 million.
const SEGMENTS_MAX: usize = 30_000_000;

/// Most sources, and most names, of one map.
const ENTRIES_MAX: usize = 5_000_000;

/// Stands for "no source" and "no name".
pub(crate) const NONE: u32 = u32::MAX;

/// One mapping: a place in the generated text and where it came from. Lines and columns count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Index into the sources; `NONE` ends the mapping before it.
    pub(crate) source: u32,
    pub(crate) source_line: u32,
    pub(crate) source_column: u32,
    /// Index into the names.
    pub(crate) name: u32,
}

/// One original file, its `sourceRoot` applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source<'a> {
    /// `None` where the map says `null`.
    pub(crate) name: Option<String>,
    pub(crate) text: Option<Cow<'a, str>>,
}

/// A source map without sections. The segments are sorted by line and column; of several at one place the last one
/// counts, because the others cover nothing.
#[derive(Debug, Default)]
pub(crate) struct Map<'a> {
    pub(crate) sources: Vec<Source<'a>>,
    pub(crate) names: Vec<Cow<'a, str>>,
    pub(crate) segments: Vec<Segment>,
    pub(crate) debug_id: Option<DebugId>,
    /// What was wrong with the map and could be passed over.
    pub(crate) problems: Vec<String>,
}

impl<'a> Map<'a> {
    /// Reads the JSON text of a map.
    pub(crate) fn parse(json: &'a [u8]) -> Result<Self, Unusable> {
        let raw: RawMap<'a> = serde_json::from_slice(without_prefix(json))
            .map_err(|error| Unusable::Malformed(format!("the source map is not read: {error}")))?;
        if raw.sections.is_none() && raw.mappings.0.is_none() {
            return Err(Unusable::Malformed("a source map needs mappings or sections".to_owned()));
        }
        let mut map = Map { debug_id: raw.debug_id(), ..Map::default() };
        map.add(raw, (0, 0))?;
        if !map.segments.is_sorted_by_key(|segment| (segment.line, segment.column)) {
            map.segments.sort_by_key(|segment| (segment.line, segment.column));
        }
        Ok(map)
    }

    fn add(&mut self, raw: RawMap<'a>, offset: (u32, u32)) -> Result<(), Unusable> {
        match raw.sections {
            Some(sections) => self.add_sections(sections, offset),
            None => self.add_regular(raw, offset),
        }
    }

    fn add_sections(
        &mut self,
        mut sections: Vec<RawSection<'a>>,
        offset: (u32, u32),
    ) -> Result<(), Unusable> {
        sections.sort_by_key(|section| (section.offset.line, section.offset.column));
        let mut starts = sections
            .iter()
            .map(|section| shifted(section.offset, offset))
            .skip(1)
            .collect::<Vec<_>>()
            .into_iter();
        for section in sections {
            let start = shifted(section.offset, offset);
            let first = self.segments.len();
            // A section begins unmapped: what stands before its first segment is not the previous section's.
            self.segments.push(unmapped(start));
            match section.map {
                Some(map) => self.add(*map, start)?,
                None => {
                    self.note(|| {
                        "a section refers to its map by url, which is not read".to_owned()
                    });
                }
            }
            if let Some(next) = starts.next() {
                self.end_section(first, next);
            }
        }
        Ok(())
    }

    /// Drops the segments from `first` on that reach into the next section.
    fn end_section(&mut self, first: usize, next: (u32, u32)) {
        let mut kept = first;
        for at in first..self.segments.len() {
            let segment = self.segments[at];
            if (segment.line, segment.column) < next {
                self.segments[kept] = segment;
                kept += 1;
            }
        }
        if kept < self.segments.len() {
            self.segments.truncate(kept);
            self.note(|| "a section reaches into the next one".to_owned());
        }
    }

    fn add_regular(&mut self, raw: RawMap<'a>, offset: (u32, u32)) -> Result<(), Unusable> {
        let bases = Bases { source: self.sources.len(), name: self.names.len() };
        let root = raw.source_root.0.unwrap_or_default();
        let mut contents = raw.sources_content.0.into_iter();
        for source in raw.sources.0 {
            let name = source.0.map(|source| rooted(&root, source));
            self.sources.push(Source { name, text: contents.next().and_then(|text| text.0) });
        }
        self.names.extend(raw.names.0.into_iter().map(|name| name.0.unwrap_or_default()));
        if self.sources.len() > ENTRIES_MAX || self.names.len() > ENTRIES_MAX {
            return Err(Unusable::TooLarge(format!(
                "the map has more than {ENTRIES_MAX} sources or names"
            )));
        }
        self.decode(raw.mappings.0.as_deref().unwrap_or_default(), offset, &bases)
    }

    fn decode(
        &mut self,
        mappings: &str,
        offset: (u32, u32),
        bases: &Bases,
    ) -> Result<(), Unusable> {
        let mut state = vlq::State::default();
        for (number, line) in mappings.split(';').enumerate() {
            let line_number = u32::try_from(number).unwrap_or(NONE).saturating_add(offset.0);
            let column_offset = if number == 0 { offset.1 } else { 0 };
            state.start_line();
            for text in line.split(',').filter(|text| !text.is_empty()) {
                let values = state.advance(text).map_err(|problem| {
                    Unusable::Malformed(format!(
                        "mappings, line {}: {problem}",
                        u64::from(line_number) + 1
                    ))
                })?;
                if self.segments.len() >= SEGMENTS_MAX {
                    return Err(Unusable::TooLarge(format!(
                        "the map has more than {SEGMENTS_MAX} segments"
                    )));
                }
                if let Some(segment) = self.segment(&values, bases) {
                    let column = segment.column.saturating_add(column_offset);
                    self.segments.push(Segment { line: line_number, column, ..segment });
                }
            }
        }
        Ok(())
    }

    /// Checks the numbers of one segment. A place that cannot be is worse than none: then the segment is unmapped.
    fn segment(&mut self, values: &vlq::Values, bases: &Bases) -> Option<Segment> {
        let Ok(column) = u32::try_from(values.column) else {
            self.note(|| "a segment has a negative or too large column".to_owned());
            return None;
        };
        let Some((source, line, source_column)) = values.origin else {
            return Some(unmapped((0, column)));
        };
        let index = index_below(source, bases.source, self.sources.len());
        let (Some(source), Ok(source_line), Ok(source_column)) =
            (index, u32::try_from(line), u32::try_from(source_column))
        else {
            self.note(|| "a segment refers to a source, line or column that cannot be".to_owned());
            return Some(unmapped((0, column)));
        };
        let name = match values.name {
            None => NONE,
            Some(name) => index_below(name, bases.name, self.names.len()).unwrap_or_else(|| {
                self.note(|| "a segment refers to a name that is not there".to_owned());
                NONE
            }),
        };
        Some(Segment { line: 0, column, source, source_line, source_column, name })
    }

    fn note(&mut self, problem: impl FnOnce() -> String) {
        const PROBLEMS_MAX: usize = 20;
        if self.problems.len() < PROBLEMS_MAX {
            let problem = problem();
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
    }
}

/// Where the current section's sources and names begin.
struct Bases {
    source: usize,
    name: usize,
}

fn index_below(value: i64, base: usize, end: usize) -> Option<u32> {
    let index = base.checked_add(usize::try_from(value).ok()?)?;
    (index < end).then(|| u32::try_from(index).ok()).flatten()
}

fn unmapped((line, column): (u32, u32)) -> Segment {
    Segment { line, column, source: NONE, source_line: 0, source_column: 0, name: NONE }
}

fn shifted(offset: RawOffset, by: (u32, u32)) -> (u32, u32) {
    let column = if offset.line == 0 { offset.column.saturating_add(by.1) } else { offset.column };
    (offset.line.saturating_add(by.0), column)
}

/// Applies `sourceRoot`; a source that is absolute stays what it is.
fn rooted(root: &str, source: Cow<'_, str>) -> String {
    let is_absolute = source.starts_with('/') || source.contains("://");
    match root.trim_end_matches('/') {
        _ if root.is_empty() || is_absolute => source.into_owned(),
        root => format!("{root}/{source}"),
    }
}

/// Cuts off the line `)]}'…` that keeps a map from being run as a script.
fn without_prefix(json: &[u8]) -> &[u8] {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    if !json.starts_with(b")]}") {
        return json;
    }
    match json.iter().position(|byte| *byte == b'\n' || *byte == b'\r') {
        Some(end) => &json[end..],
        None => &[],
    }
}

#[cfg(test)]
mod tests;
