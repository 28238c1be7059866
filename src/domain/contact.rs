//! Contact details: e-mail addresses, telephone numbers and web addresses.

use serde::{Deserialize as _, Deserializer};

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

/// Reads a telephone number, or null, and normalises it.
///
/// # Errors
/// When the value is not text.
pub fn normalized_phone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PhoneNumber>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(|text| normalize_phone(&text).into()))
}

/// Returns the number in the form of E.164, such as `+358912345678`, if it begins with `+` or `00` and a country.
/// Otherwise returns it with single spaces: a number in a national form does not tell its country.
fn normalize_phone(text: &str) -> String {
    let spaced =
        text.split_whitespace().collect::<Vec<_>>().join(" ").replace(['\u{2010}', '\u{2011}', '\u{2013}'], "-");
    // In `+358 (0)9`, the zero is for calls within the country.
    let without_trunk_zero = spaced.replacen("(0)", "", 1);
    let international = without_trunk_zero.strip_prefix('+').or_else(|| without_trunk_zero.strip_prefix("00"));
    let Some(rest) = international else { return spaced };
    let digits: String = rest.chars().filter(|c| !" ()-".contains(*c)).collect();
    let is_e164 = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_e164 && !digits.starts_with('0') { format!("+{digits}") } else { spaced }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phone_numbers_have_one_form_where_they_allow_it() {
        for (written, stored) in [
            ("+358 9 123 4567", "+35891234567"),
            ("+358\u{a0}9\u{202f}123\u{a0}4567", "+35891234567"),
            ("00358-9-1234567", "+35891234567"),
            ("+358 (0)9 123 4567", "+35891234567"),
            ("+358 40\u{2011}123\u{2013}4567", "+358401234567"),
            (" 09\u{a0} 123  4567 ", "09 123 4567"),
            ("112", "112"),
            ("+12", "+12"),
            ("+0123456789", "+0123456789"),
            ("+358 soita", "+358 soita"),
        ] {
            assert_eq!(normalize_phone(written), stored, "{written}");
            assert_eq!(normalize_phone(stored), stored);
        }
    }
}
