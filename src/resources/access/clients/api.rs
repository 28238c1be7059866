//! The operations on clients.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::scopes::{ClientsRead, ClientsWrite};
use super::{
    model::{Client, ClientFilter, ClientInput, ClientPatch, CreatedClient, NewSecret},
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Created, IfMatch, Json, List, NoContent, Page, Patch, Replacement, ToldOnce,
        input::list::PageQuery,
        openapi::responses::{
            AddProblems, CreateProblems, GetProblems, ListProblems, NotModified, RemoveProblems, WriteProblems,
        },
    },
    problem::Result,
    resources::update,
};

/// List clients
///
/// The partner systems, by id; the coordinator's.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsRead])),
    params(ClientFilter, PageQuery),
    responses((status = 200, description = "A page of clients", body = Page<Client>), ListProblems),
)]
#[get("/v1/clients")]
pub(super) async fn list_clients(
    caller: Caller<ClientsRead>,
    list: List<ClientFilter>,
    db: Data<Db>,
) -> Result<Page<Client>> {
    // Planned for what is asked: the few are found in indexes of their own.
    db.read_long(async |conn| store::list(conn, &caller.reach, &list).await).await
}

/// Create a client
///
/// For a partner system, with a first secret that is told this once. The system gets access tokens with its `id` as
/// `client_id` and the secret at `POST /v1/auth/token`.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    responses((status = 201, description = "The new client and its secret", body = CreatedClient,
        headers(("ETag" = String), ("Location" = String))), CreateProblems),
)]
#[post("/v1/clients")]
pub(super) async fn create_client(
    caller: Caller<ClientsWrite>,
    Json(new): Json<ClientInput>,
    db: Data<Db>,
) -> Result<Created<CreatedClient>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::create(conn, &reach, new).await).await.map(Created::New)
}

/// Get a client
///
/// By its id, with what its secrets are called; never with the secrets.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The client's id")),
    responses((status = 200, description = "The client", body = Client, headers(("ETag" = String))), NotModified,
        GetProblems),
)]
#[get("/v1/clients/{id}")]
pub(super) async fn get_client(caller: Caller<ClientsRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Client>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace a client
///
/// With other scopes, another municipality, or `disabled` turned over, the access tokens that it has are refused within
/// two seconds. To revoke a client, disable it. Its `source` is fixed for good.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The client's id"), IfMatch),
    request_body = ClientInput,
    responses((status = 200, description = "The client as it is now", body = Client, headers(("ETag" = String))),
        WriteProblems),
)]
#[put("/v1/clients/{id}")]
pub(super) async fn replace_client(
    caller: Caller<ClientsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    new: Replacement<ClientInput>,
    db: Data<Db>,
) -> Result<Json<Client>> {
    update::replace::<Client, _>(&db, caller, *id, if_match, new).await
}

/// Change a client
///
/// A JSON Merge Patch (RFC 7396): fields that are left out stay, null removes. The rules are those of `PUT`.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The client's id"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = ClientPatch,
        example = json!({"scopes": ["events:read"]})),
    responses((status = 200, description = "The client as it is now", body = Client, headers(("ETag" = String))),
        WriteProblems),
)]
#[patch("/v1/clients/{id}")]
pub(super) async fn patch_client(
    caller: Caller<ClientsWrite>,
    id: Path<Uuid>,
    if_match: IfMatch,
    patch: Patch,
    db: Data<Db>,
) -> Result<Json<Client>> {
    update::patch::<Client, _>(&db, caller, *id, if_match, patch).await
}

/// Add a secret to a client
///
/// Two live at a time, so that a system can go over to the new one before the old one is deleted; a third is 409
/// (`client_secrets_at_most_two`). It is told this once.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The client's id")),
    responses((status = 201, description = "The secret, told this once", body = NewSecret), AddProblems),
)]
#[post("/v1/clients/{id}/secrets")]
pub(super) async fn create_client_secret(
    caller: Caller<ClientsWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<ToldOnce<NewSecret>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::add_secret(conn, &reach, *id).await).await.map(ToldOnce)
}

/// Delete a secret of a client
///
/// No token is issued for it any more; those that were issued live their ten minutes out. To cut a system off at once,
/// disable its client.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(
        ("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The client's id"),
        ("secret_id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f", description = "What the secret is called"),
    ),
    responses((status = 204, description = "It is gone"), RemoveProblems),
)]
#[delete("/v1/clients/{id}/secrets/{secret_id}")]
pub(super) async fn delete_client_secret(
    caller: Caller<ClientsWrite>,
    ids: Path<(Uuid, Uuid)>,
    db: Data<Db>,
) -> Result<NoContent> {
    let (author, reach, (id, secret)) = (caller.author(), caller.reach, ids.into_inner());
    db.write(author, async move |conn| store::delete_secret(conn, &reach, id, secret).await).await?;
    Ok(NoContent)
}
