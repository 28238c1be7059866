//! The shapes of a calendar link.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{MunicipalityCode, rules::not_blank},
    http::{Body, Filter, Resource, examples},
    resources::meetings::calendars::language::Language,
    schema::calendar_links,
};

/// The fields of a calendar link that callers write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, Queryable, Selectable)]
#[diesel(table_name = calendar_links, treat_none_as_default_value = false)]
#[schema(example = json!({"name": "Puhelimen kalenteri", "municipality_code": "049", "lang": "fi"}))]
pub struct CalendarLinkInput {
    /// Your name for the link, such as that of the program that reads the calendar.
    #[garde(length(chars, max = 200), custom(not_blank))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// The code of the municipality whose events the calendar shows: those that it hosts and those that are tailored to it.
    /// Null for all events.
    #[garde(dive)]
    pub municipality_code: Option<MunicipalityCode>,
    /// The language of the calendar. A text without this language is shown in the first language that it has, in the order
    /// Finnish, Swedish, English, Sámi languages.
    #[serde(default)]
    #[garde(skip)]
    pub lang: Language,
}

impl Body for CalendarLinkInput {
    const SET_BY_SERVICE: &'static [&'static str] = &["id", "url", "version", "created_at", "updated_at"];
}

/// A calendar link, without its secret address.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = calendar_links)]
#[schema(example = json!(examples::stored::<CalendarLinkInput>(&serde_json::json!({
    "id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e"
}))))]
pub struct CalendarLink {
    /// A UUID of version 7. It is not the secret of the address.
    pub id: Uuid,
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: CalendarLinkInput,
    /// The version. Every write changes it.
    #[schema(example = 42)]
    pub version: i64,
    /// When the calendar link was created.
    pub created_at: DateTime<Utc>,
    /// When the calendar link was last written.
    pub updated_at: DateTime<Utc>,
}

impl Resource for CalendarLink {
    const COLLECTION: &'static str = "/v1/calendar-links";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }
}

/// A new calendar link with its secret address.
#[derive(Clone, Serialize, ToSchema)]
#[schema(example = json!(examples::example_with::<CalendarLink>(&serde_json::json!({
    "url": "https://kuntatutorit.example/calendar/Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ.ics"
}))))]
pub struct CreatedCalendarLink {
    #[serde(flatten)]
    pub link: CalendarLink,
    /// The secret address, for your calendar program. Anyone who has it sees the events that you may see. Only this
    /// response has it: the service cannot show it again.
    #[schema(
        format = "uri",
        example = "https://kuntatutorit.example/calendar/Wm9b2r0uY1oC4c8mJ3v7x5qkT6hZsN0aLd2eGfIyUpQ.ics"
    )]
    pub url: String,
}

impl Resource for CreatedCalendarLink {
    const COLLECTION: &'static str = CalendarLink::COLLECTION;

    fn key(&self) -> String {
        self.link.key()
    }

    fn version(&self) -> i64 {
        self.link.version
    }
}

/// The filters of a list of calendar links. The oldest link comes first. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct CalendarLinkFilter {
    /// The code of the municipality whose events the calendar shows.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
}

impl Filter for CalendarLinkFilter {}
