//! The operations on summaries.

use actix_web::{
    get,
    web::{Data, Path},
};
use uuid::Uuid;

use super::scopes::SummariesRead;
use super::{
    model::{EventFeedbackSummary, TutorFeedbackSummary},
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Json,
        openapi::responses::{GetProblems, NotModified},
    },
    problem::Result,
};

/// Get the summary of an event's feedback
///
/// What participants say is published in steps, each with what is new of three municipalities at least: until then a
/// figure stays as it was, or null, after edits and deletions too. A comment is gone as soon as it is taken back. What
/// tutors say of participants is for the event's host municipality, its tutors and the coordinator.
#[utoipa::path(
    tag = "summaries",
    security(("bearer" = [SummariesRead]), ("client_credentials" = [SummariesRead])),
    params(("id" = Uuid, Path, description = "The event's id")),
    responses((status = 200, description = "The summary", body = EventFeedbackSummary, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/events/{id}/feedback-summary")]
pub(super) async fn get_event_feedback_summary(
    caller: Caller<SummariesRead>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<EventFeedbackSummary>> {
    db.read(async |conn| store::of_event(conn, &caller.reach, *id).await).await.map(Json)
}

/// Get the summary of a tutor's feedback
///
/// The sum of what is published of each of the tutor's events. What tutors say of participants there is for the tutor
/// itself and the coordinator.
#[utoipa::path(
    tag = "summaries",
    security(("bearer" = [SummariesRead]), ("client_credentials" = [SummariesRead])),
    params(("id" = Uuid, Path, description = "The tutor's id")),
    responses((status = 200, description = "The summary", body = TutorFeedbackSummary, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/tutors/{id}/feedback-summary")]
pub(super) async fn get_tutor_feedback_summary(
    caller: Caller<SummariesRead>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<Json<TutorFeedbackSummary>> {
    db.read(async |conn| store::of_tutor(conn, &caller.reach, *id).await).await.map(Json)
}
