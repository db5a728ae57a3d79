//! Runs of code that do not overlap: scopes painted over each other and laid on the rows.

use std::collections::BinaryHeap;

use super::code::Span;
use super::line::Row;
use crate::native::format::NONE;

/// A run of code with its innermost scope, file and line; `NONE` and line 0 where unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) span: Span,
    pub(super) scope: u32,
    pub(super) file: u32,
    pub(super) line: u32,
}

/// Reduces overlapping spans to disjoint ones, ascending: where several cover a byte, the one with the
/// greatest rank wins.
///
/// Ranked in the order of the entries, this gives each byte to its innermost scope (children follow parents),
/// and where two functions claim the same code, to the whole chain of the later one.
pub(super) fn paint<R: Ord + Copy>(mut spans: Vec<(Span, R)>) -> Vec<(Span, R)> {
    spans.sort_unstable_by_key(|(span, rank)| (span.start, *rank));
    let mut painted: Vec<(Span, R)> = Vec::with_capacity(spans.len() + spans.len() / 2);
    let mut active: BinaryHeap<(R, u32)> = BinaryHeap::new();
    let mut waiting = spans.into_iter().peekable();
    let mut at = 0;
    loop {
        while active.peek().is_some_and(|(_, end)| *end <= at) {
            active.pop();
        }
        let next = waiting.peek().map(|(span, _)| span.start);
        match (active.peek(), next) {
            (None, None) => return painted,
            (None, Some(next)) => at = next,
            (Some((rank, end)), next) => {
                let stop = next.map_or(*end, |next| next.min(*end));
                if stop > at {
                    lay(&mut painted, Span { start: at, end: stop }, *rank);
                }
                at = stop;
            }
        }
        while let Some((span, rank)) = waiting.next_if(|(span, _)| span.start == at) {
            active.push((rank, span.end));
        }
    }
}

fn lay<R: PartialEq + Copy>(painted: &mut Vec<(Span, R)>, span: Span, rank: R) {
    match painted.last_mut() {
        Some((last, last_rank)) if last.end == span.start && *last_rank == rank => {
            last.end = span.end;
        }
        _ => painted.push((span, rank)),
    }
}

/// Sorts rows by address and cuts each where the next begins.
///
/// Sequences of one unit may overlap and come in any order, so they are never trusted one by one.
pub(super) fn sort_rows(rows: &mut Vec<Row>) {
    let is_sorted = rows.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start);
    if is_sorted {
        return;
    }
    rows.sort_by_key(|row| row.span.start);
    for index in 1..rows.len() {
        let next = rows[index].span.start;
        let row = &mut rows[index - 1];
        row.span.end = row.span.end.min(next);
    }
    rows.retain(|row| row.span.start < row.span.end);
}

/// Lays painted scopes on sorted rows: one piece wherever there is either.
pub(super) fn lay_on_rows(scopes: &[(Span, u32)], rows: &[Row], pieces: &mut Vec<Piece>) {
    let (mut scopes, mut rows) = (scopes.iter().peekable(), rows.iter().peekable());
    let mut at = 0;
    loop {
        while scopes.next_if(|(span, _)| span.end <= at).is_some() {}
        while rows.next_if(|row| row.span.end <= at).is_some() {}
        let (scope, row) = (scopes.peek(), rows.peek());
        let starts = [scope.map(|(span, _)| span.start), row.map(|row| row.span.start)];
        let Some(first) = starts.into_iter().flatten().min() else {
            return;
        };
        at = at.max(first);
        let scope_here = scope.filter(|(span, _)| span.start <= at);
        let row_here = row.filter(|row| row.span.start <= at);
        let ends = [scope_here.map(|(span, _)| span.end), row_here.map(|row| row.span.end)];
        let next_starts = starts.into_iter().flatten().filter(|start| *start > at);
        let Some(end) = ends.into_iter().flatten().chain(next_starts).min() else {
            return;
        };
        pieces.push(Piece {
            span: Span { start: at, end },
            scope: scope_here.map_or(NONE, |(_, scope)| *scope),
            file: row_here.map_or(NONE, |row| row.file),
            line: row_here.map_or(0, |row| row.line),
        });
        at = end;
    }
}

/// Merges the pieces of all units into disjoint ones, ascending.
///
/// Where units overlap, a piece with a scope wins over one without, then the later unit's.
pub(super) fn merge(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.sort_by_key(|piece| piece.span.start);
    if pieces.windows(2).all(|pair| pair[0].span.end <= pair[1].span.start) {
        return pieces;
    }
    // Scopes are numbered in the order of the units. Pieces of one scope do not overlap.
    let rank = |(index, piece): (usize, &Piece)| (piece.span, (piece.scope.wrapping_add(1), index));
    let ranked = pieces.iter().enumerate().map(rank).collect();
    let painted = paint(ranked).into_iter();
    painted.map(|(span, (_, index))| Piece { span, ..pieces[index] }).collect()
}
