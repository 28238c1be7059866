//! The clients in the database.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::model::{Client, NewClient};
use crate::{
    db::Conn,
    problem::{Error, Result},
    schema::{
        client_secrets,
        clients::{self, dsl},
    },
};

/// The client with this id.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(mut conn: &Conn, id: Uuid) -> Result<Client> {
    Ok(Client::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// The client that these credentials are of, if they are right and the client may sign in.
///
/// # Errors
/// When the database is away.
pub async fn authenticate(mut conn: &Conn, id: Uuid, secret: &str) -> Result<Option<Client>> {
    let holds = client_secrets::table
        .filter(client_secrets::client_id.eq(dsl::id))
        .filter(client_secrets::secret_hash.eq(hash(secret)));
    let query = Client::query().filter(dsl::id.eq(id)).filter(dsl::disabled.eq(false)).filter(exists(holds));
    Ok(query.first(&mut conn).await.optional()?)
}

/// Makes a client with a first secret, which is told this once.
///
/// # Errors
/// [`Error::Conflict`] when the source is taken.
pub async fn create(mut conn: &Conn, new: NewClient) -> Result<(Client, String)> {
    let insert = diesel::insert_into(clients::table).values(new).returning(Client::as_returning());
    let client = insert.get_result(&mut conn).await?;
    let secret = add_secret(conn, client.id).await?;
    Ok((client, secret))
}

/// Adds a secret, which is told this once.
///
/// # Errors
/// [`Error::Invalid`] when the client has two.
pub async fn add_secret(mut conn: &Conn, id: Uuid) -> Result<String> {
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Internal("no randomness".into()))?;
    let secret = BASE64_URL_SAFE_NO_PAD.encode(random);
    diesel::insert_into(client_secrets::table)
        .values((client_secrets::client_id.eq(id), client_secrets::secret_hash.eq(hash(&secret))))
        .execute(&mut conn)
        .await?;
    Ok(secret)
}

/// A random secret of 256 bits needs no slow hash.
fn hash(secret: &str) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}
