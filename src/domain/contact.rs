//! Contact details: e-mail addresses, telephone numbers and web addresses.

use super::{rules::refuse, text_value::text_value};

text_value! {
    /// An e-mail address.
    EmailAddress {
        length: 3 to 254,
        pattern: None,
        format: Some("email"),
        example: "digituki@example.org",
        check: email_address,
    }
}

text_value! {
    /// A telephone number: digits, spaces, `+`, `-`, `(` and `)`.
    PhoneNumber {
        length: 3 to 30,
        pattern: Some("^[ +()-]*[0-9][0-9 +()-]*$"),
        format: None,
        example: "+358 9 123 4567",
        check: phone_number,
    }
}

text_value! {
    /// An http or https address. Its host and path may have letters outside ASCII (RFC 3987).
    WebAddress {
        length: 8 to 2000,
        pattern: Some("^https?://"),
        format: Some("iri"),
        example: "https://digituki.example",
        check: web_address,
    }
}

/// The characters of an atom besides letters and digits (RFC 5321, section 4.1.2; RFC 5322, section 3.2.3).
const ATOM_MARKS: &[u8] = b"!#$%&'*+-/=?^_`{|}~";

/// Checks the dot-string form of RFC 5321, section 4.1.2: atoms separated by single dots, and a host name.
fn email_address(text: &str) -> garde::Result {
    let is_atom = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || ATOM_MARKS.contains(&byte))
    };
    let is_label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let is_address = text.len() <= 254
        && text.rsplit_once('@').is_some_and(|(local, host)| {
            local.len() <= 64 && local.split('.').all(is_atom) && host.split('.').all(is_label) && host.contains('.')
        });
    if is_address { Ok(()) } else { refuse("invalid_email|must be an e-mail address such as digituki@example.org") }
}

fn phone_number(text: &str) -> garde::Result {
    let is_known = |byte: u8| byte.is_ascii_digit() || b" +-()".contains(&byte);
    let is_number = text.bytes().all(is_known) && text.bytes().any(|byte| byte.is_ascii_digit());
    if is_number && (3..=30).contains(&text.len()) {
        return Ok(());
    }
    refuse("invalid_phone|must be 3 to 30 digits, spaces, +, -, ( and )")
}

/// Checks that the address has a host directly after `//`. The parser is more lenient: it skips further slashes, and
/// accepts an empty user name.
fn web_address(text: &str) -> garde::Result {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    let is_web = rest.is_some_and(|rest| !rest.starts_with(['/', '\\', '?', '#', ':', '@']));
    let is_clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if is_web && is_clean && text.chars().count() <= 2000 && url::Url::parse(text).is_ok_and(|url| url.has_host()) {
        return Ok(());
    }
    refuse("invalid_url|must be an http or https address of at most 2,000 characters")
}
