//! Reads settings one by one.

use std::{ops::RangeInclusive, str::FromStr};

use crate::connection_parameters::ConnectionParameters;

/// The environment variables of libpq that are parameters of each database.
const TLS_VARIABLES: [&str; 4] = ["PGSSLMODE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY"];

/// Reads settings one by one, and collects the mistakes.
pub(super) struct Reader<'a> {
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    pub(super) mistakes: Vec<String>,
}

impl Reader<'_> {
    /// Returns the text of a setting; none when it is blank or not set.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Returns the secret of a setting, or of the file that the setting with `_FILE` names.
    fn secret(&mut self, name: &str) -> Option<String> {
        let file_setting = format!("{name}_FILE");
        let (value, file) = (self.text(name), self.text(&file_setting));
        match (value, file) {
            (Some(_), Some(_)) => {
                self.mistakes.push(format!("{name} and {file_setting} are both set; remove one of them"));
            }
            (value, None) => return value,
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) if !trimmed(&text).is_empty() => return Some(trimmed(&text).to_owned()),
                Ok(_) => self.mistakes.push(format!("{file_setting} names `{path}`, which is empty")),
                Err(error) => {
                    self.mistakes.push(format!("{file_setting} names `{path}`, which cannot be read: {error}"));
                }
            },
        }
        None
    }

    /// Returns the connection parameters of a setting. The value is never quoted: even a mistyped URL contains a password.
    pub(super) fn database(&mut self, name: &str) -> Option<ConnectionParameters> {
        let url = self.secret(name)?;
        let error = match ConnectionParameters::parse_with(&url, self.lookup) {
            Ok(parameters) => return Some(parameters),
            Err(error) => error,
        };
        let also: Vec<_> = TLS_VARIABLES.into_iter().filter(|variable| self.text(variable).is_some()).collect();
        let also =
            if also.is_empty() { String::new() } else { format!(" (its parameters include {})", also.join(", ")) };
        self.mistakes.push(format!("{name} {error}{also}"));
        None
    }

    pub(super) fn optional<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = parse(&text);
        if value.is_none() {
            self.mistakes.push(format!("{name} must be {expected}, but it is `{text}`"));
        }
        value
    }

    /// Returns whether the port of the metrics differs from the service's. Each can be 0, for any free port.
    pub(super) fn differ(&mut self, metrics_port: u16, port: u16) -> bool {
        let differ = port == 0 || metrics_port != port;
        if !differ {
            self.mistakes.push(format!("METRICS_PORT must differ from PORT, but both are {port}"));
        }
        differ
    }

    pub(super) fn parsed<T>(&mut self, name: &str, default: T, expected: &str, parse: impl Fn(&str) -> Option<T>) -> T {
        self.optional(name, expected, parse).unwrap_or(default)
    }

    pub(super) fn number<T: FromStr + PartialOrd + std::fmt::Display>(
        &mut self,
        name: &str,
        default: T,
        range: RangeInclusive<T>,
    ) -> T {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.parsed(name, default, &expected, |text| parse(text).filter(|number| range.contains(number)))
    }

    pub(super) fn list<T>(&mut self, name: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        let mut items = Vec::new();
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            match parse(item) {
                Some(value) => items.push(value),
                None => self.mistakes.push(format!("{name} must be {expected}, separated by commas, but has `{item}`")),
            }
        }
        items
    }
}

/// Returns the text of a file without a byte order mark, which some editors write, and without space around it.
fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

pub(super) fn parse<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
