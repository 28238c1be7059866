//! Invitations: one-time secrets with which a person sets the password of an account.

use diesel::{dsl::exists, prelude::*, upsert::excluded};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::Invitation;
use crate::{
    auth::{known_addresses, network_address::NetworkAddress, secrets},
    clock,
    db::{Conn, sql_functions::clock_now},
    problem::{Error, Result},
    schema::{accounts, invitations, invitations::dsl},
};

/// Creates an invitation, which replaces an older one.
///
/// # Errors
/// [`Error::Conflict`] when the account is disabled.
pub(super) async fn renew(mut conn: &Conn, id: Uuid) -> Result<Invitation> {
    // The lock keeps the account enabled until this transaction commits: disabling it ends only committed invitations.
    let enabled = accounts::table.find(id).filter(accounts::disabled.eq(false)).select(accounts::id).for_share();
    if enabled.first::<Uuid>(&mut conn).await.optional()?.is_none() {
        return Err(Error::Conflict {
            code: "account_disabled".into(),
            detail: "this account is disabled; enable it before you invite the person again".into(),
        });
    }
    let secret = secrets::generate()?;
    let expires_at = diesel::insert_into(invitations::table)
        .values((dsl::account_id.eq(id), dsl::secret_hash.eq(secrets::hash(&secret))))
        .on_conflict(dsl::account_id)
        .do_update()
        .set((
            dsl::secret_hash.eq(excluded(dsl::secret_hash)),
            dsl::created_at.eq(excluded(dsl::created_at)),
            dsl::expires_at.eq(excluded(dsl::expires_at)),
        ))
        .returning(dsl::expires_at)
        .get_result(&mut conn)
        .await?;
    Ok(Invitation { secret, expires_at })
}

/// Returns whether an invitation with this secret can be used now.
pub async fn is_usable(mut conn: &Conn, secret: &str) -> Result<bool> {
    let invitation = invitations::table.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    let usable = invitation.filter(dsl::expires_at.gt(clock::now()));
    Ok(diesel::select(exists(usable)).get_result(&mut conn).await?)
}

/// Sets the password of the account that was invited with this secret, deletes the invitation, and remembers the address:
/// the invited person must be able to sign in from there even while others guess the password. Returns whether the
/// invitation was valid.
pub async fn accept(mut conn: &Conn, secret: &str, password_hash: String, from: NetworkAddress) -> Result<bool> {
    let invitation = || invitations::table.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    // Locks the account before the invitation, as disabling an account does. In another order the two could deadlock.
    let account =
        accounts::table.filter(accounts::id.eq_any(invitation().select(dsl::account_id))).select(accounts::id);
    let Some(id) = account.for_no_key_update().first::<Uuid>(&mut conn).await.optional()? else { return Ok(false) };
    if diesel::delete(invitation().filter(dsl::expires_at.gt(clock_now()))).execute(&mut conn).await? == 0 {
        return Ok(false);
    }
    let row = accounts::table.find(id).filter(accounts::disabled.eq(false));
    let changed = diesel::update(row).set(accounts::password_hash.eq(Some(password_hash))).execute(&mut conn).await?;
    if changed == 0 {
        return Ok(false);
    }
    known_addresses::remember(conn, id, from).await?;
    Ok(true)
}
