//! Breadcrumbs: what happened before the event, newest first, with the distance in time.

use protocol::event::{Breadcrumb, Event};
use protocol::level::Level;

use crate::value::Row;
use crate::when::{absolute, before, clock};

/// One breadcrumb as the page shows it.
#[derive(Debug, Clone)]
pub(crate) struct Crumb {
    /// `−2.31 s`, or the time of day where the event has no time.
    pub(crate) when: Option<String>,
    pub(crate) when_title: Option<String>,
    pub(crate) category: String,
    pub(crate) level: Level,
    pub(crate) message: Option<String>,
    pub(crate) rows: Vec<Row>,
}

impl Crumb {
    /// Says whether the level is worth a word.
    pub(crate) fn is_loud(&self) -> bool {
        self.level >= Level::Warning
    }
}

/// Returns the event's breadcrumbs, newest first.
pub(crate) fn crumbs(event: &Event) -> Vec<Crumb> {
    event.breadcrumbs.values.iter().rev().map(|crumb| one(crumb, event)).collect()
}

fn one(crumb: &Breadcrumb, event: &Event) -> Crumb {
    let when = crumb.timestamp.map(|at| match event.timestamp {
        Some(event) => before(at, event),
        None => clock(&at),
    });
    let category = crumb.category.as_deref().or(crumb.kind.as_deref()).unwrap_or("default");
    Crumb {
        when,
        when_title: crumb.timestamp.as_ref().map(absolute),
        category: category.to_owned(),
        level: crumb.level.unwrap_or(Level::Info),
        message: crumb.message.clone().filter(|message| !message.is_empty()),
        rows: crumb.data.iter().map(|(key, value)| Row::new(key, value)).collect(),
    }
}
