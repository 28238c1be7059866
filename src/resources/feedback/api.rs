//! The operations on feedback.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::scopes::{FeedbackRead, FeedbackWrite};
use super::{
    list,
    model::{Feedback, FeedbackFilter, FeedbackInput, FeedbackPatch},
    store,
};
use crate::{
    db::Db,
    domain::Role,
    http::{
        Caller, Created, IdempotencyKey, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{CreateProblems, DeleteProblems, GetProblems, ListProblems, NotModified, WriteProblems},
    },
    problem::Result,
    resources::update,
};

/// List feedback
///
/// What you gave, the newest first; the coordinator sees all. What tutors say of participants is also seen by the
/// event's host municipality and its tutors, without `external_id`, `respondent` and `source`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackRead]), ("client_credentials" = [FeedbackRead])),
    params(FeedbackFilter, PageQuery),
    responses((status = 200, description = "A page of feedback", body = Page<Feedback>), ListProblems),
)]
#[get("/v1/feedback")]
pub(super) async fn list_feedback(
    caller: Caller<FeedbackRead>,
    asked: List<FeedbackFilter>,
    db: Data<Db>,
) -> Result<Page<Feedback>> {
    list::list(&db, &caller.reach, &asked).await
}

/// Give feedback
///
/// On an event that is published or completed and has started, until 60 days after its end; once per `source`,
/// `respondent`, event and `direction`. At least one of `rating`, `useful`, `comment` and `themes_wanted` says
/// something. A municipality gives it as `participant_to_tutor`; a tutor as `tutor_to_participant`, on events that it
/// presents at or that its municipality hosts; a partner system both ways, and names the `respondent`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(IdempotencyKey),
    responses((status = 201, description = "The new feedback", body = Feedback,
        headers(("ETag" = String), ("Location" = String), ("Idempotency-Replayed" = bool))), CreateProblems),
)]
#[post("/v1/feedback")]
pub(super) async fn create_feedback(
    caller: Caller<FeedbackWrite>,
    key: IdempotencyKey,
    Json(new): Json<FeedbackInput>,
    db: Data<Db>,
) -> Result<Created<Feedback>> {
    let (reach, given) = (caller.reach.clone(), new.clone());
    let outcome = match (key.is_absent(), reach.role) {
        (true, Role::Municipality | Role::Partner | Role::Coordinator) => {
            store::give(&db, caller.author(), &reach, new).await.map(Created::New)
        }
        _ => key.once(&db, caller, new, store::create).await,
    };
    match outcome {
        Err(said) if said.is_of_stored_rules() => {
            db.read(async |conn| store::explain(conn, &reach, &given, said).await).await
        }
        outcome => outcome,
    }
}

/// Get feedback
///
/// Who sees what of it is as with the list.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackRead]), ("client_credentials" = [FeedbackRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The feedback's id")),
    responses((status = 200, description = "The feedback", body = Feedback, headers(("ETag" = String))),
        NotModified, GetProblems),
)]
#[get("/v1/feedback/{id}")]
pub(super) async fn get_feedback(caller: Caller<FeedbackRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Feedback>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace feedback
///
/// Its giver's and the coordinator's, for as long as the event takes feedback. `event_id`, `direction` and
/// `respondent` are fixed; a `respondent` that is left out stays.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The feedback's id"), IfMatch),
    request_body = FeedbackInput,
    responses((status = 200, description = "The feedback as it is now", body = Feedback, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/feedback/{id}")]
pub(super) async fn replace_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<FeedbackInput>,
    db: Data<Db>,
) -> Result<Json<Feedback>> {
    update::replace::<Feedback, _>(&db, caller, *id, if_match, new).await
}

/// Change feedback
///
/// A JSON Merge Patch (RFC 7396): fields that are left out stay, null removes. Who may change what is as with `PUT`.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The feedback's id"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = FeedbackPatch,
        example = json!({"rating": 4, "publish_consent": false})),
    responses((status = 200, description = "The feedback as it is now", body = Feedback, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/feedback/{id}")]
pub(super) async fn patch_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Feedback>> {
    update::patch::<Feedback, _>(&db, caller, *id, if_match, patch).await
}

/// Delete feedback
///
/// Its giver's and the coordinator's, at any time.
#[utoipa::path(
    tag = "feedback",
    security(("bearer" = [FeedbackWrite]), ("client_credentials" = [FeedbackWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-9d52-7b1e-8c3a-6a1c2d3e0b7f", description = "The feedback's id"), IfMatch),
    responses((status = 204, description = "It is gone"), DeleteProblems),
)]
#[delete("/v1/feedback/{id}")]
pub(super) async fn delete_feedback(
    caller: Caller<FeedbackWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    db: Data<Db>,
) -> Result<NoContent> {
    update::delete::<Feedback, _>(&db, caller, *id, if_match).await
}
