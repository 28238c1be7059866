//! Violations: the rules that the input of a request breaks.

use std::borrow::Cow;

use serde::Serialize;
use utoipa::ToSchema;

use super::constraints;

/// A rule that the input breaks. It has one of `pointer`, `parameter` and `header`.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Violation {
    /// A JSON pointer (RFC 6901) to the field of the body that breaks the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/ends_at")]
    pub pointer: Option<String>,
    /// The name of the query parameter that breaks the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameter: Option<String>,
    /// The name of the header that breaks the rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The code of the rule, for programs. It never changes.
    #[schema(example = "not_after")]
    pub code: Cow<'static, str>,
    /// What to do, for people.
    #[schema(example = "must be after starts_at")]
    pub detail: Cow<'static, str>,
}

impl Violation {
    /// Returns the violation of a rule by a field of the body, which a JSON pointer names (RFC 6901).
    pub fn at(pointer: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: Some(pointer.into()), ..Self::without_location(code, detail) }
    }

    /// Returns the violation of a database constraint, for a rule that the service checks before PostgreSQL does.
    pub fn of_rule(constraint: &str) -> Option<Self> {
        constraints::find(constraint).map(|rule| Self::at(&*rule.pointer, rule.constraint, &*rule.detail))
    }

    /// Returns a violation of a database constraint for each item of a list that is also in `missing`.
    pub fn of_items<T: PartialEq>(constraint: &str, items: &[T], missing: &[T]) -> impl Iterator<Item = Self> {
        let dangling = items.iter().enumerate().filter(|(_, item)| missing.contains(item));
        dangling.filter_map(move |(index, _)| {
            constraints::find(constraint)
                .map(|rule| Self::at(format!("{}/{index}", rule.pointer), rule.constraint, &*rule.detail))
        })
    }

    /// Returns the violation of a rule by a query parameter.
    pub fn of_parameter(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { parameter: Some(name.into()), ..Self::without_location(code, detail) }
    }

    /// Returns the violation of a rule by a header.
    pub fn of_header(name: impl Into<String>, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { header: Some(name.into()), ..Self::without_location(code, detail) }
    }

    fn without_location(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: None, parameter: None, header: None, code: code.into(), detail: detail.into() }
    }
}
