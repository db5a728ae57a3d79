//! How the types of `protocol` stand in a column.

use protocol::id::EventId;
use protocol::time::Timestamp;

use super::bind::{Bind, Kind, Value};
use super::row::{FromColumn, Row};
use crate::error::Result;

/// As milliseconds since 1970.
impl Bind for Timestamp {
    fn value(&self) -> Value<'_> {
        Value::Integer(self.0)
    }
    fn kind() -> Kind {
        Kind::Integer
    }
}

impl FromColumn for Timestamp {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.get(index).map(Self)
    }
}

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
