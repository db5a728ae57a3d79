//! The layers: every value that was given, which one wins, and what was never asked for.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::nearest;
use super::problem::Problem;
use super::setting::Setting;
use super::toml_file;

/// What every variable of ours begins with.
const PREFIX: &str = "SYMBOLIST_";
/// Variables with our prefix that are not settings: those of the tests, and those that Kubernetes sets in
/// every container for a service called `symbolist` (`{SERVICE}_PORT…`, `{SERVICE}_SERVICE_…`).
const NOT_SETTINGS: &[&str] = &["SYMBOLIST_TEST_", "SYMBOLIST_PORT", "SYMBOLIST_SERVICE_"];

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody said anything.
    Default,
    /// The configuration file.
    File {
        /// Its path.
        path: PathBuf,
        /// Counted from 1; 0 if the whole file is meant.
        line: usize,
    },
    /// A variable of the environment.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line: 0 } => write!(f, "{}", path.display()),
            Self::File { path, line } => write!(f, "{} line {line}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Flag(name) => write!(f, "flag {name}"),
        }
    }
}

/// A value as it was written.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) text: String,
    pub(super) source: Source,
}

/// A setting as `config show` prints it.
#[derive(Debug, Clone)]
pub(super) struct Shown {
    pub(super) key: &'static str,
    /// A TOML literal; `None` if it is unset.
    pub(super) literal: Option<String>,
    pub(super) source: Source,
}

/// Everything that was given, waiting to be asked for by the sections.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Highest layer first: what is there stays.
    given: BTreeMap<String, Given>,
    environment: BTreeMap<String, String>,
    asked: Vec<Shown>,
    problems: Vec<Problem>,
}

impl Settings {
    /// Adds the value of a flag.
    pub(super) fn add_flag(&mut self, flag: &str, key: &str, value: &str) {
        let source = Source::Flag(flag.to_owned());
        self.given.entry(key.to_owned()).or_insert(Given { text: value.to_owned(), source });
    }

    /// Adds the variables. They are looked up by the names of the settings, because the name of a variable
    /// does not say where the key has its dots.
    pub(super) fn add_environment(&mut self, variables: &[(String, String)]) {
        let ours = variables.iter().filter(|(name, _)| {
            name.starts_with(PREFIX) && !NOT_SETTINGS.iter().any(|other| name.starts_with(other))
        });
        self.environment.extend(ours.cloned());
    }

    /// Adds a configuration file.
    pub(super) fn add_file(&mut self, path: &Path) {
        match toml_file::read(path) {
            Ok(values) => {
                for (key, given) in values {
                    self.given_below_environment(key, given);
                }
            }
            Err(problem) => self.problems.push(problem),
        }
    }

    fn given_below_environment(&mut self, key: String, given: Given) {
        match self.environment.remove_entry(&variable(&key)) {
            Some((name, text)) => {
                self.given.entry(key).or_insert(Given { text, source: Source::Environment(name) });
            }
            None => {
                self.given.entry(key).or_insert(given);
            }
        }
    }

    /// Returns what was given for `key` so far, as it was written.
    pub(super) fn peek(&self, key: &str) -> Option<&str> {
        match self.given.get(key) {
            Some(given) if matches!(given.source, Source::Flag(_)) => Some(&given.text),
            given => {
                let variable = self.environment.get(&variable(key)).map(String::as_str);
                variable.or(given.map(|given| given.text.as_str()))
            }
        }
    }

    /// Says whether the value of `key` is from a file.
    pub(super) fn is_from_file(&self, key: &str) -> bool {
        self.given.get(key).is_some_and(|given| matches!(given.source, Source::File { .. }))
    }

    /// Returns the setting `key`, or `default`.
    pub(super) fn take<T: Setting>(&mut self, key: &'static str, default: T) -> T {
        let (value, source) = self.value(key);
        let value = value.unwrap_or(default);
        self.asked.push(Shown { key, literal: Some(value.literal()), source });
        value
    }

    /// Returns the setting `key` if it is set; an empty text counts as unset.
    pub(super) fn take_optional<T: Setting>(&mut self, key: &'static str) -> Option<T> {
        let (value, source) = self.value(key);
        let literal = value.as_ref().map(Setting::literal);
        self.asked.push(Shown { key, literal, source });
        value
    }

    /// As [`take_optional`](Self::take_optional), for what `config show` must not print: it prints
    /// `masked` of it.
    pub(super) fn take_secret(
        &mut self,
        key: &'static str,
        masked: fn(&str) -> String,
    ) -> Option<String> {
        let (value, source) = self.value::<String>(key);
        let literal = value.as_deref().map(|value| masked(value).literal());
        self.asked.push(Shown { key, literal, source });
        value
    }

    fn value<T: Setting>(&mut self, key: &'static str) -> (Option<T>, Source) {
        let variable = variable(key);
        let is_flag = matches!(self.given.get(key), Some(Given { source: Source::Flag(_), .. }));
        let from_environment = self.environment.remove(&variable);
        let below = self.given.remove(key);
        let given = match from_environment {
            Some(text) if !is_flag => Some(Given { text, source: Source::Environment(variable) }),
            _ => below,
        };
        let Some(Given { text, source }) = given else { return (None, Source::Default) };
        if text.is_empty() {
            return (None, source);
        }
        match T::parse(&text) {
            Ok(value) => (Some(value), source),
            Err(expected) => {
                let text = format!("`{key}` is `{text}`, expected {expected}");
                self.problems.push(Problem { source: source.clone(), text });
                (None, source)
            }
        }
    }

    /// Notes a problem with a setting that was taken already.
    pub(super) fn complain(&mut self, key: &str, text: &str) {
        let source =
            self.asked.iter().find(|shown| shown.key == key).map(|shown| shown.source.clone());
        self.problems
            .push(Problem { source: source.unwrap_or(Source::Default), text: text.to_owned() });
    }

    /// Ends the reading: what was given and never asked for does not exist.
    pub(super) fn finish(mut self) -> (Vec<Shown>, Vec<Problem>) {
        let keys: Vec<&str> = self.asked.iter().map(|shown| shown.key).collect();
        for (key, given) in &self.given {
            let hint = nearest::hint(key, keys.iter().copied());
            let text = format!("there is no setting `{key}`{hint}");
            self.problems.push(Problem { source: given.source.clone(), text });
        }
        let variables: Vec<String> = keys.iter().map(|key| variable(key)).collect();
        for name in self.environment.keys() {
            let hint = nearest::hint(name, variables.iter().map(String::as_str));
            let text = format!("there is no such setting{hint}");
            self.problems.push(Problem { source: Source::Environment(name.clone()), text });
        }
        (self.asked, self.problems)
    }
}

/// Returns the name of the variable for a key: `blobs.s3.bucket` is `SYMBOLIST_BLOBS_S3_BUCKET`.
fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}
