//! The clients in the database: the coordinator's, but for signing in.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Client, ClientFilter, ClientInput, CreatedClient, StoredClient},
    secrets,
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{any_of, keyset},
    },
    http::{List, Page, Patch, conditional::Tags},
    problem::{Error, Result, Violation},
    resources::municipalities,
    schema::clients::{self, dsl},
};

type Visible = IntoBoxed<'static, Select<clients::table, AsSelect<StoredClient, Pg>>, Pg>;

/// The only door to the table for callers: the coordinator sees all of it, the others nothing.
fn visible(reach: &Reach) -> Visible {
    let query = StoredClient::query().into_boxed();
    if reach.is_coordinator() { query } else { query.filter(false.into_sql::<Bool>()) }
}

/// The client with this id, for itself.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn stored(mut conn: &Conn, id: Uuid) -> Result<StoredClient> {
    Ok(StoredClient::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// One client.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Client> {
    let client: StoredClient = visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?;
    Ok(with_secrets(conn, vec![client]).await?.remove(0))
}

/// A page of clients.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that is not of this list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<ClientFilter>) -> Result<Page<Client>> {
    let List { filter, page } = list;
    let query = any_of!(visible(reach), dsl::source, filter.source);
    let mut query = any_of!(query, dsl::municipality_code, filter.municipality);
    if let Some(disabled) = filter.disabled {
        query = query.filter(dsl::disabled.eq(disabled));
    }
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    let rows = query.limit(page.fetch()).load(&mut conn).await?;
    Ok(page.answer(with_secrets(conn, rows).await?, |client| client.id))
}

/// Every client, by id.
///
/// # Errors
/// When the database is away.
pub async fn all(mut conn: &Conn, reach: &Reach) -> Result<Vec<Client>> {
    with_secrets(conn, visible(reach).order(dsl::id).load(&mut conn).await?).await
}

async fn with_secrets(conn: &Conn, clients: Vec<StoredClient>) -> Result<Vec<Client>> {
    let ids: Vec<_> = clients.iter().map(|client| client.id).collect();
    let secrets = secrets::of_clients(conn, &ids).await?;
    let with = |client: StoredClient| {
        let its = secrets.iter().filter(|(id, _)| *id == client.id).map(|(_, secret)| secret.clone()).collect();
        client.with(its)
    };
    Ok(clients.into_iter().map(with).collect())
}

/// Makes a client with a first secret, which is told this once.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Conflict`] when the source is taken, and [`Error::Invalid`] when the municipality does
/// not exist.
pub async fn create(mut conn: &Conn, reach: &Reach, new: ClientInput) -> Result<CreatedClient> {
    reach.require_coordinator("making a client")?;
    require_municipality(conn, &new).await?;
    let id = Uuid::now_v7();
    diesel::insert_into(clients::table).values((dsl::id.eq(id), new)).execute(&mut conn).await?;
    let client_secret = secrets::insert(conn, id).await?.client_secret;
    Ok(CreatedClient { client: find(conn, reach, id).await?, client_secret })
}

/// Replaces a client's fields, but for its source.
///
/// # Errors
/// [`Error::NotFound`], [`Error::PreconditionFailed`], and [`Error::Invalid`] when the municipality does not exist or the
/// source is another one.
pub async fn replace(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, new: ClientInput) -> Result<Client> {
    let current = find(conn, reach, id).await?;
    update(conn, current, expected, new).await
}

/// Merges a patch into a client's fields, with the rules of [`replace`].
///
/// # Errors
/// As [`replace`].
pub async fn patch(conn: &Conn, reach: &Reach, id: Uuid, expected: &Tags, patch: &Patch) -> Result<Client> {
    let current = find(conn, reach, id).await?;
    let new = patch.apply(&current.fields)?;
    update(conn, current, expected, new).await
}

async fn update(mut conn: &Conn, current: Client, expected: &Tags, new: ClientInput) -> Result<Client> {
    if new.source != current.fields.source {
        return Err(Error::at("/source", "fixed", "is fixed for good; leave it as it is"));
    }
    expected.require(&current)?;
    require_municipality(conn, &new).await?;
    let row = clients::table.find(current.id).filter(dsl::version.eq(current.version));
    let update = diesel::update(row).set(new).returning(StoredClient::as_returning());
    let updated: Option<StoredClient> = update.get_result(&mut conn).await.optional()?;
    // The secrets are as they were: a new or a deleted one would have drawn another version.
    updated.map(|client| client.with(current.secrets)).ok_or(Error::PreconditionFailed)
}

async fn require_municipality(conn: &Conn, new: &ClientInput) -> Result<()> {
    let missing = municipalities::store::missing(conn, new.municipality_code.as_slice()).await?;
    let broken = missing.iter().filter_map(|_| Violation::of_rule("clients_municipality_code_exists"));
    Error::unless_empty(broken.collect())
}
