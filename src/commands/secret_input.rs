//! Reads a secret from the standard input: from a pipe, or from a terminal without showing it.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use crate::error::{Context as _, Error, Result};

/// Longest line that is read, in bytes.
const LINE_BYTES_MAX: u64 = 4096;

/// Reads one line.
///
/// # Errors
/// `Invalid` if it is empty.
pub(super) fn read(prompt: &str) -> Result<String> {
    let input = std::io::stdin();
    let hidden = input.is_terminal().then(|| hide_typing(prompt)).transpose()?;
    let mut line = String::new();
    input.lock().take(LINE_BYTES_MAX).read_line(&mut line).context("reading the standard input")?;
    drop(hidden);
    let secret = line.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(Error::Invalid(
            "the standard input is empty, expected a password on its first line".to_owned(),
        ));
    }
    Ok(secret.to_owned())
}

/// Restores the terminal when dropped.
struct Hidden(rustix::termios::Termios);

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(
            std::io::stdin(),
            rustix::termios::OptionalActions::Now,
            &self.0,
        );
        let _ = writeln!(std::io::stderr());
    }
}

fn hide_typing(prompt: &str) -> Result<Hidden> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let shown =
        tcgetattr(std::io::stdin()).map_err(Error::caused_by).context("asking the terminal")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(std::io::stdin(), OptionalActions::Now, &hidden).map_err(Error::caused_by)?;
    let _ = write!(std::io::stderr(), "{prompt}: ");
    Ok(Hidden(shown))
}
