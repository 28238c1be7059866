//! The operations on accounts.

use actix_web::{
    get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    model::{Account, AccountFilter, AccountInput, AccountPatch, Invitation, InvitedAccount},
    scopes::{AccountsRead, AccountsWrite},
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Created, CreatedSecret, IfMatch, Json, List, Page, Patch, Replacement,
        input::list::PageQuery,
        openapi::responses::{AddProblems, CreateProblems, GetProblems, ListProblems, NotModified, WriteProblems},
    },
    problem::Result,
    resources::update,
};

/// List accounts
///
/// Returns the accounts of all people who can sign in, ordered by id. Only the coordinator sees accounts.
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
    // PostgreSQL plans this read for its filters: rare roles and disabled accounts have indexes of their own.
    db.read_long(async |conn| store::list(conn, &caller.reach, &list).await).await
}

/// Invite a person
///
/// Creates an account and an invitation: a one-time secret that you hand over to the person, who sets a password with it at
/// `POST /v1/auth/password` within seven days. Only this response has the secret.
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
/// Returns the account with this id. Only the coordinator sees accounts.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the account")),
    responses((status = 200, description = "The account", body = Account, headers(("ETag" = String))), NotModified,
        GetProblems),
)]
#[get("/v1/accounts/{id}")]
pub(super) async fn get_account(caller: Caller<AccountsRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Account>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace an account
///
/// A change of role, municipality, tutor or `disabled` takes effect within two seconds. The last enabled coordinator can be
/// neither disabled nor given another role. An account cannot be deleted, because the change ledger refers to it: disable
/// it instead.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the account"), IfMatch),
    request_body = AccountInput,
    responses((status = 200, description = "The account after the change", body = Account, headers(("ETag" = String))),
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
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the account"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = AccountPatch, example = json!({"disabled": true})),
    responses((status = 200, description = "The account after the change", body = Account, headers(("ETag" = String))),
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
/// Creates a new invitation for an account, for example when the person lost the invitation or forgot the password. An
/// older invitation is refused from then on. The old password works until the person sets a new one.
#[utoipa::path(
    tag = "accounts",
    security(("bearer" = [AccountsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the account")),
    responses((status = 201, description = "The invitation; only this response has its secret", body = Invitation), AddProblems),
)]
#[post("/v1/accounts/{id}/invitation")]
pub(super) async fn create_invitation(
    caller: Caller<AccountsWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<CreatedSecret<Invitation>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::renew_invitation(conn, &reach, *id).await)
        .await
        .map(CreatedSecret)
}
