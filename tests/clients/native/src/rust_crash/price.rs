//! Prices after the rebate of a customer's level.

use crate::cart::Item;

static RATES: [u64; 4] = [100, 95, 90, 80];

#[inline(always)]
pub fn price(item: &Item, level: usize) -> u64 {
    item.cents * item.count * rate(level) / 100 // frame: price
}

#[inline(always)]
fn rate(level: usize) -> u64 {
    let rates = std::hint::black_box(&RATES[..]);
    rates[level] // frame: rate
}
