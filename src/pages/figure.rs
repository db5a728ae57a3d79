//! How numbers are written.

/// Up to here a number is written in full.
const FULL_MAX: u64 = 99_999;

/// `1,284`; from a hundred thousand on `128k`, `3.1M`.
pub(crate) fn count(number: u64) -> String {
    match number {
        0..=FULL_MAX => full(number),
        100_000..=999_999 => format!("{}k", number / 1_000),
        _ => format!("{}.{}M", full(number / 1_000_000), number % 1_000_000 / 100_000),
    }
}

/// `1,284,000`.
pub(crate) fn full(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2,310 events`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {many}", full(number)) }
}

/// `812 B`, `4.0 KB`, `1.2 MB`: decimal units, as file managers write them.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..=999 => format!("{number} B"),
        1_000..=999_999 => tenths(number, 1_000, "KB"),
        1_000_000..=999_999_999 => tenths(number, 1_000_000, "MB"),
        _ => tenths(number, 1_000_000_000, "GB"),
    }
}

fn tenths(number: u64, unit: u64, name: &str) -> String {
    format!("{}.{} {name}", full(number / unit), number % unit / (unit / 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shortened() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_284), "1,284");
        assert_eq!(count(128_400), "128k");
        assert_eq!(count(3_190_000), "3.1M");
        assert_eq!(full(1_234_567), "1,234,567");
        assert_eq!(counted(1, "event", "events"), "1 event");
        assert_eq!(counted(2_310, "event", "events"), "2,310 events");
        assert_eq!(bytes(4_096), "4.0 KB");
        assert_eq!(bytes(4_294_967_296), "4.2 GB");
    }
}
