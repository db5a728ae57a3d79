//! How hashes are kept: as their bytes.

use super::engine::{Bind, FromColumn, Kind, Row, Value};
use crate::blobs::{BlobKey, Sha1};
use crate::error::Result;

impl Bind for BlobKey {
    fn value(&self) -> Value<'_> {
        Value::Bytes(&self.0)
    }
    fn kind() -> Kind {
        Kind::Bytes
    }
}

impl FromColumn for BlobKey {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.get(index).map(Self)
    }
}

impl Bind for Sha1 {
    fn value(&self) -> Value<'_> {
        Value::Bytes(&self.0)
    }
    fn kind() -> Kind {
        Kind::Bytes
    }
}

impl FromColumn for Sha1 {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.get(index).map(Self)
    }
}
