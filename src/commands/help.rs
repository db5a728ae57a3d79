//! `symbolist --help`: the commands by what they are for, and where to begin.

use std::fmt::Write as _;

use clap::Command;

/// Commands by purpose, in the order one needs them.
const GROUPS: &[(&str, &[&str])] = &[
    ("Look at it", &["demo", "seed"]),
    ("Run it", &["serve", "config", "migrate"]),
    ("Keep it right", &["redigest", "check"]),
    ("Who may do what", &["organization", "project", "key", "user", "token"]),
    ("From a build", &["upload"]),
    ("Measure it", &["bench"]),
];

/// Lines that people copy first.
const BEGIN: &[(&str, &str)] = &[
    ("symbolist demo", "see two crashes become readable"),
    ("symbolist serve", "run it on http://127.0.0.1:8000, with everything in ./symbolist-data"),
    ("symbolist project create shop", "make a project and its DSN, also while it runs"),
];

/// What stands around the lists.
const TEMPLATE: &str = "{about}\n\n{usage-heading} symbolist [OPTIONS] <COMMAND>\n{after-help}\n\nOptions:\n{options}\n";

/// Returns the command with a help that shows its commands by group.
pub(super) fn grouped(command: Command) -> Command {
    let header = *command.get_styles().get_header();
    let width = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| name.len()).max();
    let width = width.unwrap_or(0);
    let mut text = String::new();
    for (heading, names) in GROUPS {
        let _ = writeln!(text, "\n{header}{heading}:{header:#}");
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map(ToString::to_string).unwrap_or_default();
            let _ = writeln!(text, "  {name:width$}  {about}");
        }
    }
    let _ = write!(text, "\n{header}Where to begin:{header:#}");
    let width = BEGIN.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
    for (line, what) in BEGIN {
        let _ = write!(text, "\n  {line:width$}  {what}");
    }
    command.help_template(TEMPLATE).after_help(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_command_is_in_one_group() {
        let command = crate::commands::Arguments::command();
        let visible = command.get_subcommands().filter(|command| !command.is_hide_set());
        let mut names: Vec<&str> = visible.map(Command::get_name).collect();
        let mut grouped: Vec<&str> = GROUPS.iter().flat_map(|(_, names)| *names).copied().collect();
        names.sort_unstable();
        grouped.sort_unstable();
        assert_eq!(grouped, names);
    }

    #[test]
    fn the_help_says_what_each_command_does() {
        let help = grouped(crate::commands::Arguments::command()).render_help().to_string();
        for text in ["Run the server", "--data <DIR>", "Where to begin:", "symbolist demo"] {
            assert!(help.contains(text), "{text} is not in\n{help}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    }
}
