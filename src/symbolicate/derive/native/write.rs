//! Lays the tables out as a look-up file.

use super::dwarf::{Scope, Tables};
use super::name::Name;
use super::piece::Piece;
use super::{Derived, Report};
use crate::language::Language;
use crate::native::format::{
    BUCKETS, HEADER_BYTES, MAGIC, NAMES, NONE, RECORD_BYTES, SCOPES, SECTIONS, SEGMENTS, STARTS,
    STRINGS, VERSION,
};
use crate::unusable::Unusable;

/// Smallest bucket of the address index: 256 bytes of code.
const BUCKET_SHIFT_MIN: u32 = 8;

/// Name of a function whose entry has none.
const NAMELESS: &str = "<unknown>";

/// Start, scope, file and line of a run of code; a hole has no scope.
type Segment = (u32, u32, u32, u32);

/// Writes the file. `pieces` are disjoint and ascending, and each has a scope.
pub(super) fn write(
    load_address: u64,
    pieces: &[Piece],
    mut tables: Tables,
) -> Result<Derived, Unusable> {
    let segments = segments(pieces);
    let names = name_all(&mut tables);
    let (shift, buckets) = buckets(&segments);
    let mut report = Report {
        functions: tables.scopes.iter().filter(|scope| scope.parent == NONE).count(),
        ranges: tables.scopes.len(),
        rows: segments.len(),
        strings_bytes: 0,
        notes: tables.notes.texts(),
    };
    let strings = tables.strings.finish()?;
    report.strings_bytes = strings.len();
    let counts = [
        buckets.len(),
        segments.len(),
        segments.len(),
        tables.scopes.len(),
        names.len(),
        strings.len(),
    ];
    let mut file = File::with_header(load_address, shift, counts)?;
    file.numbers(buckets);
    file.numbers(segments.iter().map(|segment| segment.0));
    file.numbers(segments.iter().flat_map(|(_, scope, path, line)| [*scope, *path, *line]));
    let scopes = tables.scopes.iter().zip(&tables.scope_names);
    file.numbers(scopes.flat_map(|(scope, name)| scope_record(scope, *name)));
    file.numbers(
        names
            .iter()
            .flat_map(|name| [name.function, name.symbol, name.display, name.language as u32]),
    );
    file.bytes.extend_from_slice(&strings);
    Ok(Derived { bytes: file.bytes, report })
}

fn scope_record(scope: &Scope, name: u32) -> [u32; 4] {
    [name, scope.parent, scope.file_or_entry, scope.line]
}

/// Gives every scope a name and returns the table of names.
fn name_all(tables: &mut Tables) -> Vec<Name> {
    let nameless = tables.names.add(&mut tables.strings, NAMELESS, None, Language::Unknown);
    for name in &mut tables.scope_names {
        if *name == NONE {
            *name = nameless;
        }
    }
    std::mem::take(&mut tables.names.table)
}

/// Joins equal neighbours and makes the holes between pieces explicit.
fn segments(pieces: &[Piece]) -> Vec<Segment> {
    let mut segments: Vec<Segment> = Vec::with_capacity(pieces.len() + 1);
    let mut reached = 0;
    let mut push = |segment: Segment| match segments.last() {
        Some(last) if (last.1, last.2, last.3) == (segment.1, segment.2, segment.3) => {}
        _ => segments.push(segment),
    };
    for piece in pieces {
        if piece.span.start > reached && reached > 0 {
            push((reached, NONE, NONE, 0));
        }
        push((piece.span.start, piece.scope, piece.file, piece.line));
        reached = piece.span.end;
    }
    if reached > 0 {
        push((reached, NONE, NONE, 0));
    }
    segments
}

/// Builds the index: for each bucket of code, the last segment that begins at or before its first byte.
///
/// Buckets grow until there are no more of them than segments, so a hole of gigabytes costs nothing.
fn buckets(segments: &[Segment]) -> (u32, Vec<u32>) {
    let (Some(first), Some(last)) = (segments.first(), segments.last()) else {
        return (BUCKET_SHIFT_MIN, Vec::new());
    };
    let length = last.0 - first.0;
    let mut shift = BUCKET_SHIFT_MIN;
    while (length >> shift) as usize > segments.len() {
        shift += 1;
    }
    let count = (length >> shift) + 1;
    let mut segment = 0;
    let last_before = |bucket: u32| {
        while segments.get(segment + 1).is_some_and(|next| next.0 - first.0 <= bucket << shift) {
            segment += 1;
        }
        segment as u32
    };
    (shift, (0..count).map(last_before).collect())
}

struct File {
    bytes: Vec<u8>,
}

impl File {
    fn with_header(
        load_address: u64,
        bucket_shift: u32,
        counts: [usize; SECTIONS],
    ) -> Result<Self, Unusable> {
        // The order of the sections in the file is that of their numbers.
        const {
            assert!(
                BUCKETS < STARTS
                    && STARTS < SEGMENTS
                    && SEGMENTS < SCOPES
                    && SCOPES < NAMES
                    && NAMES < STRINGS
            );
        };
        let length = HEADER_BYTES
            + counts.iter().zip(RECORD_BYTES).map(|(count, bytes)| count * bytes).sum::<usize>();
        let mut bytes = Vec::with_capacity(length);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&bucket_shift.to_le_bytes());
        bytes.extend_from_slice(&load_address.to_le_bytes());
        bytes.extend_from_slice(&(length as u64).to_le_bytes());
        let mut offset = HEADER_BYTES;
        for (count, record_bytes) in counts.into_iter().zip(RECORD_BYTES) {
            let number = u32::try_from(count)
                .map_err(|_| Unusable::TooLarge(format!("a table has {count} records")))?;
            bytes.extend_from_slice(&(offset as u64).to_le_bytes());
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&0_u32.to_le_bytes());
            offset += count * record_bytes;
        }
        Ok(Self { bytes })
    }

    fn numbers(&mut self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
    }
}
