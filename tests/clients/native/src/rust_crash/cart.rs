//! A shopping cart whose customers have levels.

use crate::price;

/// A line of the cart.
pub struct Item {
    pub cents: u64,
    pub count: u64,
}

#[inline(never)]
pub fn checkout(level: usize) -> u64 {
    let items = [Item { cents: 250, count: 3 }, Item { cents: 1999, count: 1 }];
    let total = std::hint::black_box(total(&items, level)); // frame: checkout
    total + 499
}

#[inline(never)]
fn total(items: &[Item], level: usize) -> u64 {
    let mut sum = 0;
    for item in items {
        sum += price::price(item, level); // frame: total
    }
    std::hint::black_box(sum) * 119 / 100
}
