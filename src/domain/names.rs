//! Names that callers choose: the slugs of themes, and the keys and sources of partner systems.

use super::{
    rules::{refuse, short_text},
    text_value::text_value,
};

/// The `source` of rows that are written through the service itself, not by a partner system.
pub const OWN_SOURCE: &str = "kuntatutorit";

text_value! {
    /// The slug of a theme: lower-case letters, digits and single hyphens.
    ThemeSlug {
        length: 1 to 100,
        pattern: Some("^[a-z0-9]+(-[a-z0-9]+)*$"),
        format: None,
        example: "email",
        check: slug,
    }
}

text_value! {
    /// The name of the system that created a resource.
    SourceName {
        length: 1 to 50,
        pattern: Some(r"\S"),
        format: None,
        example: "espoo-calendar",
        check: source_name,
    }
}

text_value! {
    /// The key of a resource in the system that created it. It is unique there.
    ExternalId {
        length: 1 to 200,
        pattern: Some(r"\S"),
        format: None,
        example: "order-4711",
        check: external_id,
    }
}

fn slug(text: &str) -> garde::Result {
    let is_word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if text.len() <= 100 && text.split('-').all(is_word) {
        return Ok(());
    }
    refuse("invalid_slug|must be lower-case letters, digits and single hyphens, at most 100 characters")
}

fn source_name(text: &str) -> garde::Result {
    short_text(text, 50)
}

fn external_id(text: &str) -> garde::Result {
    short_text(text, 200)
}
