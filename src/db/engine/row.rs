//! One row of an answer, and how a value is made of it.

use super::failure;
use crate::error::{Error, Result};

/// One row of an answer, of either engine.
pub(crate) enum Row<'r> {
    /// Of SQLite.
    Lite(&'r rusqlite::Row<'r>),
    /// Of PostgreSQL.
    Pg(&'r sqlx::postgres::PgRow),
}

impl Row<'_> {
    /// Returns the column at `index`, counted from 0.
    ///
    /// # Errors
    /// When there is no such column, it has another type, or it is NULL and `T` is not an `Option`.
    pub(crate) fn get<T: FromColumn>(&self, index: usize) -> Result<T> {
        T::from_column(self, index)
    }

    fn is_null(&self, index: usize) -> Result<bool> {
        match self {
            Self::Lite(row) => {
                let value = row.get_ref(index).map_err(failure::lite)?;
                Ok(value == rusqlite::types::ValueRef::Null)
            }
            Self::Pg(row) => {
                use sqlx::{Row as _, ValueRef as _};
                Ok(row.try_get_raw(index).map_err(failure::pg)?.is_null())
            }
        }
    }

    fn integer(&self, index: usize) -> Result<i64> {
        match self {
            Self::Lite(row) => row.get(index).map_err(failure::lite),
            Self::Pg(row) => {
                use sqlx::Row as _;
                // A literal or a function may be a smaller integer there, where SQLite has only one.
                row.try_get::<i64, _>(index)
                    .or_else(|error| row.try_get::<i32, _>(index).map(i64::from).map_err(|_| error))
                    .map_err(failure::pg)
            }
        }
    }

    fn text(&self, index: usize) -> Result<String> {
        match self {
            Self::Lite(row) => row.get(index).map_err(failure::lite),
            Self::Pg(row) => sqlx::Row::try_get(*row, index).map_err(failure::pg),
        }
    }

    fn bytes(&self, index: usize) -> Result<Vec<u8>> {
        match self {
            Self::Lite(row) => row.get(index).map_err(failure::lite),
            Self::Pg(row) => sqlx::Row::try_get(*row, index).map_err(failure::pg),
        }
    }
}

/// A value that is made of one column.
///
/// For a type of your own: `row.get::<i64>(index).map(Self)`.
pub(crate) trait FromColumn: Sized + Send {
    /// Makes the value of the column at `index`.
    ///
    /// # Errors
    /// When the column does not hold such a value.
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self>;
}

/// A value that is made of a row.
pub(crate) trait FromRow: Sized + Send {
    /// Makes the value, column by column in the order of the statement.
    ///
    /// # Errors
    /// When a column does not hold what is expected.
    fn from_row(row: &Row<'_>) -> Result<Self>;
}

impl FromColumn for i64 {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.integer(index)
    }
}

macro_rules! smaller_integer {
    ($($type:ty)+) => {$(
        impl FromColumn for $type {
            fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
                let number = row.integer(index)?;
                Self::try_from(number).map_err(|_| {
                    Error::internal(format!("column {index} holds {number}, which is no {}", stringify!($type)))
                })
            }
        }
    )+};
}
smaller_integer!(i32 u32 u16);

impl FromColumn for String {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.text(index)
    }
}

impl FromColumn for Vec<u8> {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.bytes(index)
    }
}

impl FromColumn for bytes::Bytes {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        row.bytes(index).map(Self::from)
    }
}

impl<const N: usize> FromColumn for [u8; N] {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        Self::try_from(row.bytes(index)?).map_err(|bytes| {
            Error::internal(format!("column {index} holds {} bytes, expected {N}", bytes.len()))
        })
    }
}

impl<T: FromColumn> FromColumn for Option<T> {
    fn from_column(row: &Row<'_>, index: usize) -> Result<Self> {
        if row.is_null(index)? { Ok(None) } else { T::from_column(row, index).map(Some) }
    }
}

impl<T: FromColumn> FromRow for T {
    fn from_row(row: &Row<'_>) -> Result<Self> {
        row.get(0)
    }
}

macro_rules! from_row_for_tuples {
    ($($($name:ident $index:tt),+;)+) => {$(
        impl<$($name: FromColumn),+> FromRow for ($($name,)+) {
            fn from_row(row: &Row<'_>) -> Result<Self> {
                Ok(($(row.get::<$name>($index)?,)+))
            }
        }
    )+};
}

from_row_for_tuples! {
    A 0;
    A 0, B 1;
    A 0, B 1, C 2;
    A 0, B 1, C 2, D 3;
    A 0, B 1, C 2, D 3, E 4;
    A 0, B 1, C 2, D 3, E 4, F 5;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10;
    A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11;
}

/// Makes a struct out of a row: the fields in the order of the columns.
///
/// `from_row!(Project { id, name, created_at_ms });`
macro_rules! from_row {
    ($type:ident { $($field:ident),+ $(,)? }) => {
        impl $crate::db::engine::FromRow for $type {
            fn from_row(row: &$crate::db::engine::Row<'_>) -> $crate::error::Result<Self> {
                let mut columns = 0..;
                // Fields are evaluated as written, so each takes the next column.
                Ok(Self { $($field: row.get(columns.next().expect("it never ends"))?),+ })
            }
        }
    };
}
pub(crate) use from_row;
