//! The symbol table, for code that no debug information covers.

use std::collections::HashMap;

use object::{Object as _, ObjectSymbol, SymbolFlags, SymbolSection, elf};

use super::code::Span;
use super::dwarf::{Scope, Tables};
use super::link;
use super::piece::{Piece, paint};
use super::section::Object;
use crate::language::Language;
use crate::native::format::NONE;

/// The symbols of code, disjoint and ascending.
#[derive(Debug)]
pub(super) struct Symbols<'a> {
    spans: Vec<(Span, u32)>,
    /// Name and entry (module offset) of each symbol.
    symbols: Vec<(&'a str, u32)>,
}

/// How much a symbol is preferred where several cover a byte: one with a size over one without, then the one
/// that begins last, then the best of its kind.
type Rank = (bool, u32, u8, u32);

impl<'a> Symbols<'a> {
    /// Collects the functions of `.symtab` and `.dynsym`.
    pub(super) fn of<'o>(object: &'o Object<'a>) -> Self
    where
        'o: 'a,
    {
        let mut collector =
            Collector { object, symbols: Vec::new(), ranked: Vec::new(), open: Vec::new() };
        for symbol in object.file.symbols() {
            collector.add(&symbol, true);
        }
        for symbol in object.file.dynamic_symbols() {
            collector.add(&symbol, false);
        }
        collector.finish()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Returns the symbol that covers a module offset, and where it begins.
    pub(super) fn at(&self, offset: u32) -> Option<(u32, u32)> {
        let after = self.spans.partition_point(|(span, _)| span.start <= offset);
        let (span, symbol) = *self.spans.get(after.checked_sub(1)?)?;
        (offset < span.end).then(|| (symbol, self.symbols[symbol as usize].1))
    }

    /// Returns the name of a symbol, without the version that dynamic symbols have.
    pub(super) fn name(&self, symbol: u32) -> &'a str {
        without_version(self.symbols[symbol as usize].0)
    }

    /// Gives code without function the symbol that covers it, and drops what still has none.
    pub(super) fn fill(&self, pieces: Vec<Piece>, tables: &mut Tables) -> Vec<Piece> {
        link::link(self, tables);
        let mut filler = Filler {
            symbols: self,
            tables,
            scopes: HashMap::new(),
            next: 0,
            filled: Vec::with_capacity(pieces.len()),
        };
        let mut at = 0;
        for piece in pieces {
            filler.gap(Span { start: at, end: piece.span.start }, NONE, 0);
            if piece.scope == NONE {
                filler.gap(piece.span, piece.file, piece.line);
            } else {
                filler.filled.push(piece);
            }
            at = piece.span.end;
        }
        filler.gap(Span { start: at, end: u32::MAX }, NONE, 0);
        filler.filled
    }
}

struct Collector<'a, 'o> {
    object: &'o Object<'a>,
    symbols: Vec<(&'a str, u32)>,
    ranked: Vec<(Span, Rank)>,
    /// Symbols without size: address and index in `symbols`, and how good they are.
    open: Vec<(u64, u32, u8)>,
}

impl<'a, 'o: 'a> Collector<'a, 'o> {
    /// Takes in one symbol if it names code. `is_complete`: the table it comes from lists every function.
    fn add(&mut self, symbol: &object::Symbol<'a, 'o>, is_complete: bool) {
        let SymbolFlags::Elf { st_info, .. } = symbol.flags() else {
            return;
        };
        let is_function = matches!(st_info.st_type(), elf::STT_FUNC | elf::STT_GNU_IFUNC);
        let is_label = st_info.st_type() == elf::STT_NOTYPE && is_complete;
        if !(is_function || is_label) || !matches!(symbol.section(), SymbolSection::Section(_)) {
            return;
        }
        let Some(name) = symbol.name().ok().filter(|name| is_name(name)) else {
            return;
        };
        let thumb_bit = u64::from(is_function && self.object.has_thumb_addresses());
        let address = symbol.address() & !thumb_bit;
        let Some(entry) = self.object.code.span(address, u64::MAX) else {
            return;
        };
        let index = self.symbols.len() as u32;
        self.symbols.push((name, entry.start));
        // Global before weak before local; a function before a label; `.symtab` before `.dynsym`.
        let binding = match st_info.st_bind() {
            elf::STB_GLOBAL => 2,
            elf::STB_WEAK => 1,
            _ => 0,
        };
        let quality = u8::from(is_complete) + 2 * binding + 8 * u8::from(is_function);
        match self.object.code.span(address, address.saturating_add(symbol.size())) {
            Some(span) => self.ranked.push((span, (true, span.start, quality, index))),
            // Assembler code has no sizes; such a symbol reaches to the next one, if every one is listed.
            None if is_complete => self.open.push((address, index, quality)),
            None => {}
        }
    }

    fn finish(mut self) -> Symbols<'a> {
        let mut starts: Vec<u32> = self.symbols.iter().map(|(_, entry)| *entry).collect();
        starts.sort_unstable();
        for (address, index, quality) in std::mem::take(&mut self.open) {
            let Some(mut span) = self.object.code.span(address, u64::MAX) else {
                continue;
            };
            let next = starts.partition_point(|start| *start <= span.start);
            span.end = starts.get(next).map_or(span.end, |next| span.end.min(*next));
            self.ranked.push((span, (false, span.start, quality, index)));
        }
        let painted = paint(std::mem::take(&mut self.ranked));
        let spans = painted.into_iter().map(|(span, (_, _, _, index))| (span, index)).collect();
        Symbols { spans, symbols: self.symbols }
    }
}

/// Says whether a symbol names code rather than marking it (ARM's `$a`, `$t`, `$d`, `$x`; local labels).
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(".L") && !name.starts_with('$')
}

struct Filler<'s, 'a> {
    symbols: &'s Symbols<'a>,
    tables: &'s mut Tables,
    /// Scope of each symbol used.
    scopes: HashMap<u32, u32>,
    /// First symbol that may reach beyond what is done.
    next: usize,
    filled: Vec<Piece>,
}

impl Filler<'_, '_> {
    /// Fills one run of code that has no function. Runs must come in ascending order.
    fn gap(&mut self, gap: Span, file: u32, line: u32) {
        if gap.start >= gap.end {
            return;
        }
        while let Some((span, symbol)) = self.symbols.spans.get(self.next).copied() {
            if span.start >= gap.end {
                return;
            }
            let span = Span { start: span.start.max(gap.start), end: span.end.min(gap.end) };
            if span.start < span.end {
                let scope = self.scope(symbol);
                self.filled.push(Piece { span, scope, file, line });
            }
            if self.symbols.spans[self.next].0.end > gap.end {
                return;
            }
            self.next += 1;
        }
    }

    fn scope(&mut self, symbol: u32) -> u32 {
        if let Some(scope) = self.scopes.get(&symbol) {
            return *scope;
        }
        let scope = self.tables.scopes.len() as u32;
        let name = self.name(symbol);
        self.tables.scopes.push(Scope::of_symbol(self.symbols.symbols[symbol as usize].1));
        self.tables.scope_names.push(name);
        self.scopes.insert(symbol, scope);
        scope
    }

    fn name(&mut self, symbol: u32) -> u32 {
        let names = &mut self.tables.names;
        names.add(&mut self.tables.strings, self.symbols.name(symbol), None, Language::Unknown)
    }
}

/// Removes the version of a dynamic symbol (`memcpy@@GLIBC_2.14`).
fn without_version(name: &str) -> &str {
    match name.find('@') {
        Some(at) if at > 0 && !name.starts_with('?') => &name[..at],
        _ => name,
    }
}
