//! Runs a line program into rows.
//!
//! An interpreter of our own over the bytes that `gimli` delimits: linkers leave sequences for discarded code
//! in place whose addresses start at 0 and may step back, and what such a step means has to be decided here:
//! a row whose successor lies before it has no known length and is dropped.

use super::code::{CodeMap, Span};

/// Most rows executed per file, so that a crafted program cannot run for hours.
///
/// libjvm's debug file, 368 MB, has 6.3 million.
const ROWS_MAX: u64 = 1 << 28;

/// What the header of a line program says about its instructions.
#[derive(Debug, Clone)]
pub(super) struct Encoding<'a> {
    pub(super) minimum_instruction_length: u8,
    pub(super) line_base: i8,
    pub(super) line_range: u8,
    pub(super) opcode_base: u8,
    pub(super) standard_opcode_lengths: &'a [u8],
    pub(super) is_big_endian: bool,
}

/// A run of code with one file and line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) span: Span,
    /// Index of the file in the program's table, or, after translation, the path's string offset.
    pub(super) file: u32,
    /// 0 where the compiler gave no line.
    pub(super) line: u32,
}

/// How many rows all programs of one file may still execute.
#[derive(Debug)]
pub(super) struct Budget(u64);

impl Default for Budget {
    fn default() -> Self {
        Self(ROWS_MAX)
    }
}

/// Runs `program`, appending its rows to `rows` in program order; returns whether it ended as it should.
pub(super) fn run(
    program: &[u8],
    encoding: &Encoding<'_>,
    code: &CodeMap,
    budget: &mut Budget,
    rows: &mut Vec<Row>,
) -> bool {
    let mut machine = Machine { encoding, code, rows, file: 1, line: 1, address: 0, pending: None };
    let mut input = Input { bytes: program, at: 0 };
    while input.at < program.len() {
        let Some(emits) = machine.step(&mut input) else {
            return false;
        };
        if emits {
            let Some(left) = budget.0.checked_sub(1) else {
                return false;
            };
            budget.0 = left;
            machine.emit();
        }
    }
    true
}

struct Machine<'a, 'r> {
    encoding: &'a Encoding<'a>,
    code: &'a CodeMap,
    rows: &'r mut Vec<Row>,
    file: u64,
    line: u64,
    address: u64,
    /// The row whose end is not known yet: address, file, line.
    pending: Option<(u64, u64, u64)>,
}

impl Machine<'_, '_> {
    /// Executes one instruction; returns whether it emits a row, `None` if the program is cut off or broken.
    #[inline]
    fn step(&mut self, input: &mut Input<'_>) -> Option<bool> {
        let opcode = input.u8()?;
        if opcode >= self.encoding.opcode_base {
            self.special(opcode)?;
            return Some(true);
        }
        match opcode {
            0 => return self.extended(input),
            1 => return Some(true),
            2 => self.advance(input.uleb()?),
            3 => self.line = self.line.wrapping_add_signed(input.sleb()?),
            4 => self.file = input.uleb()?,
            8 => {
                let advance =
                    (255 - self.encoding.opcode_base).checked_div(self.encoding.line_range)?;
                self.advance(u64::from(advance));
            }
            9 => {
                self.address =
                    self.address.wrapping_add(input.number(2, self.encoding.is_big_endian)?);
            }
            6 | 7 | 10 | 11 => {}
            5 | 12 => {
                input.uleb()?;
            }
            unknown => {
                let count = *self.encoding.standard_opcode_lengths.get(usize::from(unknown) - 1)?;
                for _ in 0..count {
                    input.uleb()?;
                }
            }
        }
        Some(false)
    }

    #[inline]
    fn special(&mut self, opcode: u8) -> Option<()> {
        let adjusted = opcode - self.encoding.opcode_base;
        self.advance(u64::from(adjusted.checked_div(self.encoding.line_range)?));
        let line =
            i64::from(self.encoding.line_base) + i64::from(adjusted % self.encoding.line_range);
        self.line = self.line.wrapping_add_signed(line);
        Some(())
    }

    fn extended(&mut self, input: &mut Input<'_>) -> Option<bool> {
        let length = usize::try_from(input.uleb()?).ok()?;
        let end = input.at.checked_add(length).filter(|end| *end <= input.bytes.len())?;
        if length > 0 {
            match input.u8()? {
                1 => self.end_sequence(),
                2 => self.address = input.number(length - 1, self.encoding.is_big_endian)?,
                _ => {}
            }
        }
        input.at = end;
        Some(false)
    }

    #[inline]
    fn advance(&mut self, operations: u64) {
        let length = u64::from(self.encoding.minimum_instruction_length);
        self.address = self.address.wrapping_add(operations.wrapping_mul(length));
    }

    #[inline]
    fn emit(&mut self) {
        self.close();
        self.pending = Some((self.address, self.file, self.line));
    }

    fn end_sequence(&mut self) {
        self.close();
        (self.pending, self.file, self.line, self.address) = (None, 1, 1, 0);
    }

    /// Ends the pending row here. One without length is superseded by the next at the same address.
    #[inline]
    fn close(&mut self) {
        let Some((start, file, line)) = self.pending else {
            return;
        };
        let Some(span) = self.code.span(start, self.address) else {
            return;
        };
        // A file number or line beyond 32 bits is as good as none.
        let file = u32::try_from(file).unwrap_or(u32::MAX);
        let line = u32::try_from(line).unwrap_or(0);
        match self.rows.last_mut() {
            Some(last) if last.span.end == span.start && last.file == file && last.line == line => {
                last.span.end = span.end;
            }
            _ => self.rows.push(Row { span, file, line }),
        }
    }
}

struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Input<'_> {
    #[inline]
    fn u8(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    #[inline]
    fn uleb(&mut self) -> Option<u64> {
        let (mut value, mut shift) = (0_u64, 0_u32);
        loop {
            let byte = self.u8()?;
            if shift < 64 {
                value |= u64::from(byte & 0x7f) << shift;
            }
            if byte & 0x80 == 0 {
                return Some(value);
            }
            shift = shift.saturating_add(7);
        }
    }

    #[inline]
    fn sleb(&mut self) -> Option<i64> {
        let (mut value, mut shift) = (0_i64, 0_u32);
        loop {
            let byte = self.u8()?;
            if shift < 64 {
                value |= i64::from(byte & 0x7f) << shift;
            }
            shift = shift.saturating_add(7);
            if byte & 0x80 == 0 {
                if shift < 64 && byte & 0x40 != 0 {
                    value |= -1_i64 << shift;
                }
                return Some(value);
            }
        }
    }

    fn number(&mut self, length: usize, is_big_endian: bool) -> Option<u64> {
        let bytes = self
            .bytes
            .get(self.at..self.at.checked_add(length)?)
            .filter(|bytes| bytes.len() <= 8)?;
        self.at += length;
        let shift_in = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if is_big_endian {
            bytes.iter().fold(0, shift_in)
        } else {
            bytes.iter().rev().fold(0, shift_in)
        })
    }
}
