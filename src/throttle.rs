//! Slows down guessing of passwords: failed attempts by network address and account, bounded.

use std::net::{IpAddr, Ipv6Addr};

use quick_cache::sync::Cache;
use sha2::{Digest as _, Sha256};

use crate::clock::Clock;
use crate::error::{Error, Result};

/// Attempts that are remembered.
const ATTEMPTS_MAX: usize = 10_000;
/// Failures after which one must wait.
const FAILURES_MAX: u32 = 10;
/// How long failures count, in milliseconds.
const FAILURES_MS: i64 = 15 * 60 * 1000;

/// Somebody who tries an account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Attempt {
    address: IpAddr,
    email_hash: [u8; 32],
}

impl Attempt {
    /// Returns the attempt of an address on an account. IPv6 addresses count by network (/64), because
    /// whoever has one has all of it.
    pub(crate) fn new(address: IpAddr, email: &str) -> Self {
        let address = match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
            address => address,
        };
        Self { address, email_hash: Sha256::digest(email).into() }
    }
}

/// Failures within the last minutes.
#[derive(Debug, Clone, Copy)]
struct Failures {
    first_ms: i64,
    count: u32,
}

/// The failed attempts of this process.
#[derive(Debug)]
pub(crate) struct Throttle(Cache<Attempt, Failures>);

impl Default for Throttle {
    fn default() -> Self {
        Self(Cache::new(ATTEMPTS_MAX))
    }
}

impl Throttle {
    /// Says whether the attempt may be made.
    ///
    /// # Errors
    /// `TooManyRequests` after too many failures.
    pub(crate) fn check(&self, clock: &Clock, attempt: &Attempt) -> Result<()> {
        let Some(failures) =
            self.recent(clock, attempt).filter(|failures| failures.count >= FAILURES_MAX)
        else {
            return Ok(());
        };
        let wait_s = (failures.first_ms + FAILURES_MS - clock.now_ms()) / 1000 + 1;
        let retry_after_s = u32::try_from(wait_s).unwrap_or(1);
        let message =
            format!("too many failed logins: try again in {} minutes", retry_after_s.div_ceil(60));
        Err(Error::TooManyRequests { message, retry_after_s })
    }

    /// Notes a failure.
    pub(crate) fn note_failure(&self, clock: &Clock, attempt: Attempt) {
        let before =
            self.recent(clock, &attempt).unwrap_or(Failures { first_ms: clock.now_ms(), count: 0 });
        self.0.insert(attempt, Failures { count: before.count + 1, ..before });
    }

    /// Forgets the failures, after a success.
    pub(crate) fn forget(&self, attempt: &Attempt) {
        self.0.remove(attempt);
    }

    fn recent(&self, clock: &Clock, attempt: &Attempt) -> Option<Failures> {
        self.0.get(attempt).filter(|failures| clock.now_ms() - failures.first_ms < FAILURES_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_is_stopped_for_a_while() {
        let (clock, throttle) = (Clock::manual(1_000_000), Throttle::default());
        let attempt = Attempt::new("10.0.0.1".parse().unwrap(), "me@example.com");
        for _ in 0..FAILURES_MAX {
            throttle.check(&clock, &attempt).unwrap();
            throttle.note_failure(&clock, attempt.clone());
        }
        assert!(matches!(
            throttle.check(&clock, &attempt),
            Err(Error::TooManyRequests { retry_after_s: 901, .. })
        ));
        throttle
            .check(&clock, &Attempt::new("10.0.0.2".parse().unwrap(), "me@example.com"))
            .unwrap();
        clock.advance(FAILURES_MS);
        throttle.check(&clock, &attempt).unwrap();
    }

    #[test]
    fn neighbours_in_an_ipv6_network_are_one() {
        let attempt = |address: &str| Attempt::new(address.parse().unwrap(), "me@example.com");
        assert_eq!(attempt("2001:db8::1"), attempt("2001:db8::ffff:2"));
        assert_ne!(attempt("2001:db8::1"), attempt("2001:db8:0:1::1"));
        assert_eq!(attempt("::ffff:10.0.0.1"), attempt("10.0.0.1"));
    }
}
