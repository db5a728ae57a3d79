//! An event as Markdown: to paste into a ticket, a chat, or an assistant.

use std::fmt::Write as _;

use protocol::event::Event;

use crate::details::{name_and_version, sections};
use crate::text;
use crate::when::absolute;

/// Breadcrumbs that are written, the newest.
const CRUMBS_MAX: usize = 20;
/// Rows of tags, request, user and contexts that are written, each.
const ROWS_MAX: usize = 40;
/// Longest value, in characters.
const VALUE_CHARS_MAX: usize = 500;

/// What is written down.
#[derive(Debug, Clone, Copy)]
pub struct Report<'a> {
    /// The event.
    pub event: &'a Event,
    /// Title of its issue.
    pub title: &'a str,
    /// `APP-1K`.
    pub short_id: &'a str,
    /// Address of the event's page, absolute.
    pub url: &'a str,
}

impl Report<'_> {
    /// Writes Markdown: title, facts, stack trace, then what else the event says.
    pub fn markdown(&self) -> String {
        // Writing into a string never fails.
        let mut out = format!("# {}\n\n", inline(self.title));
        let _ = writeln!(out, "[{}]({})\n", self.short_id, self.url);
        for (name, value) in self.facts() {
            let _ = writeln!(out, "- **{name}:** {}", inline(&value));
        }
        out.push('\n');
        if let Some(message) = self.message() {
            let _ = write!(out, "## Message\n\n{}", block(message));
        }
        let trace = text::trace(self.event);
        if !trace.is_empty() {
            let _ = write!(out, "## Stack trace\n\n{}", block(&trace));
        }
        let crumbs = self.crumbs();
        if !crumbs.is_empty() {
            let _ = write!(out, "## Breadcrumbs, oldest first\n\n{}", block(&crumbs));
        }
        for (title, rows) in self.tables() {
            let _ = writeln!(out, "## {title}\n");
            for (key, value) in rows {
                let _ = writeln!(out, "- **{}:** {}", inline(&key), inline(&value));
            }
            out.push('\n');
        }
        out
    }

    /// Writes the same as plain text.
    pub fn text(&self) -> String {
        let mut out = format!("{}\n{} {}\n\n", self.title, self.short_id, self.url);
        for (name, value) in self.facts() {
            let _ = writeln!(out, "{name}: {value}");
        }
        if let Some(message) = self.message() {
            let _ = write!(out, "\n{message}\n");
        }
        let trace = text::trace(self.event);
        if !trace.is_empty() {
            let _ = write!(out, "\n{trace}");
        }
        let crumbs = self.crumbs();
        if !crumbs.is_empty() {
            let _ = write!(out, "\nBreadcrumbs, oldest first\n{crumbs}");
        }
        for (title, rows) in self.tables() {
            let _ = write!(out, "\n{title}\n");
            for (key, value) in rows {
                let _ = writeln!(out, "{key}: {value}");
            }
        }
        out
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let event = self.event;
        let context = |name: &str| event.contexts.get(name).and_then(name_and_version);
        let facts = [
            ("Event", event.event_id.map(|id| id.to_string())),
            ("Happened", event.timestamp.as_ref().map(absolute)),
            ("Level", event.level.map(|level| level.to_string())),
            ("Release", event.release.clone()),
            ("Environment", event.environment.clone()),
            ("Transaction", event.transaction.clone()),
            ("System", context("os")),
            ("Runtime", context("runtime")),
            ("Browser", context("browser")),
            ("Device", context("device")),
        ];
        facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }

    fn message(&self) -> Option<&str> {
        self.event.logentry.as_ref().map(|entry| entry.text()).filter(|text| !text.is_empty())
    }

    fn crumbs(&self) -> String {
        let crumbs = crate::crumbs::crumbs(self.event);
        let newest = crumbs.iter().take(CRUMBS_MAX);
        let mut out = String::new();
        for crumb in newest.rev() {
            let when = crumb.when.as_deref().unwrap_or("");
            let words = crumb.message.as_deref().unwrap_or("");
            let _ = writeln!(out, "{when:>10}  {}: {}", crumb.category, shortened(words));
        }
        out
    }

    /// Tags, request, user and extra, as the page shows them.
    fn tables(&self) -> Vec<(&'static str, Vec<(String, String)>)> {
        let told = ["tags", "request", "user", "extra"];
        let sections = sections(self.event).into_iter();
        let told = sections.filter(|section| told.contains(&section.anchor));
        told.map(|section| {
            let rows = section.groups.into_iter().flat_map(|group| group.rows);
            let rows = rows.take(ROWS_MAX).map(|row| (row.key, shortened(&row.value)));
            (section.title, rows.collect())
        })
        .collect()
    }
}

/// One line of at most [`VALUE_CHARS_MAX`] characters.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(VALUE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Text within a line, where nothing of it is markup.
fn inline(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\n' | '\r' => escaped.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' => {
                escaped.extend(['\\', char]);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A block of code, fenced by more backticks than the text has in a row.
fn block(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::IssuePage;

    fn report(event: &Event) -> Report<'_> {
        Report { event, title: "panic: *x* <b>", short_id: "BILLING-1K", url: "http://h/x/" }
    }

    #[test]
    fn reports_have_everything_that_helps() {
        let event = IssuePage::sample().event;
        let markdown = report(&event).markdown();
        assert!(markdown.starts_with("# panic: \\*x\\* \\<b\\>\n\n[BILLING-1K](http://h/x/)\n"));
        for words in ["**Release:**", "## Stack trace\n\n```text\n", "billing::total", "## Tags"] {
            assert!(markdown.contains(words), "{words}: {markdown}");
        }
        let text = report(&event).text();
        assert!(text.starts_with("panic: *x* <b>\nBILLING-1K http://h/x/\n\nEvent: "), "{text}");
        assert!(text.contains("billing::total") && !text.contains("```"), "{text}");
    }

    #[test]
    fn nothing_in_an_event_ends_its_block() {
        let block = block("a\n````\nb");
        assert!(block.starts_with("`````text\n") && block.ends_with("\n`````\n\n"), "{block}");
        assert_eq!(inline("a\n# b"), "a \\# b");
    }

    #[test]
    fn the_emptiest_event_makes_a_report() {
        let markdown = report(&Event::default()).markdown();
        assert!(!markdown.contains("##"), "{markdown}");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shortened(&"é".repeat(501)).chars().count(), 501);
        assert_eq!(shortened(" a \n b "), "a b");
    }
}
