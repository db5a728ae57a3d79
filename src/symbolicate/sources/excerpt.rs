//! Cuts a line to what a page shows of it.

/// Longest line that is shown whole, in UTF-16 units (Sentry's own limit).
const LINE_UNITS_MAX: usize = 150;

/// What is left of a longer line, in UTF-16 units.
const EXCERPT_UNITS: usize = 140;

/// Where in the excerpt the column stands.
const BEFORE_COLUMN_UNITS: usize = 60;

const MARK: &str = "{snip}";

/// Returns `line` without its line terminator.
pub(crate) fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    line.strip_suffix(['\u{2028}', '\u{2029}']).unwrap_or(line)
}

/// Returns `line`, cut around `column` (in UTF-16 units from 0) if it is long.
pub(crate) fn cut(line: &str, column: u32) -> String {
    let units = line.chars().map(char::len_utf16).sum::<usize>();
    if units <= LINE_UNITS_MAX {
        return line.to_owned();
    }
    let start = (column as usize).min(units).saturating_sub(BEFORE_COLUMN_UNITS);
    // Cutting off less than the mark is long would be silly.
    let start = if start < MARK.len() { 0 } else { start };
    let end = (start + EXCERPT_UNITS).min(units);
    let end = if units - end < MARK.len() { units } else { end };
    let start = if end == units { end - EXCERPT_UNITS } else { start };
    let mut excerpt = String::new();
    if start > 0 {
        excerpt.push_str(MARK);
        excerpt.push(' ');
    }
    let mut at = 0;
    for char in line.chars() {
        if at >= start && at < end {
            excerpt.push(char);
        }
        at += char.len_utf16();
    }
    if end < units {
        excerpt.push(' ');
        excerpt.push_str(MARK);
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_lines_stay_whole() {
        assert_eq!(cut("let x = 1;", 400), "let x = 1;");
        assert_eq!(cut(&"x".repeat(150), 0), "x".repeat(150));
    }

    #[test]
    fn long_lines_are_cut_around_the_column() {
        let line: String = (0..400).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
        assert_eq!(cut(&line, 0), format!("{} {MARK}", &line[..140]));
        assert_eq!(cut(&line, 200), format!("{MARK} {} {MARK}", &line[140..280]));
        assert_eq!(cut(&line, 399), format!("{MARK} {}", &line[260..]));
        assert_eq!(cut(&line, u32::MAX), format!("{MARK} {}", &line[260..]));
        assert_eq!(cut(&"😀".repeat(100), 100).matches('😀').count(), 70);
    }

    #[test]
    fn every_line_end_goes() {
        for end in ["", "\n", "\r\n", "\r", "\u{2028}", "\u{2029}"] {
            assert_eq!(without_end(&format!("a{end}")), "a");
        }
    }
}
