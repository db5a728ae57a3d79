//! Short ids of issues: `SHOP-1K`, the project's slug and the number in it.
//!
//! Sentry's form: the slug in upper case, a hyphen, the number in Crockford's base 32 (its
//! `group.qualified_short_id`). That people read it aloud is why I, L, O and U are not among the digits.

/// Digits of Crockford's base 32.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Most digits that a positive `i64` needs: 63 bits, five per digit.
const DIGITS_MAX: usize = 13;

/// Returns the short id of issue `number` (counted from 1) in the project `slug`.
pub fn short_id(slug: &str, number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::with_capacity(DIGITS_MAX);
    loop {
        digits.push(char::from(DIGITS[(rest % 32) as usize]));
        rest /= 32;
        if rest == 0 {
            break;
        }
    }
    let digits: String = digits.iter().rev().collect();
    format!("{}-{digits}", slug.to_uppercase())
}

/// A short id as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortId {
    /// Slug of the project, in lower case.
    pub slug: String,
    /// Number of the issue in the project, 1 or more.
    pub number: i64,
}

impl ShortId {
    /// Reads a short id in either case, with O for 0 and with I or L for 1; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (slug, digits) = text.rsplit_once('-')?;
        if slug.is_empty() || digits.is_empty() || digits.len() > DIGITS_MAX {
            return None;
        }
        let number = digits
            .bytes()
            .try_fold(0_i64, |number, byte| number.checked_mul(32)?.checked_add(value(byte)?))?;
        (number > 0).then(|| Self { slug: slug.to_lowercase(), number })
    }
}

fn value(digit: u8) -> Option<i64> {
    let digit = match digit.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    let place = DIGITS.iter().position(|known| *known == digit)?;
    i64::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn same(slug: &str, number: i64, text: &str) {
        assert_eq!(short_id(slug, number), text);
        assert_eq!(ShortId::parse(text), Some(ShortId { slug: slug.to_owned(), number }));
    }

    #[test]
    fn short_ids_are_read_as_they_are_written() {
        same("first", 1, "FIRST-1");
        same("web-shop", 31, "WEB-SHOP-Z");
        same("web-shop", 32, "WEB-SHOP-10");
        same("a", 1_000_000, "A-YGJ0");
        same("a", i64::MAX, "A-7ZZZZZZZZZZZZ");
    }

    #[test]
    fn short_ids_are_read_as_people_write_them() {
        let expected = ShortId { slug: "shop".to_owned(), number: 33 };
        assert_eq!(ShortId::parse("shop-1l"), Some(expected.clone()));
        assert_eq!(ShortId::parse("Shop-I1"), Some(expected));
        assert_eq!(ShortId::parse("shop-1o").map(|id| id.number), Some(32));
    }

    #[test]
    fn what_is_no_short_id_is_refused() {
        for text in
            ["", "-", "17", "shop-", "-1", "shop-0", "shop-U", "shop-ä", "shop-8ZZZZZZZZZZZZ"]
        {
            assert_eq!(ShortId::parse(text), None, "{text}");
        }
        assert_eq!(ShortId::parse("a-00000000000000001"), None);
    }
}
