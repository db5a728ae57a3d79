//! Who was affected, without keeping who it was: a keyed hash of what the SDK says about the user.

use protocol::event::Event;
use sha2::{Digest, Sha256};

/// Bytes of a user's hash; 16 keep a billion users apart.
const HASH_BYTES: usize = 16;

/// Hashes the user of an event with the installation's secret; `None` where the event names nobody.
///
/// The first of id, name, e-mail and address counts, as in Sentry's `user` tag.
pub(crate) fn user_hash(event: &Event, secret: &[u8; 32]) -> Option<Vec<u8>> {
    let user = event.user.as_ref()?;
    let parts = [
        ("id", &user.id),
        ("username", &user.username),
        ("email", &user.email),
        ("ip", &user.ip_address),
    ];
    let (name, value) = parts.into_iter().find_map(|(name, value)| {
        value.as_deref().filter(|value| !value.is_empty()).map(|value| (name, value))
    })?;
    // A fixed-length key in front of a hash that is cut in half: length extension has nothing to extend.
    let digest =
        Sha256::new().chain_update(secret).chain_update(name).chain_update(":").chain_update(value);
    Some(digest.finalize()[..HASH_BYTES].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_same_person_has_the_same_hash_here_only() {
        let event = |user| Event::from_json(json!({"user": user}).to_string().as_bytes()).unwrap();
        let ann = event(json!({"id": "7", "email": "ann@example.com"}));
        let same = event(json!({"id": "7", "email": "other@example.com"}));
        assert_eq!(user_hash(&ann, &[1; 32]), user_hash(&same, &[1; 32]));
        assert_ne!(user_hash(&ann, &[1; 32]), user_hash(&ann, &[2; 32]));
        assert_eq!(user_hash(&event(json!({"geo": {}})), &[1; 32]), None);
    }
}
