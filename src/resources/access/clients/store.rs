//! Clients in the database. Only the coordinator sees and changes them; signing in also reads the client of the partner
//! system.

use diesel::{
    helper_types::{AsSelect, IntoBoxed, Select},
    pg::Pg,
    prelude::*,
    sql_types::Bool,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::{
    model::{Client, ClientFilter, ClientInput, CreatedClient, NewSecret, StoredClient},
    secrets,
};
use crate::{
    auth::reach::Reach,
    db::{
        Conn,
        keyset::{any_of, keyset},
    },
    http::{List, Page},
    problem::{Error, Result},
    resources::{directory::municipalities::refused::Refused, update::Editable},
    schema::{clients, clients::dsl},
};

/// A query for clients that a caller may see.
type VisibleClients = IntoBoxed<'static, Select<clients::table, AsSelect<StoredClient, Pg>>, Pg>;

/// Returns a query for the clients that the caller sees: all for the coordinator, none for others.
fn visible(reach: &Reach) -> VisibleClients {
    let query = StoredClient::query().into_boxed();
    if reach.is_coordinator() { query } else { query.filter(false.into_sql::<Bool>()) }
}

/// Returns the client with this id as stored, without a check of the caller's reach.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find_stored(mut conn: &Conn, id: Uuid) -> Result<StoredClient> {
    Ok(StoredClient::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Returns one client.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, reach: &Reach, id: Uuid) -> Result<Client> {
    let client: StoredClient = visible(reach).filter(dsl::id.eq(id)).first(&mut conn).await?;
    Ok(with_secrets(conn, vec![client]).await?.remove(0))
}

/// Returns a page of clients.
///
/// # Errors
/// [`Error::Malformed`] for a cursor that belongs to another list.
pub async fn list(mut conn: &Conn, reach: &Reach, list: &List<ClientFilter>) -> Result<Page<Client>> {
    let List { filter, page } = list;
    let query = any_of!(visible(reach), dsl::source, filter.source);
    let mut query = any_of!(query, dsl::municipality_code, filter.municipality);
    if let Some(disabled) = filter.disabled {
        query = query.filter(dsl::disabled.eq(disabled));
    }
    let query = keyset!(query, page, ascending, dsl::id: Uuid);
    let rows = query.limit(page.fetch()).load(&mut conn).await?;
    Ok(Page::from_rows(page, with_secrets(conn, rows).await?, |client| client.id))
}

/// Returns every client that the caller sees, by id.
pub async fn all(mut conn: &Conn, reach: &Reach) -> Result<Vec<Client>> {
    with_secrets(conn, visible(reach).order(dsl::id).load(&mut conn).await?).await
}

async fn with_secrets(conn: &Conn, clients: Vec<StoredClient>) -> Result<Vec<Client>> {
    let ids: Vec<_> = clients.iter().map(|client| client.id).collect();
    let secrets = secrets::of_clients(conn, &ids).await?;
    let with_own = |client: StoredClient| {
        let own = secrets.iter().filter(|(id, _)| *id == client.id).map(|(_, secret)| secret.clone()).collect();
        client.with_secrets(own)
    };
    Ok(clients.into_iter().map(with_own).collect())
}

/// Creates a client with a first secret. Only the response to this request has the secret.
///
/// # Errors
/// [`Error::OutOfReach`], [`Error::Conflict`] when the source is taken, and [`Error::Invalid`] when the municipality does
/// not exist.
pub async fn create(mut conn: &Conn, reach: &Reach, new: ClientInput) -> Result<CreatedClient> {
    reach.require_coordinator("create a client")?;
    require_municipality(conn, &new).await?;
    let id = Uuid::now_v7();
    diesel::insert_into(clients::table).values((dsl::id.eq(id), new)).execute(&mut conn).await?;
    let client_secret = secrets::insert(conn, id).await?.client_secret;
    Ok(CreatedClient { client: find(conn, reach, id).await?, client_secret })
}

/// Adds a secret to a client. Only the response to this request has the secret.
///
/// # Errors
/// [`Error::NotFound`], and [`Error::Conflict`] when the client has two secrets.
pub async fn add_secret(conn: &Conn, reach: &Reach, client: Uuid) -> Result<NewSecret> {
    find(conn, reach, client).await?;
    secrets::insert(conn, client).await
}

/// Deletes a secret of a client. The service refuses it from then on.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn delete_secret(conn: &Conn, reach: &Reach, client: Uuid, id: Uuid) -> Result<()> {
    find(conn, reach, client).await?;
    secrets::delete(conn, client, id).await
}

impl Editable for Client {
    type Resource = Self;
    type Input = ClientInput;
    type Key = Uuid;

    async fn find_row(conn: &Conn, reach: &Reach, id: &Uuid) -> Result<Self> {
        find(conn, reach, *id).await
    }

    fn view(self, _: &Reach) -> Self {
        self
    }

    fn fields(&self) -> &ClientInput {
        &self.fields
    }

    /// Accepts every caller, because only the coordinator sees clients.
    fn require_reach(&self, _: &Reach) -> Result<()> {
        Ok(())
    }

    async fn check(&self, conn: &Conn, _: &Reach, new: ClientInput) -> Result<ClientInput> {
        if new.source != self.fields.source {
            return Err(Error::at("/source", "fixed", "the source cannot be changed; send the stored source"));
        }
        require_municipality(conn, &new).await?;
        Ok(new)
    }

    async fn update(&self, mut conn: &Conn, new: ClientInput) -> Result<Option<Self>> {
        let row = clients::table.find(self.id).filter(dsl::version.eq(self.version));
        let update = diesel::update(row).set(new).returning(StoredClient::as_returning());
        let updated: Option<StoredClient> = update.get_result(&mut conn).await.optional()?;
        // The secrets are unchanged: a secret that is added or deleted changes the version.
        Ok(updated.map(|client| client.with_secrets(self.secrets.clone())))
    }
}

async fn require_municipality(conn: &Conn, new: &ClientInput) -> Result<()> {
    let refused = Refused::among(conn, new.municipality_code.as_slice()).await?;
    let violation = refused.violation(new.municipality_code.as_ref(), "clients_municipality_code_exists");
    Error::unless_empty(violation.into_iter().collect())
}
