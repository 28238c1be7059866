//! The shapes of summaries.

use std::collections::BTreeMap;

use diesel::{deserialize::FromSqlRow, expression::AsExpression, prelude::*, sql_types::Jsonb};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    domain::jsonb::jsonb_column,
    http::{Resource, examples},
    resources::feedback::model::Direction,
    schema::{feedback, feedback_summaries},
};

/// From value to count.
pub(super) type Tally = BTreeMap<String, i64>;

/// From figure to tally: `answers`, `rating`, `useful`, `themes_wanted`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, AsExpression, FromSqlRow)]
#[serde(default)]
#[diesel(sql_type = Jsonb)]
pub(super) struct Figures {
    answers: Tally,
    rating: Tally,
    useful: Tally,
    themes_wanted: Tally,
}
jsonb_column!(Figures);

/// What is published of an event in one direction.
#[derive(Debug, HasQuery)]
#[diesel(table_name = feedback_summaries)]
pub(super) struct Published {
    pub(super) event_id: Uuid,
    pub(super) direction: Direction,
    pub(super) figures: Figures,
    pub(super) version: i64,
}

/// A comment that its giver lets be published, without its origin.
#[derive(Clone, Debug, Serialize, ToSchema, HasQuery)]
#[diesel(table_name = feedback)]
pub struct PublishedComment {
    /// What is said.
    #[diesel(select_expression = feedback::comment.assume_not_null())]
    #[schema(example = "Saimme mallin, jolla aloitamme oman digituen.")]
    pub comment: String,
    /// The comment's language: a BCP 47 tag.
    #[schema(example = "fi")]
    pub language: Option<String>,
}

/// How it was rated.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Ratings {
    /// How many answers have a rating.
    #[schema(example = 3)]
    pub count: i64,
    /// Their mean, with two decimals.
    #[schema(example = 4.33)]
    pub mean: f64,
    /// How many there are of each rating, from `1` to `5`.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"1": 0, "2": 0, "3": 0, "4": 2, "5": 1}))]
    pub distribution: BTreeMap<u8, i64>,
}

/// Whether it was of use.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Usefulness {
    /// How many answers say whether it was of use.
    #[schema(example = 4)]
    pub count: i64,
    /// How many of them say that it was.
    #[schema(example = 3)]
    pub yes: i64,
    /// Their share, with two decimals.
    #[schema(example = 0.75)]
    pub share: f64,
}

/// Feedback in one direction, summed up. Each figure takes in what is new once it is of three municipalities at least,
/// so they need not all speak of the same answers. All wait, comments too, for as long as answers wait to be counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "count": 4, "rating": {"count": 3, "mean": 4.33, "distribution": {"1": 0, "2": 0, "3": 0, "4": 2, "5": 1}},
    "useful": {"count": 4, "yes": 3, "share": 0.75}, "themes_wanted": {"email": 2},
    "comments": [{"comment": "Saimme mallin, jolla aloitamme oman digituen.", "language": "fi"}]
}))]
pub struct FeedbackFigures {
    /// How many answers there are; 0 while nothing is published.
    #[schema(example = 4)]
    pub count: i64,
    /// Null while nothing is published.
    pub rating: Option<Ratings>,
    /// Null while nothing is published.
    pub useful: Option<Usefulness>,
    /// From a theme's slug to how many want more about it.
    #[schema(example = json!({"email": 2}))]
    pub themes_wanted: BTreeMap<String, i64>,
    /// Comments whose givers let them be published, a hundred at most, in an order drawn by lot.
    pub comments: Vec<PublishedComment>,
}

/// The feedback on an event, summed up.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "event_id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "version": 42, "tutor_to_participant": null,
    "participant_to_tutor": examples::example_of::<FeedbackFigures>()
}))]
pub struct EventFeedbackSummary {
    /// The event.
    pub event_id: Uuid,
    /// What participants say, published in steps of three municipalities at least.
    pub participant_to_tutor: FeedbackFigures,
    /// What tutors say of participants; null but for the event's host, its tutors and the coordinator.
    pub tutor_to_participant: Option<FeedbackFigures>,
    /// Another one whenever what you see changes.
    #[schema(example = 42)]
    pub version: i64,
}

/// The feedback on a tutor's events, summed up.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "tutor_id": "016f5e66-e800-7a11-8f0d-5d1a2b3c4d5e", "version": 42, "tutor_to_participant": null,
    "participant_to_tutor": examples::example_of::<FeedbackFigures>()
}))]
pub struct TutorFeedbackSummary {
    /// The tutor.
    pub tutor_id: Uuid,
    /// What participants say, as it is published of each of the tutor's events.
    pub participant_to_tutor: FeedbackFigures,
    /// What tutors say of participants at these events; null but for the tutor itself and the coordinator.
    pub tutor_to_participant: Option<FeedbackFigures>,
    /// Another one whenever what you see changes.
    #[schema(example = 42)]
    pub version: i64,
}

impl Resource for EventFeedbackSummary {
    const COLLECTION: &'static str = "/v1/events";

    fn key(&self) -> String {
        self.event_id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.tutor_to_participant.is_some() { "full" } else { "reduced" }
    }
}

impl Resource for TutorFeedbackSummary {
    const COLLECTION: &'static str = "/v1/tutors";

    fn key(&self) -> String {
        self.tutor_id.to_string()
    }

    fn version(&self) -> i64 {
        self.version
    }

    fn view(&self) -> &'static str {
        if self.tutor_to_participant.is_some() { "full" } else { "reduced" }
    }
}

impl Figures {
    /// Adds another event's.
    pub(super) fn add(&mut self, other: &Self) {
        for (own, other) in [
            (&mut self.answers, &other.answers),
            (&mut self.rating, &other.rating),
            (&mut self.useful, &other.useful),
            (&mut self.themes_wanted, &other.themes_wanted),
        ] {
            for (value, count) in other {
                *own.entry(value.clone()).or_default() += count;
            }
        }
    }

    /// As they are shown.
    pub(super) fn with(self, comments: Vec<PublishedComment>) -> FeedbackFigures {
        FeedbackFigures {
            count: self.answers.values().sum(),
            rating: Ratings::of(&self.rating),
            useful: Usefulness::of(&self.useful),
            themes_wanted: self.themes_wanted,
            comments,
        }
    }
}

impl Ratings {
    fn of(tally: &Tally) -> Option<Self> {
        let distribution: BTreeMap<u8, i64> =
            (1..=5).map(|rating| (rating, tally.get(&rating.to_string()).copied().unwrap_or_default())).collect();
        let count = distribution.values().sum();
        let sum = distribution.iter().map(|(rating, count)| i64::from(*rating) * count).sum();
        Some(Self { count, mean: ratio(sum, count)?, distribution })
    }
}

impl Usefulness {
    fn of(tally: &Tally) -> Option<Self> {
        let yes = tally.get("true").copied().unwrap_or_default();
        let count = tally.values().sum();
        Some(Self { count, yes, share: ratio(yes, count)? })
    }
}

/// With two decimals; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole != 0).then(|| (part as f64 / whole as f64 * 100.0).round() / 100.0)
}
