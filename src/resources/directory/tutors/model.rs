//! The shapes of a tutor.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    db::row_limit::Weighed,
    domain::{
        EmailAddress, ExternalId, LanguageTag, LocalizedDescription, LocalizedName, MunicipalityCode, PhoneNumber,
        RegionCode, SourceName, ThemeSlug,
        contact::normalized_phone,
        jsonb::jsonb_column,
        localized_text::json_length,
        rules::{distinct, not_blank},
        time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, output::json::RESOURCE_SIZE},
    schema::tutors,
};

column_words! {
    /// Whether a tutor is available.
    #[derive(Default)]
    pub enum TutorStatus {
        /// The tutor is available.
        #[default]
        Active = "active",
        /// The tutor is not available for a while.
        Paused = "paused",
        /// The tutor has left. Events still refer to the tutor.
        Ended = "ended",
    }
}

column_words! {
    /// Which callers see a tutor's name and contact. Callers that may change the tutor always see them.
    #[derive(Default)]
    pub enum Visibility {
        /// Every caller.
        Public = "public",
        /// Signed-in people, and partner systems that hold the scope `contacts:read`.
        #[default]
        Network = "network",
        /// Only the coordinator.
        Coordinator = "coordinator",
    }
}

/// The contact details of a tutor: an e-mail address, a phone number or both.
#[derive(
    Clone,
    Debug,
    PartialEq,
    Serialize,
    Deserialize,
    ToSchema,
    Validate,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Jsonb)]
#[schema(example = json!({"email": "digituki@kunta.example", "phone": null}))]
pub struct Contact {
    /// The e-mail address.
    #[garde(dive)]
    pub email: Option<EmailAddress>,
    /// The phone number: digits, spaces, `+`, `-`, `(` and `)`. A number that begins with `+` or `00` and a country is
    /// stored in the form of E.164, such as `+35891234567`; another one is stored with single spaces.
    #[serde(default, deserialize_with = "normalized_phone")]
    #[garde(dive)]
    pub phone: Option<PhoneNumber>,
}
jsonb_column!(Contact);

/// The fields of a tutor that callers write.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = tutors, treat_none_as_null = true, treat_none_as_default_value = false)]
#[schema(example = json!({
    "external_id": null, "name": "Kuntatutor, Järvenpää",
    "title": {"fi": "Kuntatutor", "sv": "Kommuntutor", "en": "Municipal tutor"}, "municipality_code": "186",
    "perspective": {"en": "An active network built together with adult education centres, the municipality and the third sector."},
    "themes": ["adult-education-centres"], "languages": ["fi"], "status": "ended", "contact": null, "visibility": "public"
}))]
pub struct TutorInput {
    /// The key of the tutor in your system. It is unique there.
    #[garde(dive)]
    pub external_id: Option<ExternalId>,
    /// The name of the tutor.
    #[garde(length(chars, max = 200), custom(not_blank))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub name: String,
    /// The title of the tutor.
    #[garde(dive)]
    pub title: Option<LocalizedName>,
    /// The code of the municipality that the tutor works for.
    #[garde(dive)]
    pub municipality_code: MunicipalityCode,
    /// What is special about the support that the tutor gives.
    #[garde(dive)]
    pub perspective: Option<LocalizedDescription>,
    /// The slugs of the themes that the tutor knows well, each once.
    #[serde(default)]
    #[garde(dive, length(max = 50), custom(distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<ThemeSlug>,
    /// The languages that the tutor gives support in, as BCP 47 tags, each once.
    #[serde(default)]
    #[garde(dive, length(max = 20), custom(distinct))]
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<LanguageTag>,
    /// Whether the tutor is available.
    #[serde(default)]
    #[garde(skip)]
    pub status: TutorStatus,
    /// The contact details of the tutor.
    #[garde(dive, custom(has_email_or_phone))]
    pub contact: Option<Contact>,
    /// Which callers see `name` and `contact`. Callers that may change the tutor always see them.
    #[serde(default)]
    #[garde(skip)]
    pub visibility: Visibility,
}

#[expect(clippy::ref_option, reason = "garde calls the rule with a reference to the field")]
fn has_email_or_phone(contact: &Option<Contact>, _: &()) -> garde::Result {
    match contact {
        Some(Contact { email: None, phone: None }) => {
            Err(garde::Error::new("required|must have at least one of email and phone"))
        }
        _ => Ok(()),
    }
}

/// A merge patch of a tutor.
pub type TutorPatch = MergePatch<TutorInput>;

