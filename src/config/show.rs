//! The effective configuration as a TOML file that could be used as it is.

use super::settings::Shown;

/// Column in which the source of a value is written, unless the value reaches further.
const SOURCE_COLUMN: usize = 44;

/// Returns TOML with the source of each value as a comment; unset values are comments.
pub(super) fn toml(shown: &[Shown]) -> String {
    let mut text = String::new();
    let mut section = "";
    for setting in shown {
        let (table, name) = setting.key.rsplit_once('.').unwrap_or(("", setting.key));
        if table != section {
            section = table;
            text.push_str(&format!("\n[{table}]\n"));
        }
        let line = match &setting.literal {
            Some(literal) => format!("{name} = {literal}"),
            None => format!("# {name} ="),
        };
        text.push_str(&format!("{line:SOURCE_COLUMN$} # {}\n", setting.source));
    }
    text
}
