//! The secrets that clients sign in with: two each at most, for rotation.

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

/// The client that these credentials are of, if they are right and the client may sign in; and when it was read, by
/// PostgreSQL's clock.
///
/// # Errors
/// When the database is away.
pub async fn authenticate(mut conn: &Conn, id: Uuid, secret: &str) -> Result<Option<(StoredClient, DateTime<Utc>)>> {
    let holds =
        client_secrets::table.filter(dsl::client_id.eq(clients::id)).filter(dsl::secret_hash.eq(secrets::hash(secret)));
    let client = clients::table.filter(clients::id.eq(id)).filter(clients::disabled.eq(false)).filter(exists(holds));
    let client = client.select((StoredClient::as_select(), clock_timestamp()));
    Ok(client.first(&mut conn).await.optional()?)
}

/// What is told of the secrets of these clients, each with whose it is.
pub(super) async fn of_clients(mut conn: &Conn, ids: &[Uuid]) -> Result<Vec<(Uuid, SecretInfo)>> {
    let query = client_secrets::table.filter(dsl::client_id.eq_any(ids)).order((dsl::created_at, dsl::id));
    Ok(query.select((dsl::client_id, SecretInfo::as_select())).load(&mut conn).await?)
}

/// Makes a secret for a client.
///
/// # Errors
/// [`Error::Conflict`] when the client has two secrets.
pub(super) async fn insert(mut conn: &Conn, client: Uuid) -> Result<NewSecret> {
    let client_secret = secrets::generate()?;
    let made =
        (dsl::id.eq(Uuid::now_v7()), dsl::client_id.eq(client), dsl::secret_hash.eq(secrets::hash(&client_secret)));
    let insert = diesel::insert_into(client_secrets::table).values(made).returning(SecretInfo::as_returning());
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
