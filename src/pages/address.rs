//! Addresses with a query.

/// Encodes a value for a query (RFC 3986: everything but the unreserved characters).
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

/// Writes `path?key=value&…`; pairs without a value are left out.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    for (key, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(if address.len() == path.len() { '?' } else { '&' });
        address.push_str(key);
        address.push('=');
        address.push_str(&encoded(value));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_and_empty_ones_left_out() {
        assert_eq!(with_query("/a/", &[("b", ""), ("c", "")]), "/a/");
        let address = with_query("/a/", &[("b", ""), ("c", "é&d=\"e"), ("f", "1")]);
        assert_eq!(address, "/a/?c=%C3%A9%26d%3D%22e&f=1");
    }
}
