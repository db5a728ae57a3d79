//! Derives a look-up file from a source map and, if there is one, the minified text that it belongs to.
//!
//! Everything slow happens here, once: decoding, finding the functions of the minified text and their original
//! names, and judging whether the map belongs to the text at all. [`crate::js::JsLookup`] reads the result.
//!
//! Runs in the worker: the parser of the minified text descends as deep as its expressions are nested, on a
//! stack of [`STACK_BYTES`]; a text made to exceed that ends the process.

mod evidence;
mod functions;
mod map;
mod names;
mod placed;
mod text;
mod vlq;

use std::collections::HashMap;

use protocol::id::DebugId;
use serde::{Deserialize, Serialize};

pub use self::evidence::Evidence;
use self::map::{Map, NONE};
use self::names::Namer;
use self::placed::{Coordinates, Placed, place};
use self::text::{Generated, Text};
use crate::derive::sources::SourceSet;
use crate::js::{HAS_TEXT, HEAD_LEN, MAGIC, VERSION};
use crate::sections::{self, table};
use crate::unusable::Unusable;

/// Largest minified text whose functions are found, in bytes: the syntax tree takes several times as much.
const PARSED_BYTES_MAX: usize = 64 << 20;

/// Stack for parsing. Real bundles join ten thousand strings with `+`, one frame each.
pub const STACK_BYTES: usize = 256 << 20;

/// Longest name of a function or a token, in bytes.
const NAME_BYTES_MAX: usize = 1000;

/// Columns per bucket of the index, as a power of two, where the segments are dense.
const BUCKET_SHIFT: u32 = 6;

/// A derived look-up file.
#[derive(Debug, Clone)]
pub struct Derived {
    /// The file.
    pub bytes: Vec<u8>,
    /// What was found on the way.
    pub report: Report,
}

/// What a map and its text turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The map's own debug id.
    pub debug_id: Option<DebugId>,
    /// Number of original files.
    pub source_count: u32,
    /// How many of them come without text, so that no context can be shown.
    pub sources_without_text: u32,
    /// Number of segments kept.
    pub segment_count: u32,
    /// Number of functions in the minified text.
    pub function_count: u32,
    /// How many of them have an original name; the others are anonymous or their name is not known.
    pub named_function_count: u32,
    /// How well the map fits the minified text; `None` without it.
    pub evidence: Option<Evidence>,
    /// Number of 4096-column blocks of the minified text that the map does not fit; positions there get no answer.
    pub misfit_block_count: u32,
    /// What was wrong and could be passed over.
    pub problems: Vec<String>,
}

/// Derives the look-up file of `map`; with the minified text it checks columns and names functions.
///
/// # Errors
///
/// When the map cannot be read, exceeds a limit, or was made for another text ([`Unusable::WrongMap`]).
pub fn derive(minified: Option<&[u8]>, map: &[u8]) -> Result<Derived, Unusable> {
    let mut map = Map::parse(map)?;
    let mut report = Report {
        debug_id: map.debug_id,
        problems: std::mem::take(&mut map.problems),
        ..Report::default()
    };
    // Hermes bytecode is uploaded as an empty script that only carries the debug id (sentry-cli 3.8.2).
    let generated = minified.filter(|text| !text.trim_ascii().is_empty()).map(Generated::new);
    let coordinates = match &generated {
        Some(generated) => Coordinates::of_text(generated),
        None => Coordinates::of_segments(&map.segments)?,
    };
    let placed = place(&map.segments, &coordinates);
    let Map { sources, names, segments, .. } = map;
    let sources: Vec<_> =
        sources.into_iter().map(|source| (source.name, source.text.map(Text::new))).collect();
    report.evidence = match &generated {
        Some(generated) => Some(Evidence::checked(generated, segments.len(), &placed, &sources)?),
        None => None,
    };
    drop(segments);

    let mut file = LookupFile::new(names.into_iter());
    if let Some(generated) = &generated {
        let namer = Namer { generated, placed: &placed, names: &file.names, sources: &sources };
        let scopes = find_functions(generated, &namer, &mut report);
        file.add_scopes(&scopes, &mut report);
        let misfits = evidence::misfit_blocks(generated, &placed, &sources);
        report.misfit_block_count = misfits.len() as u32;
        file.misfits = table(misfits);
    }
    file.add_segments(&placed, &coordinates);
    report.segment_count = placed.offsets.len() as u32;
    let bytes = file.finish(generated.is_some(), source_set(&sources, &mut report)?)?;
    Ok(Derived { bytes, report })
}

/// An original file: its name and its text, where the map has them.
pub(crate) type OriginalFile<'a> = (Option<String>, Option<Text<'a>>);

/// A function of the minified text: its place in the coordinate, the function around it, its original name.
#[derive(Debug)]
struct Scope {
    start: u32,
    end: u32,
    parent: u32,
    name: Option<String>,
}