impl Body for TutorInput {
    const OBJECTS: &'static [&'static str] = &["/title", "/perspective", "/contact"];
    const SET_BY_SERVICE: &'static [&'static str] = &["id", "source", "version", "created_at", "updated_at"];
}

/// A tutor as stored. It cannot be serialised: the module `visibility` creates the [`Tutor`] that a caller sees.
#[derive(Clone, Debug, HasQuery)]
#[diesel(table_name = tutors)]
pub struct TutorRow {
    pub(super) id: Uuid,
    pub(super) source: String,
    #[diesel(embed)]
    pub(super) fields: TutorInput,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
}

impl Weighed for TutorRow {
    fn weight(&self) -> usize {
        let TutorInput { name, title, perspective, themes, .. } = &self.fields;
        RESOURCE_SIZE
            + json_length(name)
            + title.as_ref().map_or(0, LocalizedName::json_length)
            + perspective.as_ref().map_or(0, LocalizedDescription::json_length)
            + 40 * themes.len()
    }
}

/// A tutor, as the caller sees it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "016f5e66-e800-77d9-b280-c3e7158e0c62", "source": "kuntatutorit", "external_id": null,
    "name": "Kuntatutor, Järvenpää", "title": {"fi": "Kuntatutor", "sv": "Kommuntutor", "en": "Municipal tutor"},
    "municipality_code": "186",
    "perspective": {"en": "An active network built together with adult education centres, the municipality and the third sector."},
    "themes": ["adult-education-centres"], "languages": ["fi"], "status": "ended", "contact": null,
    "visibility": "public", "version": 42, "created_at": "2026-11-24T08:00:00Z", "updated_at": "2026-11-24T08:00:00Z"
}))]
pub struct Tutor {
    /// A UUID of version 7: the ids of later tutors sort after those of earlier ones.
    pub id: Uuid,
    /// The system that created the tutor: `kuntatutorit` for the service itself, else the source of the client.
    pub source: String,
    /// The key of the tutor in that system. It is unique there.
    pub external_id: Option<ExternalId>,
    /// The name of the tutor; null when `visibility` hides it from you.
    pub name: Option<String>,
    /// The title of the tutor.
    pub title: Option<LocalizedName>,
    /// The code of the municipality that the tutor works for.
    pub municipality_code: MunicipalityCode,
    /// What is special about the support that the tutor gives.
    pub perspective: Option<LocalizedDescription>,
    /// The slugs of the themes that the tutor knows well.
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes: Vec<ThemeSlug>,
    /// The languages that the tutor gives support in, as BCP 47 tags.
    #[schema(value_type = BTreeSet<LanguageTag>, max_items = 20)]
    pub languages: Vec<LanguageTag>,
    /// Whether the tutor is available.
    pub status: TutorStatus,
    /// The contact details of the tutor; null when none are stored or `visibility` hides them from you.
    pub contact: Option<Contact>,
    /// Which callers see `name` and `contact`. Callers that may change the tutor always see them.
    pub visibility: Visibility,
    /// The version. Every write changes it.
    pub version: i64,
    /// When the tutor was created.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When the tutor was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl Resource for Tutor {
    const COLLECTION: &'static str = "/v1/tutors";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    /// Every stored tutor has a name, so a tutor without one is the view without personal data.
    fn view(&self) -> &'static str {
        if self.name.is_some() { "full" } else { "reduced" }
    }
}

words! {
    /// The order of a list of tutors.
    #[derive(Default)]
    pub enum TutorSort {
        /// By id: the oldest first.
        #[default]
        Id = "id",
        /// By id: the newest first.
        IdDescending = "-id",
    }
}

/// The filters of a list of tutors. A repeated filter matches any of its values.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct TutorFilter {
    /// The code of the municipality that the tutor works for.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// The code of the region of that municipality.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub region: Vec<RegionCode>,
    /// The slug of a theme that the tutor knows well.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub theme: Vec<ThemeSlug>,
    /// A language that the tutor gives support in.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub language: Vec<LanguageTag>,
    /// Whether the tutor is available.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub status: Vec<TutorStatus>,
    /// The system that created the tutor.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// The key of the tutor in that system.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub external_id: Vec<ExternalId>,
    /// Words in titles, in perspectives and in the names that you see, in any language and any inflected form. The best
    /// match comes first, unless `sort` says otherwise.
    #[garde(inner(length(chars, min = 1, max = 200)))]
    #[param(min_length = 1, max_length = 200)]
    pub q: Option<String>,
    /// The order; `-` reverses it. Without `q` the default is `id`, the oldest first.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<TutorSort>,
}

impl Filter for TutorFilter {}
