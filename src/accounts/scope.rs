//! Scopes: what a token may do, in Sentry's words, and which of them open which operation.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

macro_rules! scopes {
    ($($(#[$doc:meta])+ $scope:ident = $name:literal;)+) => {
        /// One thing a token may do. The names are Sentry's, because tools compare them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Scope {
            $($(#[$doc])+ $scope,)+
        }

        /// Every scope.
        pub(crate) const SCOPES: &[Scope] = &[$(Scope::$scope),+];

        impl Scope {
            /// Returns its name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$scope => $name,)+
                }
            }
        }
    };
}

scopes! {
    /// Read the organization.
    OrgRead = "org:read";
    /// Change the organization.
    OrgWrite = "org:write";
    /// Everything about the organization.
    OrgAdmin = "org:admin";
    /// Integrations of the organization.
    OrgIntegrations = "org:integrations";
    /// What a build needs: upload files and make releases.
    OrgCi = "org:ci";
    /// Read who belongs to the organization.
    MemberRead = "member:read";
    /// Change who belongs to the organization.
    MemberWrite = "member:write";
    /// Everything about members.
    MemberAdmin = "member:admin";
    /// Read teams.
    TeamRead = "team:read";
    /// Change teams.
    TeamWrite = "team:write";
    /// Everything about teams.
    TeamAdmin = "team:admin";
    /// Read projects.
    ProjectRead = "project:read";
    /// Change projects, and upload files.
    ProjectWrite = "project:write";
    /// Everything about projects.
    ProjectAdmin = "project:admin";
    /// Make releases, and upload files.
    ProjectReleases = "project:releases";
    /// Read issues and events.
    EventRead = "event:read";
    /// Change issues.
    EventWrite = "event:write";
    /// Everything about issues and events.
    EventAdmin = "event:admin";
    /// Read alert rules.
    AlertsRead = "alerts:read";
    /// Change alert rules.
    AlertsWrite = "alerts:write";
}

/// What a token made for a build may do, as Sentry's own organization tokens.
pub(crate) const SCOPES_OF_A_BUILD: Scopes = Scopes::of(&[Scope::OrgCi]);

impl FromStr for Scope {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let found = SCOPES.iter().copied().find(|scope| scope.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = SCOPES.iter().map(|scope| scope.name()).collect();
            Error::Invalid(format!(
                "there is no scope `{text}`: take some of {}, or all",
                names.join(", ")
            ))
        })
    }
}

/// A set of scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Scopes(u32);

impl Scopes {
    /// Returns the set of these.
    pub(crate) const fn of(scopes: &[Scope]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < scopes.len() {
            bits |= 1 << scopes[index] as u32;
            index += 1;
        }
        Self(bits)
    }

    /// Returns the set of all.
    pub(crate) const fn all() -> Self {
        Self::of(SCOPES)
    }

    /// Reads names separated by spaces or commas; `all` means every scope.
    ///
    /// # Errors
    /// `Invalid` with the first name that is no scope.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut set = Self::default();
        for name in text.split([' ', ',']).filter(|name| !name.is_empty()) {
            set.0 |= if name == "all" { Self::all().0 } else { Self::of(&[name.parse()?]).0 };
        }
        Ok(set)
    }

    /// Reads what is stored; a name that this version does not know gives nothing.
    pub(crate) fn of_stored(text: &str) -> Self {
        let known: Vec<Scope> = text.split(' ').filter_map(|name| name.parse().ok()).collect();
        Self::of(&known)
    }

    /// Says whether at least one of `scopes` is in the set.
    pub(crate) fn contain_any(self, scopes: &[Scope]) -> bool {
        self.0 & Self::of(scopes).0 != 0
    }

    /// Says whether nothing is in the set.
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the names, in the order of [`SCOPES`].
    pub(crate) fn names(self) -> Vec<&'static str> {
        SCOPES
            .iter()
            .filter(|scope| self.contain_any(&[**scope]))
            .map(|scope| scope.name())
            .collect()
    }
}

impl fmt::Display for Scopes {
    /// Writes the names separated by spaces, as they are stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_read_and_written() {
        let set = Scopes::parse("project:read, org:ci").unwrap();
        assert_eq!(set.to_string(), "org:ci project:read");
        assert_eq!(Scopes::of_stored(&set.to_string()), set);
        assert!(set.contain_any(&[Scope::OrgCi, Scope::OrgAdmin]));
        assert!(!set.contain_any(&[Scope::OrgAdmin]));
        assert_eq!(Scopes::parse("all").unwrap(), Scopes::all());
        assert!(Scopes::parse("").unwrap().is_empty());
    }

    #[test]
    fn unknown_names_are_refused_with_the_known_ones() {
        let text = Scopes::parse("project:raed").unwrap_err().to_string();
        assert!(text.contains("`project:raed`") && text.contains("project:read"), "{text}");
        assert!(Scopes::of_stored("from:the:future").is_empty());
    }
}
