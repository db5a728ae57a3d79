//! Passwords: Argon2id, off the async threads, few at a time.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use rand::seq::IndexedRandom as _;

use crate::app::App;
use crate::blocking;
use crate::error::{Error, Result};

/// Shortest password, in characters (NIST SP 800-63B asks for at least 8 and for no rules of composition).
const PASSWORD_CHARACTERS_MIN: usize = 8;
/// Longest password, in bytes: hashing cost must not follow the length of what is sent.
const PASSWORD_BYTES_MAX: usize = 1024;
/// Length of a generated password: 20 letters of 31 are 99 bits.
const GENERATED_LENGTH: usize = 20;
/// Letters of generated passwords, without those that look alike.
const GENERATED_LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// Returns a new password that nobody can guess.
pub(crate) fn generate() -> String {
    let mut rng = rand::rng();
    let letter = || char::from(*GENERATED_LETTERS.choose(&mut rng).expect("there are letters"));
    std::iter::repeat_with(letter).take(GENERATED_LENGTH).collect()
}

/// Returns the hash of a new password, in the PHC format (Argon2id, 19 MiB, 2 passes: OWASP's first choice).
///
/// # Errors
/// `Invalid` if it is too short or too long.
pub(crate) async fn hash(app: &App, password: &str) -> Result<String> {
    if password.chars().count() < PASSWORD_CHARACTERS_MIN {
        return Err(Error::Invalid(format!(
            "the password is shorter than {PASSWORD_CHARACTERS_MIN} characters"
        )));
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(Error::Invalid(format!(
            "the password is longer than {PASSWORD_BYTES_MAX} bytes"
        )));
    }
    let password = password.to_owned();
    let _permit = app.passwords.acquire().await.map_err(Error::caused_by)?;
    blocking::run(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string())
            .map_err(|error| Error::internal(format!("hashing a password: {error}")))
    })
    .await
}

/// Says whether `password` belongs to `hash`. Without a hash it takes as long and is never right, so that
/// the time does not tell which users exist.
///
/// # Errors
/// When the work cannot be done.
pub(crate) async fn is_right(app: &App, password: &str, hash: Option<String>) -> Result<bool> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let password = password.to_owned();
    let _permit = app.passwords.acquire().await.map_err(Error::caused_by)?;
    blocking::run(move || match hash {
        Some(hash) => {
            Ok(Argon2::default().verify_password(password.as_bytes(), hash.as_str()).is_ok())
        }
        None => {
            let _ = Argon2::default().hash_password(password.as_bytes());
            Ok(false)
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_passwords_differ() {
        let password = generate();
        assert_eq!(password.len(), GENERATED_LENGTH);
        assert_ne!(password, generate());
    }
}
