//! Rules of input that several resources share. Each message is `code|what to do`.

/// Whether this is so many digits.
///
/// # Errors
/// When it is not.
pub fn digits(text: &str, count: usize) -> garde::Result {
    if text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(garde::Error::new(format!("invalid_code|must be {count} digits, as text: \"{:01$}\"", 49, count)))
    }
}

/// Whether this is a theme's slug.
///
/// # Errors
/// When it is not lower-case letters, digits and single hyphens, or is too long.
pub fn slug(text: &str, _: &()) -> garde::Result {
    let word = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if text.len() <= 100 && text.split('-').all(word) {
        Ok(())
    } else {
        Err(garde::Error::new("invalid_slug|must be lower-case letters, digits and single hyphens, 100 at most"))
    }
}

/// Whether this is an http or https address of 2,000 characters at most.
///
/// # Errors
/// When it is not.
pub fn web_address(text: &str, _: &()) -> garde::Result {
    let known = text.starts_with("http://") || text.starts_with("https://");
    let clean = !text.contains(|c: char| c.is_whitespace() || c.is_control());
    if known && clean && text.chars().count() <= 2000 && url::Url::parse(text).is_ok_and(|url| url.has_host()) {
        Ok(())
    } else {
        Err(garde::Error::new("invalid_url|must be an http or https address of 2,000 characters at most"))
    }
}

/// Whether there is something to read.
///
/// # Errors
/// When it is blank.
pub fn not_blank(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("blank|must not be blank")) } else { Ok(()) }
}

/// Whether this is a BCP 47 tag of a language, with a script and a region at most: `fi`, `sv`, `se`, `zh-Hant`.
///
/// # Errors
/// When it is not.
pub fn language_tag(tag: &str, _: &()) -> garde::Result {
    let all = |part: &str, test: fn(&u8) -> bool| part.bytes().all(|byte| test(&byte));
    let mut parts = tag.split('-').peekable();
    let language = parts.next().is_some_and(|p| (2..=3).contains(&p.len()) && all(p, u8::is_ascii_lowercase));
    parts.next_if(|p| {
        p.len() == 4 && p.starts_with(|c: char| c.is_ascii_uppercase()) && all(&p[1..], u8::is_ascii_lowercase)
    });
    parts.next_if(|p| (p.len() == 2 && all(p, u8::is_ascii_uppercase)) || (p.len() == 3 && all(p, u8::is_ascii_digit)));
    if language && parts.next().is_none() {
        Ok(())
    } else {
        Err(garde::Error::new("invalid_language|must be a BCP 47 tag such as fi, sv, en, se"))
    }
}

/// Whether nothing stands there twice.
///
/// # Errors
/// When something does.
pub fn distinct<T: Eq + std::hash::Hash + std::fmt::Display>(items: &[T], _: &()) -> garde::Result {
    let mut seen = std::collections::HashSet::with_capacity(items.len());
    match items.iter().find(|item| !seen.insert(*item)) {
        None => Ok(()),
        Some(item) => Err(garde::Error::new(format!("duplicate|must not have {item} twice"))),
    }
}

/// Whether this looks like a telephone number: 3 to 30 digits, spaces, `+`, `-`, `(`, `)`, one digit at least.
///
/// # Errors
/// When it does not.
pub fn phone(number: &str, _: &()) -> garde::Result {
    let known = |byte: u8| byte.is_ascii_digit() || b" +-()".contains(&byte);
    let looks_right = number.bytes().all(known) && number.bytes().any(|byte| byte.is_ascii_digit());
    if looks_right && (3..=30).contains(&number.len()) {
        Ok(())
    } else {
        Err(garde::Error::new("invalid_phone|must be 3 to 30 digits, spaces, +, -, ( and )"))
    }
}
