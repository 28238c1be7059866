//! Rules that several types of values share. Each message has the form `code|what to do`; the reader of the body splits it
//! into the code and the detail of a violation.

/// Refuses text that is empty or has only white space.
pub fn not_blank(text: &str, _: &()) -> garde::Result {
    if text.trim().is_empty() { refuse("blank|must not be blank") } else { Ok(()) }
}

/// Refuses text that is blank or has more than `max` characters.
pub(super) fn short_text(text: &str, max: usize) -> garde::Result {
    if text.is_empty() {
        return refuse("too_short|must have at least 1 character");
    }
    if text.chars().count() > max {
        return refuse(format!("too_long|must have at most {max} characters"));
    }
    not_blank(text, &())
}

/// Refuses a list with duplicate items.
pub fn distinct<T: Eq + std::hash::Hash + std::fmt::Display>(items: &[T], _: &()) -> garde::Result {
    let mut seen = std::collections::HashSet::with_capacity(items.len());
    match items.iter().find(|item| !seen.insert(*item)) {
        None => Ok(()),
        Some(item) => refuse(format!("duplicate|must not have {item} twice")),
    }
}

/// Returns an error with a message of the form `code|what to do`.
pub(super) fn refuse(message: impl Into<String>) -> garde::Result {
    Err(garde::Error::new(message.into()))
}
