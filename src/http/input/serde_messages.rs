//! Turns serde's messages about values that cannot be read into details for callers. serde's own messages name the types of
//! the code.

/// The texts after "expected" in serde's messages, each with the detail.
const EXPECTED: &[(&str, &str)] = &[
    ("i32", "must be a whole number from -2147483648 to 2147483647"),
    ("i64", "must be a whole number from -9223372036854775808 to 9223372036854775807"),
    ("u64", "must be a whole number from 0 to 18446744073709551615"),
    ("f64", "must be a number"),
    ("a boolean", "must be true or false"),
    ("\"true\", \"on\" or \"false\"", "must be true or false"),
    ("a string", "must be text"),
    ("string or map", "must be one of the words that the API document lists"),
    ("variant identifier", "must be one of the words that the API document lists"),
    ("a formatted date string", DATE),
    ("a formatted UUID string", UUID),
    ("a UUID string", UUID),
    ("a sequence", "must be an array"),
    ("a map", "must be an object"),
];
/// Parts of the messages of parsers of text, each with the detail.
const UNREADABLE: &[(&str, &str)] = &[
    ("invalid digit found in string", "must be a whole number"),
    ("number too large to fit", "must be a smaller whole number"),
    ("number too small to fit", "must be a larger whole number"),
    ("provided string was not `true` or `false`", "must be true or false"),
    ("unsupported value", "must appear only once"),
    ("UUID parsing failed", UUID),
    ("input is out of range", DATE),
    ("input contains invalid characters", DATE),
    ("no possible date and time", DATE),
    ("premature end of input", DATE),
    ("trailing input", DATE),
];
const DATE: &str = "must be a day such as 2022-12-31";
const UUID: &str = "must be a UUID such as 019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e";

/// Returns the detail for this message of serde, in at most 300 characters.
pub(super) fn detail_of(message: &str) -> String {
    let words = message.strip_prefix("unknown variant ").and_then(|rest| rest.rsplit_once("`, expected "));
    if let Some((_, known)) = words {
        let known = known.trim_start_matches("one of ").replace('`', "").replace(" or ", ", ");
        return format!("must be {}{known}", if known.contains(", ") { "one of " } else { "" });
    }
    let expected = message.rsplit_once(", expected ").map_or("", |(_, expected)| expected);
    let known = EXPECTED.iter().find(|(serde, _)| *serde == expected);
    let known = known.or_else(|| UNREADABLE.iter().find(|(part, _)| message.contains(part)));
    match known {
        Some((_, detail)) => (*detail).to_owned(),
        None if message.starts_with("invalid ") => "must have the type that the API document states".to_owned(),
        None => message.chars().take(300).collect(),
    }
}
