//! Hostile values for parameters and fields.

use serde_json::{Value, json};

use crate::support::document::has_type;

/// The type of value that it is meant for. A field always gets the values for its own type, and the others in turns.
#[derive(Clone, Copy, Debug, PartialEq)]
enum For {
    Texts,
    Numbers,
    Times,
    Objects,
    /// Any type, or every type.
    Anything,
}

/// A value, as the bytes to send.
pub(super) struct Hostile {
    pub(super) bytes: Vec<u8>,
    of: For,
    /// Whether every field must refuse it, whatever its schema says.
    pub(super) never: bool,
}

impl Hostile {
    fn new(of: For, bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), of, never: false }
    }

    fn never(of: For, bytes: impl Into<Vec<u8>>) -> Self {
        Self { never: true, ..Self::new(of, bytes) }
    }

    /// Returns whether it is meant for values with this schema.
    fn is_for(&self, schema: &Value) -> bool {
        match self.of {
            For::Numbers => has_type(schema, "integer") || has_type(schema, "number"),
            For::Times => schema["format"] == "date" || schema["format"] == "date-time",
            For::Texts => has_type(schema, "string"),
            For::Objects => has_type(schema, "object"),
            For::Anything => false,
        }
    }
}

/// Every text field gets these: NUL, byte order marks, bidirectional marks.
const MARKS: &[&str] = &["\0", "a\0b", "\u{feff}", "\u{feff}a", "\u{202e}a\u{2066}"];

/// Bytes that are not UTF-8.
const NO_TEXT: &[&[u8]] =
    &[&[0xff], &[b'a', 0xc0, 0x80], &[0xed, 0xa0, 0x80], &[0xf4, 0x90, 0x80, 0x80], &[0xe2, 0x82]];

/// Lone surrogates, and NUL, as JSON escapes.
const HALVES: &[&str] = &[r#""\ud800""#, r#""\udc00""#, r#""a\ud800b""#, r#""\ud83d\ud83d""#, r#""\u0000""#];

/// Times before and after the supported years.
const TIMES: &[&str] = &[
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "+10000-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "1899-12-31T23:59:59.999999Z",
    "2200-01-01T00:00:00Z",
    "0000-01-01",
    "9999-12-31",
    "1899-12-31",
    "2200-01-01",
    "infinity",
    "-infinity",
];

/// Texts that have a meaning in SQL, HTML, shells, paths and search queries.
const OTHER_TEXTS: &[&str] = &[
    "",
    " ",
    "\u{200b}",
    "\u{1f9d1}\u{200d}\u{1f3eb}",
    "\u{10ffff}",
    "a\u{308}",
    "\u{7f}",
    "\t",
    "\r\nX-A: b",
    "'",
    "''; --",
    "%",
    "_",
    "\\",
    "\\x00",
    "${jndi:ldap://a}",
    "../../etc",
    "null",
    "true",
    "NaN",
    "epoch",
    "now",
    "today",
    "[]",
    "{}",
    "*",
    "-",
    "+",
    "&",
    "a b & ! |",
    "(",
    "<->",
    ":*",
    "00",
    "5.0",
    "1e0",
    "0x10",
    "2020-06-30T23:59:60Z",
    "2016-12-31T23:59:60Z",
    "2020-02-30T00:00:00Z",
    "2020-01-01T00:00:00+23:59",
    "2199-12-31T23:59:59.999999999Z",
    "2020-01-01T00:00:00.0000000000000001Z",
    "2020-02-30",
    "00000000-0000-0000-0000-000000000000",
    "{019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e}",
    "urn:uuid:019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e",
    "W10",
    "WyIiLFtdXQ",
    "eyJhIjoxfQ",
    "Zm9v",
    "_w",
    "049",
    "fi",
    "http://",
    "http://\u{0}/",
    "https://[::1",
    "https://a b/",
    "javascript:alert(1)",
    "a@b",
    "\"@\"@a",
    "Europe/../Helsinki",
];

/// Other JSON, and texts that resemble JSON.
const OTHER_JSON: &[&str] = &[
    r#""\u0061\u0308""#,
    "null",
    "true",
    "false",
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[{}]",
    r#"{"fi":1}"#,
    r#"{"":""}"#,
    r#"{"__proto__":{}}"#,
    r#"["a","a"]"#,
    "-0",
    "1",
    "1.5",
    "5.0",
    "1e0",
    "1e-400",
    "4294967296",
    "99999999999999999999999999999999999999999999",
    "NaN",
    "Infinity",
    "01",
    "+1",
    ".5",
    "0x1",
    "'a'",
];

/// A megabyte.
pub(super) const MEGABYTE: usize = 1 << 20;

/// Values with at least as many bytes are large.
const LARGE: usize = 100_000;

/// Returns the values for the type of this schema, and a changing share of the others and of the large ones, because all of
/// them take minutes. Set `HOSTILE_ALL` to get all.
pub(super) fn chosen<'a>(values: &'a [Hostile], schema: &Value, turn: usize) -> impl Iterator<Item = &'a Hostile> {
    let every = if std::env::var_os("HOSTILE_ALL").is_some() { 1 } else { 20 };
    let (own, others): (Vec<_>, Vec<_>) =
        values.iter().partition(|value| value.is_for(schema) && value.bytes.len() < LARGE);
    own.into_iter().chain(others.into_iter().skip(turn % every).step_by(every))
}

