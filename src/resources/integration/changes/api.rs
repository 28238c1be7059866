//! The operation on changes.

use actix_web::{get, web::Data};

use super::{
    ledger_poller::LedgerPoller, long_poll, model::Changes, query::ChangesQuery, scopes::ChangesRead,
    visibility::ChangeVisibility,
};
use crate::{
    auth::state::Auth,
    db::Db,
    http::{Caller, openapi::responses::ChangesProblems},
    problem::Result,
};

/// Follow changes
///
/// Returns every change of the collections that you may read, deletions included. The order guarantees that you miss no
/// change and get none twice, so you can keep a copy of the data up to date. Each response has a `next`: store it together
/// with your copy, and send it as `cursor` to continue. With `wait`, the response comes as soon as there is a change.
///
/// A change can name a resource that you may not see, such as a draft of another municipality: reading it returns 404.
/// Which feedback you see depends on its event: when the host or the tutors of an event have changed, read its feedback
/// again.
///
/// **To create a copy**, request `from=now` and store its `next`; read the lists; then continue from that `next`. A change
/// that your copy already has does no harm: read the resource, and remove it from the copy if you get 404. **Create the
/// copy again** in the same way after 400 `bad_cursor` (the database has lost changes that your cursor had passed), and when
/// you get more scopes. A change can appear a little later than its `changed_at`: it appears once no older transaction can
/// still be committed.
#[utoipa::path(
    tag = "changes",
    security(("bearer" = [ChangesRead]), ("client_credentials" = [ChangesRead])),
    params(ChangesQuery),
    responses((status = 200, description = "The changes, and the cursor to continue with", body = Changes), ChangesProblems),
)]
#[get("/v1/changes")]
pub(super) async fn list_changes(
    caller: Caller<ChangesRead>,
    query: ChangesQuery,
    db: Data<Db>,
    poller: Data<LedgerPoller>,
    auth: Data<Auth>,
) -> Result<Changes> {
    let visibility = ChangeVisibility::of(&caller, &query)?;
    let require_access = || caller.require_access(&auth);
    long_poll::read(&db, &poller, &caller.reach.identity, &visibility, &query, require_access).await
}
