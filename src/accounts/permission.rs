//! Permissions: the operations of the API, each with the scopes of which one is enough.
//!
//! The table is Sentry's. A permission is a type, so that the signature of
//! a handler says what it needs and cannot forget to ask.

use super::scope::Scope::{self, *};

/// An operation that needs one of several scopes.
pub(crate) trait Permission: Send + Sync + 'static {
    /// Any one of these is enough.
    const ANY_OF: &'static [Scope];
}

macro_rules! permissions {
    ($($(#[$doc:meta])+ $name:ident: $($scope:ident)+;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub(crate) enum $name {}

        impl Permission for $name {
            const ANY_OF: &'static [Scope] = &[$($scope),+];
        }
    )+};
}

permissions! {
    /// Read releases, upload options, debug files, bundles.
    ReadUploads: ProjectRead ProjectWrite ProjectAdmin ProjectReleases OrgCi;
    /// Upload files, make releases.
    WriteUploads: ProjectWrite ProjectAdmin ProjectReleases OrgCi;
    /// Read organizations.
    ReadOrganizations: OrgRead OrgWrite OrgAdmin;
    /// Read projects and their keys.
    ReadProjects: ProjectRead ProjectWrite ProjectAdmin OrgRead OrgWrite OrgAdmin;
    /// Read issues and events.
    ReadEvents: EventRead EventWrite EventAdmin;
    /// Change issues.
    WriteEvents: EventWrite EventAdmin;
}
