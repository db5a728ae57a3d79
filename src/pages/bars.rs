//! A small bar chart, as SVG without any style of its own.

use askama::Template;
use askama::filters::HtmlSafe;

/// Width of one bar with its gap, in units of the picture.
const STEP: usize = 10;
/// Height of the picture.
const HEIGHT: u64 = 48;
/// Height of the smallest bar that is not zero, so that one event can be seen beside a thousand.
const BAR_MIN: u64 = 2;

/// Counts over time, oldest first.
#[derive(Debug, Clone, Template)]
#[template(path = "bars.html")]
pub(crate) struct Bars {
    class: &'static str,
    label: String,
    width: usize,
    bars: Vec<Bar>,
}

impl HtmlSafe for Bars {}

#[derive(Debug, Clone)]
struct Bar {
    x: usize,
    y: u64,
    height: u64,
    /// What the bar says on hover.
    title: String,
}

impl Bars {
    /// `title` says what the bar stands for, by how many steps it lies before the last.
    pub(crate) fn new(
        class: &'static str,
        label: String,
        counts: &[u64],
        title: impl Fn(usize, u64) -> String,
    ) -> Self {
        let top = counts.iter().copied().max().unwrap_or(0).max(1);
        let last = counts.len().saturating_sub(1);
        let bars = counts.iter().enumerate().map(|(index, count)| {
            let height = height(*count, top);
            Bar { x: index * STEP, y: HEIGHT - height, height, title: title(last - index, *count) }
        });
        Self { class, label, width: counts.len() * STEP, bars: bars.collect() }
    }
}

/// Counts over time as one small line of bars: a list has many, so that each is one path.
#[derive(Debug, Clone, Template)]
#[template(path = "spark.html")]
pub(crate) struct Spark {
    label: String,
    width: usize,
    /// All bars but the last.
    path: String,
    /// The last one.
    last: String,
}

impl HtmlSafe for Spark {}

impl Spark {
    pub(crate) fn new(label: String, counts: &[u64]) -> Self {
        let top = counts.iter().copied().max().unwrap_or(0).max(1);
        let bar = |(index, count): (usize, &u64)| match height(*count, top) {
            0 => String::new(),
            height => format!("M{} 48v-{height}h8v{height}z", index * STEP),
        };
        let mut bars: Vec<String> = counts.iter().enumerate().map(bar).collect();
        let last = bars.pop().unwrap_or_default();
        Self { label, width: counts.len() * STEP, path: bars.concat(), last }
    }
}

fn height(count: u64, top: u64) -> u64 {
    match count {
        0 => 0,
        count => (u128::from(count) * u128::from(HEIGHT) / u128::from(top))
            .try_into()
            .unwrap_or(HEIGHT)
            .max(BAR_MIN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_scaled_to_the_highest() {
        assert_eq!(height(0, 10), 0);
        assert_eq!(height(1, 1_000_000), BAR_MIN);
        assert_eq!(height(u64::MAX, u64::MAX), HEIGHT);
        assert_eq!(height(5, 10), 24);
    }

    #[test]
    fn a_small_line_is_two_paths() {
        let spark = Spark::new("3 events".to_owned(), &[2, 0, 1]);
        assert_eq!(
            (spark.path.as_str(), spark.last.as_str()),
            ("M0 48v-48h8v48z", "M20 48v-24h8v24z")
        );
        assert_eq!(Spark::new(String::new(), &[]).path, "");
    }

    #[test]
    fn no_counts_make_an_empty_picture() {
        let bars = Bars::new("", String::new(), &[], |_, _| String::new());
        assert!(bars.bars.is_empty());
    }
}
