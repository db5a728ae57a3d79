//! Base64 VLQ, the numbers in the `mappings` of a source map.

use std::fmt;

/// Why the numbers of a segment cannot be read. Everything behind it would be wrong too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Problem {
    /// A byte outside of the Base64 alphabet.
    Digit(u8),
    /// The last digit says that more follow.
    Unfinished,
    /// The number does not fit.
    TooLarge,
    /// A segment has one, four or five numbers.
    Count(usize),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digit(byte) => write!(f, "byte {byte:#04x} is no Base64 digit"),
            Self::Unfinished => f.write_str("the last number is cut off"),
            Self::TooLarge => f.write_str("a number is too large"),
            Self::Count(count) => write!(f, "a segment has {count} numbers, not 1, 4 or 5"),
        }
    }
}

/// The running values: every number but a line's first column is relative to the one before.
#[derive(Debug, Default)]
pub(crate) struct State {
    column: i64,
    source: i64,
    line: i64,
    source_column: i64,
    name: i64,
}

/// One segment with absolute numbers, not checked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Values {
    pub(crate) column: i64,
    /// Source, line and column.
    pub(crate) origin: Option<(i64, i64, i64)>,
    pub(crate) name: Option<i64>,
}

impl State {
    /// Begins a line of the generated text.
    pub(crate) fn start_line(&mut self) {
        self.column = 0;
    }

    /// Reads one segment.
    pub(crate) fn advance(&mut self, text: &str) -> Result<Values, Problem> {
        let mut bytes = text.bytes();
        let mut numbers = [0; 5];
        let mut count = 0;
        while let Some(number) = number(&mut bytes)? {
            *numbers.get_mut(count).ok_or(Problem::Count(count + 1))? = number;
            count += 1;
        }
        let [column, source, line, source_column, name] = numbers;
        add(&mut self.column, column)?;
        let mut values = Values { column: self.column, origin: None, name: None };
        match count {
            1 => return Ok(values),
            4 | 5 => {}
            count => return Err(Problem::Count(count)),
        }
        add(&mut self.source, source)?;
        add(&mut self.line, line)?;
        add(&mut self.source_column, source_column)?;
        values.origin = Some((self.source, self.line, self.source_column));
        if count == 5 {
            add(&mut self.name, name)?;
            values.name = Some(self.name);
        }
        Ok(values)
    }
}

fn add(value: &mut i64, delta: i64) -> Result<(), Problem> {
    *value = value.checked_add(delta).ok_or(Problem::TooLarge)?;
    Ok(())
}

/// Reads one number; `None` at the end. More digits than needed are fine while they are zero.
fn number(bytes: &mut std::str::Bytes<'_>) -> Result<Option<i64>, Problem> {
    let Some(mut byte) = bytes.next() else { return Ok(None) };
    let (mut value, mut shift) = (0u64, 0u32);
    loop {
        let digit = digit(byte).ok_or(Problem::Digit(byte))?;
        let bits = u64::from(digit & 31);
        if bits != 0 {
            // 40 bits hold every 32-bit number with its sign, and sums of many stay far from overflowing.
            if shift > 35 {
                return Err(Problem::TooLarge);
            }
            value |= bits << shift;
        }
        if digit & 32 == 0 {
            break;
        }
        shift = shift.saturating_add(5);
        byte = bytes.next().ok_or(Problem::Unfinished)?;
    }
    let magnitude = i64::try_from(value >> 1).map_err(|_| Problem::TooLarge)?;
    Ok(Some(if value & 1 == 1 { -magnitude } else { magnitude }))
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, column: i64, origin: Option<(i64, i64, i64)>, name: Option<i64>) {
        assert_eq!(State::default().advance(text), Ok(Values { column, origin, name }), "{text}");
    }

    #[track_caller]
    fn refused(text: &str, problem: Problem) {
        assert_eq!(State::default().advance(text), Err(problem), "{text}");
    }

    #[test]
    fn segments_have_one_four_or_five_numbers() {
        check("A", 0, None, None);
        check("CAAC", 1, Some((0, 0, 1)), None);
        check("gBDACE", 16, Some((-1, 0, 1)), Some(2));
        refused("AA", Problem::Count(2));
        refused("AAAAAA", Problem::Count(6));
    }

    #[test]
    fn superfluous_zero_digits_are_fine() {
        check("iggggggggggggA", 1, None, None);
    }

    #[test]
    fn broken_numbers_are_refused() {
        refused("!", Problem::Digit(b'!'));
        refused("g", Problem::Unfinished);
        refused("gggggggggC", Problem::TooLarge);
        refused("é", Problem::Digit(0xc3));
    }
}
