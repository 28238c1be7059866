//! The secrets of clients. A client has at most two, so that it can replace one without an interruption.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{NewSecret, SecretInfo, StoredClient};
use crate::{
    auth::secrets,
    db::{Conn, sql_functions::clock_timestamp},
    problem::{Error, Result},
    schema::{client_secrets, client_secrets::dsl, clients},
};

/// Returns the client with this id, if the secret is one of its own and the client is enabled, and the time at which it was
/// read, by PostgreSQL's clock.
pub async fn authenticate(mut conn: &Conn, id: Uuid, secret: &str) -> Result<Option<(StoredClient, DateTime<Utc>)>> {
    let own_secrets = client_secrets::table.filter(dsl::client_id.eq(clients::id));
    let matching = own_secrets.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    let client = clients::table.filter(clients::id.eq(id)).filter(clients::disabled.eq(false)).filter(exists(matching));
    let query = client.select((StoredClient::as_select(), clock_timestamp()));
    Ok(query.first(&mut conn).await.optional()?)
}

/// Returns the ids of clients with the secrets of each, the oldest first, without the secrets themselves.
pub(super) async fn of_clients(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<(Uuid, SecretInfo)>> {
    let query = client_secrets::table.filter(dsl::client_id.eq_any(ids)).order((dsl::created_at, dsl::id));
    Ok(query.select((dsl::client_id, SecretInfo::as_select())).load(&mut conn).await?)
}

/// Creates a secret for a client.
///
/// # Errors
/// [`Error::Conflict`] when the client has two secrets.
pub(super) async fn insert(mut conn: &Conn, client: Uuid) -> Result<NewSecret> {
    let client_secret = secrets::generate()?;
    let secret_hash = secrets::hash(&client_secret);
    let values = (dsl::id.eq(Uuid::now_v7()), dsl::client_id.eq(client), dsl::secret_hash.eq(secret_hash));
    let insert = diesel::insert_into(client_secrets::table).values(values).returning(SecretInfo::as_returning());
    Ok(NewSecret { info: insert.get_result(&mut conn).await?, client_secret })
}

/// Deletes a secret of a client. The service refuses it from then on.
///
/// # Errors
/// [`Error::NotFound`].
pub(super) async fn delete(mut conn: &Conn, client: Uuid, id: Uuid) -> Result<()> {
    let row = client_secrets::table.find(id).filter(dsl::client_id.eq(client));
    match diesel::delete(row).execute(&mut conn).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}