/// Zero, minus one, and the limits of machine integers with their neighbours.
fn numbers() -> Vec<Vec<u8>> {
    let bounds: [i128; 4] = [i32::MAX.into(), i64::MAX.into(), u32::MAX.into(), u64::MAX.into()];
    let around = bounds.iter().flat_map(|most| [most - 1, *most, most + 1, 1 - most, -most, -most - 1, -most - 2]);
    let whole = around.chain([0, -1]).map(|number| number.to_string());
    whole.chain(["1e400", "-1e400"].map(str::to_owned)).map(String::into_bytes).collect()
}

/// Texts as bytes. Some are not UTF-8.
pub(super) fn texts() -> Vec<Hostile> {
    let mut texts: Vec<_> = MARKS.iter().map(|text| Hostile::new(For::Texts, *text)).collect();
    texts.extend(NO_TEXT.iter().map(|bytes| Hostile::never(For::Texts, *bytes)));
    texts.extend(TIMES.iter().map(|text| Hostile::new(For::Times, *text)));
    texts.extend(OTHER_TEXTS.iter().map(|text| Hostile::new(For::Anything, *text)));
    let long = [b"a".repeat(201), b"7".repeat(20_000), "\u{1f600}".repeat(4001).into_bytes()];
    texts.extend(long.map(|bytes| Hostile::new(For::Anything, bytes)));
    texts
}

/// Values for parameters: texts, and numbers as texts.
pub(super) fn parameters() -> Vec<Hostile> {
    let numbers = numbers().into_iter().map(|number| Hostile::new(For::Numbers, number));
    texts().into_iter().chain(numbers).collect()
}

/// JSON as it stands in a body. Some of it is not valid JSON.
pub(super) fn json_values() -> Vec<Hostile> {
    let texts = texts().into_iter().map(|text| match String::from_utf8(text.bytes) {
        Ok(bytes) => Hostile { bytes: json!(bytes).to_string().into_bytes(), ..text },
        Err(broken) => Hostile { bytes: [b"\"", broken.as_bytes(), b"\""].concat(), ..text },
    });
    let mut values: Vec<_> = texts.collect();
    values.extend(HALVES.iter().map(|half| Hostile::never(For::Texts, *half)));
    values.push(Hostile::never(For::Texts, [&b"\""[..], &b"a".repeat(MEGABYTE), &b"\""[..]].concat()));
    for number in numbers() {
        values.push(Hostile::new(For::Anything, [b"\"", &number[..], b"\""].concat()));
        values.push(Hostile::new(For::Numbers, number));
    }
    values.push(Hostile::never(For::Objects, r#"{"fi":"a","fi":"b"}"#));
    values.extend(OTHER_JSON.iter().map(|json| Hostile::new(For::Anything, *json)));
    values.push(Hostile::never(For::Anything, [b"[".repeat(100_000), b"]".repeat(100_000)].concat()));
    values.push(Hostile::new(For::Anything, [&b"["[..], &b"1,".repeat(2000), &b"1]"[..]].concat()));
    values
}
