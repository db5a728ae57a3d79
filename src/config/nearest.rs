//! The name that was probably meant.

/// How many letters may differ for a name to be suggested.
const DISTANCE_MAX: usize = 4;

/// Returns `: did you mean …?` for the name nearest to `wrong`, or what to do if none is near.
pub(super) fn hint<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known.map(|name| (distance(wrong, name), name)).min();
    match nearest {
        Some((distance, name)) if distance <= DISTANCE_MAX => format!(": did you mean `{name}`?"),
        _ => ": `symbolist config show` lists all of them".to_owned(),
    }
}

/// Returns how many letters must be put in, left out or changed to make `b` of `a`.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in b.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_counted() {
        assert_eq!(distance("listen", "listen"), 0);
        assert_eq!(distance("lisen", "listen"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn far_names_are_not_suggested() {
        assert!(hint("colour", ["listen", "data"].into_iter()).contains("config show"));
        assert_eq!(hint("lisen", ["data", "listen"].into_iter()), ": did you mean `listen`?");
    }
}
