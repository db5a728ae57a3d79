//! A number of bytes with its unit.

use super::setting::{Setting, quoted};

/// Units, largest first within each family; powers of 1024 first, because that is how they are shown.
const UNITS: &[(&str, u64)] = &[
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1_000),
    ("B", 1),
];

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) u64);

impl ByteSize {
    /// Returns `count` mebibytes.
    pub(crate) const fn mib(count: u64) -> Self {
        Self(count << 20)
    }
}

impl Setting for ByteSize {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "a size such as 512KiB, 5MiB or 2GiB".to_owned();
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.replace('_', "").parse().map_err(|_| expected())?;
        let unit = if unit.is_empty() { "B" } else { unit.trim() };
        let found = UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
        let (_, unit_bytes) = found.ok_or_else(expected)?;
        number.checked_mul(*unit_bytes).map(Self).ok_or_else(expected)
    }

    fn literal(&self) -> String {
        quoted(&self.to_string())
    }
}

impl std::fmt::Display for ByteSize {
    /// Writes the size with the largest unit that loses nothing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let fits = |(_, bytes): &&(&str, u64)| self.0 >= *bytes && self.0.is_multiple_of(*bytes);
        let (name, bytes) = UNITS.iter().find(fits).unwrap_or(&("B", 1));
        write!(f, "{}{name}", self.0 / bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(ByteSize::parse("5MiB"), Ok(ByteSize::mib(5)));
        assert_eq!(ByteSize::parse("5 mb"), Ok(ByteSize(5_000_000)));
        assert_eq!(ByteSize::parse("1_024"), Ok(ByteSize(1024)));
        for bad in ["", "MiB", "5 miles", "-5MiB", "99999999999TiB"] {
            assert!(ByteSize::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_shown_without_loss() {
        for bytes in [0, 1, 1000, 1024, 1025, 5 << 20, 7_000_000_000] {
            let shown = ByteSize(bytes).to_string();
            assert_eq!(ByteSize::parse(&shown), Ok(ByteSize(bytes)), "{shown}");
        }
    }
}
