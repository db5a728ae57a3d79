//! How the types of `protocol` stand in a column.

use protocol::id::{BundleId, DebugFileId, EventId, IssueId, OrganizationId, ProjectId, UserId};
use protocol::time::Timestamp;

use super::bind::{Bind, Kind, Value};
use super::row::{FromColumn, Row};
use crate::error::Result;

/// Types that wrap an integer: row ids, and times as milliseconds since 1970.
macro_rules! integer_column {
    ($($type:ident)+) => {$(
        impl Bind for $type {
            fn value(&self) -> Value<'_> {
                Value::Integer(self.0)
            }
            fn kind() -> Kind {
                Kind::Integer
            }
        }

        impl FromColumn for $type {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                row.get(index).map(Self)
            }
        }
    )+};
}

integer_column!(Timestamp OrganizationId ProjectId UserId IssueId DebugFileId BundleId);

/// As its 16 bytes.
impl Bind for EventId {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self.0.as_bytes())
    }
    fn kind() -> Kind {
        Kind::Bytes
    }
}

impl FromColumn for EventId {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.get(index).map(|bytes| Self(uuid::Uuid::from_bytes(bytes)))
    }
}