fn find_functions(generated: &Generated<'_>, namer: &Namer<'_>, report: &mut Report) -> Vec<Scope> {
    if generated.text.len() > PARSED_BYTES_MAX {
        report.problems.push(format!(
            "functions have no names: the text has more than {PARSED_BYTES_MAX} bytes"
        ));
        return Vec::new();
    }
    let resolve = || {
        let functions = functions::find(&generated.text)?;
        let names = namer.names(&functions);
        let scopes = functions.iter().zip(names).map(|(function, name)| Scope {
            start: generated.offset_of(function.start as usize),
            end: generated.offset_of(function.end as usize),
            parent: function.parent,
            name,
        });
        Ok(scopes.collect())
    };
    match on_large_stack(resolve) {
        Ok(scopes) => scopes,
        Err(problem) => {
            report.problems.push(format!("functions have no names: {problem}"));
            Vec::new()
        }
    }
}

fn on_large_stack<T: Send>(work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let thread = thread.map_err(|error| format!("no thread to parse the text on: {error}"))?;
        thread.join().unwrap_or_else(|_| Err("the parser failed on the text".to_owned()))
    })
}

fn source_set(sources: &[OriginalFile<'_>], report: &mut Report) -> Result<Vec<u8>, Unusable> {
    let mut set = SourceSet::default();
    for (name, text) in sources {
        let text = text.as_ref().map(|text| (&*text.text, &text.line_starts[..]));
        report.sources_without_text += u32::from(text.is_none());
        set.add(name.as_deref().unwrap_or_default(), text)?;
    }
    report.source_count = set.len() as u32;
    set.finish()
}

/// The sections of the file, as they grow.
struct LookupFile {
    names: Vec<String>,
    name_indexes: HashMap<String, u32>,
    tables: Vec<Vec<u8>>,
    scopes: [Vec<u8>; 4],
    misfits: Vec<u8>,
    bucket_shift: u32,
}

impl LookupFile {
    fn new<'a>(names: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> Self {
        let names = names.map(|name| cut(name.into_owned())).collect();
        Self {
            names,
            name_indexes: HashMap::new(),
            tables: Vec::new(),
            scopes: Default::default(),
            misfits: Vec::new(),
            bucket_shift: 0,
        }
    }

    fn add_scopes(&mut self, scopes: &[Scope], report: &mut Report) {
        report.function_count = scopes.len() as u32;
        let names: Vec<u32> =
            scopes.iter().map(|scope| self.name_index(scope.name.as_deref())).collect();
        let is_named =
            |scope: &&Scope| scope.name.as_deref().is_some_and(|name| name != crate::js::ANONYMOUS);
        report.named_function_count = scopes.iter().filter(is_named).count() as u32;
        self.scopes = [
            table(scopes.iter().map(|scope| scope.start)),
            table(scopes.iter().map(|scope| scope.end)),
            table(scopes.iter().map(|scope| scope.parent)),
            table(names),
        ];
    }

    fn name_index(&mut self, name: Option<&str>) -> u32 {
        let Some(name) = name else { return NONE };
        if let Some(index) = self.name_indexes.get(name) {
            return *index;
        }
        let index = self.names.len() as u32;
        self.names.push(cut(name.to_owned()));
        self.name_indexes.insert(name.to_owned(), index);
        index
    }

    fn add_segments(&mut self, placed: &Placed, coordinates: &Coordinates) {
        let end = coordinates.end();
        let count = placed.offsets.len();
        self.bucket_shift = BUCKET_SHIFT;
        // Where segments are rare, more buckets than segments would only take space.
        while self.bucket_shift < 31 && (end >> self.bucket_shift) as usize > count + 64 {
            self.bucket_shift += 1;
        }
        let shift = self.bucket_shift;
        let buckets = (0..=end >> shift).map(|bucket| {
            placed.offsets.partition_point(|offset| *offset < bucket << shift) as u32
        });
        let origin = |value: fn(&map::Segment) -> u32| table(placed.segments.iter().map(value));
        self.tables = vec![
            table(coordinates.starts.iter().copied()),
            table(coordinates.lengths.iter().copied()),
            table(placed.offsets.iter().copied()),
            origin(|segment| segment.source),
            origin(|segment| segment.source_line),
            origin(|segment| segment.source_column),
            origin(|segment| segment.name),
            table(buckets),
        ];
    }

    fn finish(self, has_text: bool, sources: Vec<u8>) -> Result<Vec<u8>, Unusable> {
        let head: [u32; HEAD_LEN] = [if has_text { HAS_TEXT } else { 0 }, self.bucket_shift];
        let head = table(head);
        let mut end = 0;
        let name_ends = table(self.names.iter().map(|name| {
            end += name.len() as u32;
            end
        }));
        let names = self.names.concat().into_bytes();
        let mut sections = vec![&head[..]];
        sections.extend(self.tables.iter().chain(&self.scopes).map(Vec::as_slice));
        sections.extend([&name_ends[..], &names, &sources, &self.misfits]);
        sections::write(MAGIC, VERSION, &sections)
            .ok_or_else(|| Unusable::TooLarge("the derived file would exceed 4 GiB".to_owned()))
    }
}

fn cut(mut name: String) -> String {
    if name.len() > NAME_BYTES_MAX {
        name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
    }
    name
}
