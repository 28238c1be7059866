//! The operations on clients.

use actix_web::{
    delete, get, patch, post, put,
    web::{Data, Path},
};
use uuid::Uuid;

use super::{
    model::{Client, ClientFilter, ClientInput, ClientPatch, CreatedClient, NewSecret},
    scopes::{ClientsRead, ClientsWrite},
    store,
};
use crate::{
    db::Db,
    http::{
        Caller, Created, CreatedSecret, IfMatch, Json, List, NoContent, Page, Patch, Replacement,
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
/// Returns the clients of all partner systems, ordered by id. Only the coordinator sees clients.
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
    // PostgreSQL plans this read for its filters: disabled clients have an index of their own.
    db.read_long(async |conn| store::list(conn, &caller.reach, &list).await).await
}

/// Create a client
///
/// Creates a client for a partner system, with a first secret that only this response has. The system gets access tokens at
/// `POST /v1/auth/token`, with the `id` as `client_id` and with the secret.
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
/// Returns the client with this id, with the ids of its secrets but not the secrets themselves. Only the coordinator sees
/// clients.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsRead])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the client")),
    responses((status = 200, description = "The client", body = Client, headers(("ETag" = String))), NotModified,
        GetProblems),
)]
#[get("/v1/clients/{id}")]
pub(super) async fn get_client(caller: Caller<ClientsRead>, id: Path<Uuid>, db: Data<Db>) -> Result<Json<Client>> {
    db.read(async |conn| store::find(conn, &caller.reach, *id).await).await.map(Json)
}

/// Replace a client
///
/// When `scopes`, `municipality_code` or `disabled` changes, the service refuses older access tokens of the client within
/// two seconds. To revoke a client, disable it. The `source` never changes.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the client"), IfMatch),
    request_body = ClientInput,
    responses((status = 200, description = "The client after the change", body = Client, headers(("ETag" = String))),
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
/// A JSON Merge Patch (RFC 7396): fields that you leave out stay unchanged, null removes a value. The rules are those of
/// `PUT`.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the client"), IfMatch),
    request_body(content_type = "application/merge-patch+json", content = ClientPatch,
        example = json!({"scopes": ["events:read"]})),
    responses((status = 200, description = "The client after the change", body = Client, headers(("ETag" = String))),
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
/// A client has at most two secrets, so that a system can switch to the new one before you delete the old one. A third
/// secret is refused with 409 (`client_secrets_at_most_two`). Only this response has the secret.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the client")),
    responses((status = 201, description = "The new secret; only this response has it", body = NewSecret), AddProblems),
)]
#[post("/v1/clients/{id}/secrets")]
pub(super) async fn create_client_secret(
    caller: Caller<ClientsWrite>,
    id: Path<Uuid>,
    db: Data<Db>,
) -> Result<CreatedSecret<NewSecret>> {
    let reach = caller.reach.clone();
    db.write(caller.author(), async move |conn| store::add_secret(conn, &reach, *id).await).await.map(CreatedSecret)
}

/// Delete a secret of a client
///
/// The service issues no more tokens for the secret. Tokens that were already issued stay valid until they expire, for at
/// most ten minutes. To cut off a system at once, disable its client.
#[utoipa::path(
    tag = "clients",
    security(("bearer" = [ClientsWrite])),
    params(
        ("id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3e", description = "The id of the client"),
        ("secret_id" = Uuid, Path, example = "019a0c5e-7b1e-7c3a-9d52-0b7f6a1c2d3f", description = "The id of the secret"),
    ),
    responses((status = 204, description = "The secret is deleted"), RemoveProblems),
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
