//! Statistics Finland's codes of municipalities and regions.

use super::{rules::refuse, text_value::text_value};

text_value! {
    /// Statistics Finland's code of a municipality: three digits, always as text.
    MunicipalityCode {
        length: 3 to 3,
        pattern: Some("^[0-9]{3}$"),
        format: None,
        example: "049",
        check: three_digits,
    }
}

text_value! {
    /// Statistics Finland's code of a region: two digits, always as text.
    RegionCode {
        length: 2 to 2,
        pattern: Some("^[0-9]{2}$"),
        format: None,
        example: "01",
        check: two_digits,
    }
}

fn three_digits(text: &str) -> garde::Result {
    digits(text, 3, "049")
}

fn two_digits(text: &str) -> garde::Result {
    digits(text, 2, "01")
}

fn digits(text: &str, count: usize, example: &str) -> garde::Result {
    if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(());
    }
    refuse(format!("invalid_code|must be {count} digits, as text: \"{example}\""))
}
