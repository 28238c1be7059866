//! The values of `jsonb` columns, in PostgreSQL's binary format.

use std::io::Write as _;

use diesel::{
    deserialize,
    pg::{Pg, PgValue},
    serialize::{self, IsNull, Output},
};
use serde::{Deserialize, Serialize};

/// Writes a value in version 1 of the binary format of `jsonb`.
pub(crate) fn write_jsonb<T: Serialize>(value: &T, out: &mut Output<'_, '_, Pg>) -> serialize::Result {
    out.write_all(&[1])?;
    serde_json::to_writer(out, value)?;
    Ok(IsNull::No)
}

/// Reads a value in version 1 of the binary format of `jsonb`.
pub(crate) fn read_jsonb<T: for<'de> Deserialize<'de>>(value: &PgValue<'_>) -> deserialize::Result<T> {
    match value.as_bytes().split_first() {
        Some((1, json)) => Ok(serde_json::from_slice(json)?),
        _ => Err("unsupported version of jsonb".into()),
    }
}

/// Implements `ToSql` and `FromSql` for a type that is stored in a `jsonb` column.
macro_rules! jsonb_column {
    ($type:ty) => {
        impl diesel::serialize::ToSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $type {
            fn to_sql<'b>(
                &'b self,
                out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>,
            ) -> diesel::serialize::Result {
                $crate::domain::jsonb::write_jsonb(self, out)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Jsonb, diesel::pg::Pg> for $type {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                $crate::domain::jsonb::read_jsonb(&value)
            }
        }
    };
}

pub(crate) use jsonb_column;
