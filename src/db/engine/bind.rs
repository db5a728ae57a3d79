//! What can stand for a `$n` in a statement.
//!
//! Only integers, text and bytes: the portable subset. There is no `bool` on purpose (PostgreSQL has
//! a type for it, SQLite does not): a flag is a nullable timestamp.

use std::borrow::Cow;

/// A value bound to a statement.
///
/// To bind a type of your own, forward both functions to what it wraps.
pub(crate) trait Bind: Sync {
    /// Returns what is stored.
    fn value(&self) -> Value<'_>;
    /// Returns the type of the column, which PostgreSQL wants to know even for a NULL.
    fn kind() -> Kind
    where
        Self: Sized;
}

/// The type of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `INTEGER` / `BIGINT`.
    Integer,
    /// `TEXT`.
    Text,
    /// `BLOB` / `BYTEA`.
    Bytes,
}

/// A value in the portable subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// Nothing, but of a type.
    Null(Kind),
    /// A number, an id, a time.
    Integer(i64),
    /// Text; NUL characters are removed when it is bound, because PostgreSQL refuses them.
    Text(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
}

/// Returns `text` without NUL characters.
fn without_nul(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) {
        Cow::Owned(text.replace('\0', ""))
    } else {
        Cow::Borrowed(text)
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, Value as Owned, ValueRef};
        Ok(match self {
            Self::Null(_) => ToSqlOutput::Borrowed(ValueRef::Null),
            Self::Integer(number) => ToSqlOutput::Owned(Owned::Integer(*number)),
            Self::Text(text) => match without_nul(text) {
                Cow::Borrowed(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
                Cow::Owned(text) => ToSqlOutput::Owned(Owned::Text(text)),
            },
            Self::Bytes(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

impl Value<'_> {
    /// Adds this value to the arguments of a statement for PostgreSQL.
    pub(super) fn add_to(
        self,
        arguments: &mut sqlx::postgres::PgArguments,
    ) -> Result<(), sqlx::error::BoxDynError> {
        use sqlx::Arguments as _;
        match self {
            Self::Null(Kind::Integer) => arguments.add(None::<i64>),
            Self::Null(Kind::Text) => arguments.add(None::<&str>),
            Self::Null(Kind::Bytes) => arguments.add(None::<&[u8]>),
            Self::Integer(number) => arguments.add(number),
            Self::Text(text) => arguments.add(without_nul(text).as_ref()),
            Self::Bytes(bytes) => arguments.add(bytes),
        }
    }
}

macro_rules! bind {
    ($($type:ty: $kind:ident, |$value:ident| $expression:expr;)+) => {$(
        impl Bind for $type {
            fn value(&self) -> Value<'_> {
                let $value = self;
                Value::$kind($expression)
            }
            fn kind() -> Kind {
                Kind::$kind
            }
        }
    )+};
}

bind! {
    i64: Integer, |number| *number;
    i32: Integer, |number| i64::from(*number);
    u32: Integer, |number| i64::from(*number);
    u16: Integer, |number| i64::from(*number);
    String: Text, |text| text;
    &str: Text, |text| text;
    Cow<'_, str>: Text, |text| text;
    Vec<u8>: Bytes, |bytes| bytes;
    &[u8]: Bytes, |bytes| bytes;
    bytes::Bytes: Bytes, |bytes| bytes;
}

impl<const N: usize> Bind for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
    fn kind() -> Kind {
        Kind::Bytes
    }
}

impl<T: Bind> Bind for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null(T::kind()), T::value)
    }
    fn kind() -> Kind {
        T::kind()
    }
}
