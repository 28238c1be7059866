//! Writes rows as JSON objects by hand: a field for each column, by its type.

use std::io::Write as _;

use chrono::{DateTime, Utc};
use kuntatutorit::domain::time;
use tokio_postgres::{
    Row,
    types::{FromSql, Type},
};
use uuid::Uuid;

/// The bytes of a jsonb value.
struct Jsonb<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Jsonb<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        // The first byte is the version of the format.
        Ok(Self(&raw[1..]))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::JSONB
    }
}

/// Writes a row as a JSON object.
pub(crate) fn write(out: &mut Vec<u8>, row: &Row) {
    for (index, column) in row.columns().iter().enumerate() {
        out.extend_from_slice(if index == 0 { b"{\"" } else { b",\"" });
        out.extend_from_slice(column.name().as_bytes());
        out.extend_from_slice(b"\":");
        write_value(out, row, index, column.type_());
    }
    out.push(b'}');
}

fn write_value(out: &mut Vec<u8>, row: &Row, index: usize, ty: &Type) {
    match *ty {
        Type::UUID => or_null(out, row.get(index), write_uuid),
        Type::TEXT => or_null(out, row.get(index), write_text),
        Type::INT4 => or_null(out, row.get(index), |out, number: i32| write_number(out, number.into())),
        Type::INT8 => or_null(out, row.get(index), write_number),
        Type::BOOL => or_null(out, row.get(index), |out, is: bool| {
            out.extend_from_slice(if is { b"true" } else { b"false" });
        }),
        Type::JSONB => or_null(out, row.get(index), |out, Jsonb(json)| out.extend_from_slice(json)),
        Type::TIMESTAMPTZ => or_null(out, row.get(index), |out, at: DateTime<Utc>| {
            time::write(at, |text| write_text(out, text));
        }),
        Type::TEXT_ARRAY => or_null(out, row.get(index), |out, texts: Vec<&str>| write_list(out, texts, write_text)),
        Type::UUID_ARRAY => or_null(out, row.get(index), |out, ids: Vec<Uuid>| write_list(out, ids, write_uuid)),
        _ => unreachable!("no measured column has the type {ty}"),
    }
}

/// Writes a value, or null if there is none.
fn or_null<T>(out: &mut Vec<u8>, value: Option<T>, write: impl FnOnce(&mut Vec<u8>, T)) {
    match value {
        Some(value) => write(out, value),
        None => out.extend_from_slice(b"null"),
    }
}

fn write_uuid(out: &mut Vec<u8>, id: Uuid) {
    let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
    out.push(b'"');
    out.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
    out.push(b'"');
}

fn write_number(out: &mut Vec<u8>, number: i64) {
    write!(out, "{number}").unwrap();
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(out, text).unwrap();
}

fn write_list<T>(out: &mut Vec<u8>, items: Vec<T>, write: impl Fn(&mut Vec<u8>, T)) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}
