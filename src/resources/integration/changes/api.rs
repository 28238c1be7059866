//! The operation on changes.

use actix_web::{get, web::Data};

use super::scopes::ChangesRead;
use super::{follow, ledger_poller::LedgerPoller, model::Changes, query::ChangesQuery, store::Sight};
use crate::{
    auth::state::Auth,
    db::Db,
    http::{Caller, openapi::responses::ChangesProblems},
    problem::Result,
};

/// Follow what happens
///
/// Every change of the kinds of resources that you may read, deletions included, in an order in which nothing is ever missed
/// or repeated: keep a copy in step with it. `next` is always there; store it with what you made of the items, and go on
/// with it as `cursor`. With `wait`, the answer comes as soon as something has happened. A change may be of a row that you
/// may not see, such as another's draft: reading it answers 404. What you see of feedback follows its event: who keeps a
/// copy of feedback reads an event's anew when its host or its tutors have changed.
///
/// **To make a copy**: ask for `from=now` and keep its `next`; read the lists; then follow from that `next` on. A change
/// that your copy has already is harmless: read the resource, or remove it when that answers 404. **To make it anew**,
/// do the same: after 400 `bad_cursor` (the database was restored from before your cursor), and when you were given
/// more scopes. A change may show a little later than its `changed_at`: it counts once no older transaction can commit.
#[utoipa::path(
    tag = "changes",
    security(("bearer" = [ChangesRead]), ("client_credentials" = [ChangesRead])),
    params(ChangesQuery),
    responses((status = 200, description = "What happened, and where to go on", body = Changes), ChangesProblems),
)]
#[get("/v1/changes")]
pub(super) async fn list_changes(
    caller: Caller<ChangesRead>,
    query: ChangesQuery,
    db: Data<Db>,
    news: Data<LedgerPoller>,
    auth: Data<Auth>,
) -> Result<Changes> {
    let sight = Sight::of(&caller, &query)?;
    follow::changes(&db, &news, &caller.reach.identity, &sight, &query, || caller.require_access(&auth)).await
}
