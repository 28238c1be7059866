//! The shapes of feedback.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    domain::{
        ExternalId, LanguageTag, MunicipalityCode, SourceName, ThemeSlug, rules, time,
        words::{column_words, words},
    },
    http::{Body, Filter, MergePatch, Resource, examples},
    schema::feedback,
};

column_words! {
    /// Who says it, and of whom.
    pub enum Direction {
        /// A participant, of the tutors and what they gave.
        ParticipantToTutor = "participant_to_tutor",
        /// A tutor, of the participants.
        TutorToParticipant = "tutor_to_participant",
    }
}

/// The fields of feedback that are written. At least one of `rating`, `useful`, `comment` and `themes_wanted` says
/// something.
#[derive(
    Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema, Validate, Insertable, AsChangeset, Queryable, Selectable,
)]
#[diesel(table_name = feedback, treat_none_as_null = true, treat_none_as_default_value = false)]
#[garde(custom(says_something))]
#[schema(example = json!({
    "external_id": null, "event_id": "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", "direction": "participant_to_tutor",
    "municipality_code": "616", "respondent": null, "rating": 5, "useful": true, "themes_wanted": ["passwords-identification"],
    "comment": "Saimme mallin, jolla aloitamme oman digituen.", "language": "fi", "publish_consent": true
}))]
pub struct FeedbackInput {
    /// Its key in your system; one of each per source. Shown to its giver and the coordinator only.
    #[garde(dive)]
    pub external_id: Option<ExternalId>,
    /// The event that it is about; fixed.
    #[garde(skip)]
    pub event_id: Uuid,
    /// Who says it, and of whom; fixed.
    #[garde(skip)]
    pub direction: Direction,
    /// The giver's municipality.
    #[garde(dive)]
    pub municipality_code: MunicipalityCode,
    /// Who gives it: a key that says nothing about the person, chosen by the partner system and required of it. An
    /// account leaves it out: it is the account's own id. Fixed. Shown to its giver and the coordinator only.
    #[diesel(select_expression = feedback::respondent.nullable(), skip_insertion, skip_update)]
    #[garde(inner(length(chars, max = 200), custom(rules::not_blank)))]
    #[schema(min_length = 1, max_length = 200, pattern = r"\S")]
    pub respondent: Option<String>,
    /// From 1 (poor) to 5 (excellent).
    #[garde(inner(range(min = 1, max = 5)))]
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<i32>,
    /// Whether it was of use.
    #[garde(skip)]
    pub useful: Option<bool>,
    /// Slugs of the themes that the giver wants more about; at most 50, each once.
    #[serde(default)]
    #[garde(dive, length(max = 50), custom(rules::distinct))]
    #[schema(value_type = BTreeSet<ThemeSlug>, max_items = 50)]
    pub themes_wanted: Vec<ThemeSlug>,
    /// At most 4,000 characters, not blank.
    #[garde(inner(length(chars, max = 4000), custom(rules::not_blank)))]
    #[schema(min_length = 1, max_length = 4000, pattern = r"\S")]
    pub comment: Option<String>,
    /// The comment's language: a BCP 47 tag.
    #[garde(dive)]
    pub language: Option<LanguageTag>,
    /// Whether the comment may be published, without its origin.
    #[serde(default)]
    #[garde(skip)]
    pub publish_consent: bool,
}

fn says_something(new: &FeedbackInput, _: &()) -> garde::Result {
    let FeedbackInput { rating, useful, comment, themes_wanted, .. } = new;
    if rating.is_some() || useful.is_some() || comment.is_some() || !themes_wanted.is_empty() {
        Ok(())
    } else {
        Err(garde::Error::new("required|say something: a rating, useful, a comment or themes_wanted"))
    }
}

/// What may change of it.
pub type FeedbackPatch = MergePatch<FeedbackInput>;

impl Body for FeedbackInput {
    const SET_BY_SERVICE: &'static [&'static str] = &["id", "source", "version", "created_at", "updated_at"];
}

/// Feedback on an event. Its giver and the coordinator see all of it; the others who see it get null for
/// `external_id`, `respondent` and `source`.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = feedback)]
#[schema(example = json!(examples::stored::<FeedbackInput>(&serde_json::json!({
    "id": "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", "source": "kuntatutorit"
}))))]
pub struct Feedback {
    /// Made by the service: `UUIDv7`.
    #[schema(example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f")]
    pub id: Uuid,
    /// What is written.
    #[serde(flatten)]
    #[diesel(embed)]
    pub fields: FeedbackInput,
    /// The system that gave it: `kuntatutorit` for an account, else the partner system's.
    #[diesel(select_expression = feedback::source.nullable())]
    #[schema(example = "kuntatutorit")]
    pub source: Option<String>,
    /// Another one after every write.
    #[schema(example = 42)]
    pub version: i64,
    /// When it was given.
    #[serde(serialize_with = "time::serialize")]
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(serialize_with = "time::serialize")]
    pub updated_at: DateTime<Utc>,
}

impl Resource for Feedback {
    const COLLECTION: &'static str = "/v1/feedback";

    fn key(&self) -> String {
        self.id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.is_reduced() { "reduced" } else { "full" }
    }
}

impl Feedback {
    /// The same without what could tell who gave it.
    #[must_use]
    pub fn reduced(self) -> Self {
        let fields = FeedbackInput { external_id: None, respondent: None, ..self.fields };
        Self { fields, source: None, ..self }
    }

    /// Whether this is what others than its giver and the coordinator see.
    pub fn is_reduced(&self) -> bool {
        self.source.is_none()
    }
}

words! {
    /// The order of a list of feedback.
    #[derive(Default)]
    pub enum FeedbackSort {
        /// The newest first.
        #[default]
        CreatedAtDescending = "-created_at",
        /// The oldest first.
        CreatedAt = "created_at",
    }
}

/// Which feedback, in which order.
#[derive(Debug, Default, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FeedbackFilter {
    /// The id of the event; repeat it for any of several.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub event: Vec<Uuid>,
    /// The code of the giver's municipality; repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub municipality: Vec<MunicipalityCode>,
    /// Who says it, and of whom; repeat it for either.
    #[garde(skip)]
    #[param(max_items = 100)]
    pub direction: Vec<Direction>,
    /// The system that gave it, among what you gave (the coordinator: among all); repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub source: Vec<SourceName>,
    /// Its key in that system, among what you gave (the coordinator: among all); repeat it for any of several.
    #[garde(dive)]
    #[param(max_items = 100)]
    pub external_id: Vec<ExternalId>,
    /// The order; `-` turns it round. The newest first by default.
    #[garde(skip)]
    #[param(inline)]
    pub sort: Option<FeedbackSort>,
}

impl Filter for FeedbackFilter {}
