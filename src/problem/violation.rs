//! A rule of the input that is broken.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::constraints as rules;

/// A rule of the input that is broken: where, which, and what to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Violation {
    /// JSON pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/ends_at")]
    pub pointer: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// Name of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Which rule, for a program; stable.
    #[schema(example = "events_ends_after_start")]
    pub code: Cow<'static, str>,
    /// What to do, for a person.
    #[schema(example = "must be after starts_at")]
    pub detail: Cow<'static, str>,
}

impl Violation {
    /// At a JSON pointer (RFC 6901) of the body.
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, header: None, code: code.into(), detail: detail.into() }
    }

    /// Of a rule of the database, found before the database had to say so.
    pub fn of_rule(constraint: &str) -> Option<Self> {
        rules::find(constraint).map(|rule| Self::at(rule.pointer, rule.constraint, rule.detail))
    }

    /// Of a rule of the database, one for each item of a list that is among those that do not exist.
    pub fn of_items<T: PartialEq>(constraint: &str, items: &[T], missing: &[T]) -> impl Iterator<Item = Self> {
        let dangling = items.iter().enumerate().filter(|(_, item)| missing.contains(item));
        dangling.filter_map(move |(index, _)| {
            rules::find(constraint)
                .map(|rule| Self::at(format!("{}/{index}", rule.pointer), rule.constraint, rule.detail))
        })
    }

    /// Of a parameter of the query.
    pub fn of_parameter(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), header: None, code: code.into(), detail: detail.into() }
    }

    /// Of a header.
    pub fn of_header(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: None, header: Some(name.into()), code: code.into(), detail: detail.into() }
    }
}
