//! Invitations: one-time secrets with which a person sets the password of an account.

use diesel::{dsl::now, prelude::*, upsert::excluded};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::Invitation;
use crate::{
    auth::secrets,
    db::Conn,
    problem::{Error, Result},
    schema::{accounts, invitations, invitations::dsl},
};

/// Makes a new invitation, which replaces an older one.
///
/// # Errors
/// [`Error::Conflict`] when the account is disabled.
pub(super) async fn renew(mut conn: &Conn, id: Uuid) -> Result<Invitation> {
    // It stays enabled until the invitation stands: disabling ends those that it finds.
    let enabled = accounts::table.find(id).filter(accounts::disabled.eq(false)).select(accounts::id).for_share();
    if enabled.first::<Uuid>(&mut conn).await.optional()?.is_none() {
        return Err(Error::Conflict {
            code: "account_disabled".into(),
            detail: "this account is disabled; enable it first".into(),
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

/// Whether this invitation can be used now.
///
/// # Errors
/// When the database is away.
pub async fn is_live(mut conn: &Conn, secret: &str) -> Result<bool> {
    let live = invitations::table.filter(dsl::secret_hash.eq(secrets::hash(secret))).filter(dsl::expires_at.gt(now));
    Ok(diesel::select(diesel::dsl::exists(live)).get_result(&mut conn).await?)
}

/// Uses an invitation up for this password of its account; false when it cannot be used.
///
/// # Errors
/// When the database is away.
pub async fn accept(mut conn: &Conn, secret: &str, password_hash: String) -> Result<bool> {
    let its = || invitations::table.filter(dsl::secret_hash.eq(secrets::hash(secret)));
    // The account first, as disabling does: two who lock in turn would wait for each other.
    let account = accounts::table.filter(accounts::id.eq_any(its().select(dsl::account_id))).select(accounts::id);
    let Some(id) = account.for_no_key_update().first::<Uuid>(&mut conn).await.optional()? else { return Ok(false) };
    if diesel::delete(its().filter(dsl::expires_at.gt(now))).execute(&mut conn).await? == 0 {
        return Ok(false);
    }
    let row = accounts::table.find(id).filter(accounts::disabled.eq(false));
    let changed = diesel::update(row).set(accounts::password_hash.eq(Some(password_hash))).execute(&mut conn).await?;
    Ok(changed == 1)
}
