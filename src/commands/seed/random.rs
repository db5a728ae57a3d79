//! Chance that is the same for the same seed, whatever version of whatever library (SplitMix64).

/// A source of numbers.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    /// Returns the source of a seed; `stream` keeps several of them apart.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut random = Self(seed ^ stream.wrapping_mul(0xd6e8_feb8_6659_fd93));
        random.next();
        random
    }

    /// Returns any number.
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns a number below `end`, 0 where that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        (self.next() % (end as u64).max(1)) as usize
    }

    /// Returns a number in 0..1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Says yes once in `n` times.
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Returns one of the values.
    pub(super) fn pick<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        values.get(self.below(values.len()))
    }

    /// Returns one of the values, each as often as its weight says.
    pub(super) fn weighted<'a, T>(&mut self, values: &'a [(T, u32)]) -> Option<&'a T> {
        let sum: u32 = values.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(sum as usize) as u32;
        let chosen = values.iter().find(|(_, weight)| {
            let is_here = at < *weight;
            at = at.saturating_sub(*weight);
            is_here
        });
        chosen.map(|(value, _)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same() {
        let numbers =
            |seed, stream| [(); 3].map(|()| 0).map(|_: u64| Random::new(seed, stream).next());
        assert_eq!(numbers(1, 2), numbers(1, 2));
        assert_ne!(numbers(1, 2), numbers(1, 3));
        assert_ne!(numbers(1, 2), numbers(2, 2));
    }

    #[test]
    fn weights_decide_how_often() {
        let mut random = Random::new(7, 0);
        let values = [("often", 9), ("never", 0), ("seldom", 1)];
        let picked: Vec<_> = (0..1000).filter_map(|_| random.weighted(&values)).collect();
        let count = |name: &str| picked.iter().filter(|picked| **picked == &name).count();
        assert!((850..950).contains(&count("often")), "{}", count("often"));
        assert_eq!((count("never"), count("often") + count("seldom")), (0, 1000));
    }
}
