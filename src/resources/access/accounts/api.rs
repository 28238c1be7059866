//! The operations on accounts.

use actix_web::{
    get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::scopes::{AccountsRead, AccountsWrite};
use super::{
    model::{Account, AccountFilter, AccountInput, AccountPatch, Invitation, InvitedAccount},
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Created, IfMatch, Json, List, Page, Patch, Replacement, ToldOnce,
        input::list::PageQuery,
        openapi::responses::{AddProblems, CreateProblems, GetProblems, ListProblems, NotModified, WriteProblems},
    },
    problem::Result,
    resources::update,
};

/// List accounts
///
/// The people who sign in, by id; the coordinator's.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsRead])),
    params(AccountFilter, PageQuery),
    responses((status = 200, description = "A page of accounts", body = Page<Account>), ListProblems),
)]
#[get("/v1/accounts")]
pub(super) async fn list_accounts(
    caller: Caller<AccountsRead>,
    list: List<AccountFilter>,
    db: Data<Db>,
) -> Result<Page<Account>> {
    // Planned for what is asked: the few are found in indexes of their own.
    db.read_long(async |conn| store::list(conn, &caller.reach, &list).await).await
}

/// Invite a person
///
/// Makes an account and an invitation: a one-time secret that you hand over, and with which the person sets a
/// password (`POST /v1/auth/password`) within seven days. It is told this once.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    responses((status = 201, description = "The new account and its invitation", body = InvitedAccount,
        headers(("ETag" = String), ("Location" = String))), CreateProblems),
)]
#[post("/v1/accounts")]
pub(super) async fn create_account(
    caller: Caller<AccountsWrite>,
    Json(new): Json<AccountInput>,
    db: Data<Db>,
) -> Result<Created<InvitedAccount>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::invite(conn, &reach, new).await).await.map(Created::New)
}

/// Get an account
///
/// By its id.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The account's id")),
    responses((status = 200, description = "The account", body = Account, headers(("ETag" = String))), NotModified,
        GetProblems),
)]
#[get("/v1/accounts/{id}")]
pub(super) async fn get_account(caller: Caller<AccountsRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Account>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace an account
///
/// What it may do changes within two seconds. The last enabled coordinator stays one. Accounts are disabled, not
/// deleted: what they did stays theirs.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The account's id"), IfMatch),
    request_body = AccountInput,
    responses((status = 200, description = "The account as it is now", body = Account, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/accounts/{id}")]
pub(super) async fn replace_account(
    caller: Caller<AccountsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<AccountInput>,
    db: Data<Db>,
) -> Result<Json<Account>> {
    update::replace::<Account, _>(&db, caller, *id, if_match, new).await
}

/// Change an account
///
/// A JSON Merge Patch (RFC 7396): fields that are left out stay, null removes. The rules are those of `PUT`.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The account's id"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = AccountPatch, example = json!({"disabled": true})),
    responses((status = 200, description = "The account as it is now", body = Account, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/accounts/{id}")]
pub(super) async fn patch_account(
    caller: Caller<AccountsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Account>> {
    update::patch::<Account, _>(&db, caller, *id, if_match, patch).await
}

/// Invite a person again
///
/// A new invitation instead of the older one, which is refused from now on: when it was lost or is too old, or when the
/// password has been forgotten. The old password holds until another one is set.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The account's id")),
    responses((status = 201, description = "The invitation, told this once", body = Invitation), AddProblems),
)]
#[post("/v1/accounts/{id}/invitation")]
pub(super) async fn create_invitation(
    caller: Caller<AccountsWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<ToldOnce<Invitation>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::renew_invitation(conn, &reach, *id).await).await.map(ToldOnce)
}
