//! Languages.

use super::{rules::refuse, text_value::text_value};

/// The languages that localised texts can have, with their English names. A text is sorted by its first part in this order.
/// PostgreSQL has the same list in `content_languages()`; a test compares them.
pub const CONTENT_LANGUAGES: [(&str, &str); 6] = [
    ("fi", "Finnish"),
    ("sv", "Swedish"),
    ("en", "English"),
    ("se", "Northern Sámi"),
    ("smn", "Inari Sámi"),
    ("sms", "Skolt Sámi"),
];

text_value! {
    /// A BCP 47 tag of a language, with a script and a region at most.
    LanguageTag {
        length: 2 to 15,
        pattern: Some("^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?$"),
        format: None,
        example: "fi",
        check: language_tag,
    }
}

fn language_tag(tag: &str) -> garde::Result {
    let all = |part: &str, test: fn(&u8) -> bool| part.bytes().all(|byte| test(&byte));
    let mut parts = tag.split('-').peekable();
    let language = parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && all(p, u8::is_ascii_lowercase));
    // A script, such as `Hant`.
    parts.next_if(|p| {
        p.len() == 4 && p.starts_with(|c: char| c.is_ascii_uppercase()) && all(&p[1..], u8::is_ascii_lowercase)
    });
    // A region, such as `FI` or `419`.
    parts.next_if(|p| (p.len() == 2 && all(p, u8::is_ascii_uppercase)) || (p.len() == 3 && all(p, u8::is_ascii_digit)));
    if language && parts.next().is_none() {
        return Ok(());
    }
    refuse("invalid_language|must be a BCP 47 tag such as fi, sv, en, se")
}
