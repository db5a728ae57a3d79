//! A range of network addresses: `10.0.0.0/8`, or one address.

use std::net::IpAddr;

use super::setting::{Setting, quoted};

/// All addresses that begin with the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct IpRange {
    address: IpAddr,
    // Invariant: at most the number of bits of `address`.
    bits: u8,
}

impl IpRange {
    /// Says whether an address is in this range; an IPv4 address inside IPv6 counts as what it is.
    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(range), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.bits);
                u32::from(range).checked_shr(shift) == u32::from(address).checked_shr(shift)
            }
            (IpAddr::V6(range), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.bits);
                u128::from(range).checked_shr(shift) == u128::from(address).checked_shr(shift)
            }
            _ => false,
        }
    }
}

impl Setting for IpRange {
    fn parse(text: &str) -> Result<Self, String> {
        let expected = || "addresses or ranges such as 127.0.0.1 or 10.0.0.0/8".to_owned();
        let (address, bits) =
            text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.trim().parse().map_err(|_| expected())?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(bits_max), str::parse).map_err(|_| expected())?;
        if bits > bits_max { Err(expected()) } else { Ok(Self { address, bits }) }
    }

    fn literal(&self) -> String {
        quoted(&format!("{}/{}", self.address, self.bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(range: &str, address: &str, expected: bool) {
        let range = IpRange::parse(range).unwrap();
        assert_eq!(range.contains(address.parse().unwrap()), expected, "{address} in {range:?}");
    }

    #[test]
    fn ranges_contain_what_begins_like_them() {
        check("10.0.0.0/8", "10.255.0.1", true);
        check("10.0.0.0/8", "11.0.0.1", false);
        check("0.0.0.0/0", "203.0.113.9", true);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("127.0.0.1", "::ffff:127.0.0.1", true);
        check("fd00::/8", "fd12::1", true);
        check("::/0", "fd12::1", true);
        check("::/0", "10.0.0.1", false);
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in ["", "localhost", "10.0.0.0/33", "10.0.0.0/x", "::/129"] {
            assert!(IpRange::parse(bad).is_err(), "{bad}");
        }
    }
}
