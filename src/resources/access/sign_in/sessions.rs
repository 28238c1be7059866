//! Sessions in the database. A session is a chain of refresh tokens, each of which is valid once.
//!
//! Every write locks the account first, then the session, then its tokens. Two writes in different orders could deadlock.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{exists, sql},
    prelude::*,
    sql_types::{Nullable, Timestamptz, Uuid as SqlUuid},
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{
    auth::{known_addresses, network_address::NetworkAddress, revocations::issue_at, secrets},
    db::{Conn, sql_functions::clock_now},
    problem::Result,
    resources::access::accounts::model::{Account, Credentials},
    schema::{accounts, refresh_tokens, sessions},
};

/// If a refresh token that was first used before this time is sent again, the session ends. A repetition within ten seconds
/// may come from two browser tabs that sent the token at the same time.
const LATEST_USE_OF_STOLEN_TOKEN: &str = "clock_now() - interval '10 seconds'";

/// Deletes all but the newest 100 sessions of an account, so that sign-ins cannot fill the disk.
const DELETE_OLD_SESSIONS: &str = "delete from sessions where id = any(array( \
    select id from sessions where account_id = $1 order by id desc offset 100 for update skip locked))";
/// Deletes all but the newest 100 used refresh tokens of a session, so that it cannot fill the disk. If one of them is sent
/// again, the session ends; an older one is only refused.
const DELETE_OLD_TOKENS: &str = "delete from refresh_tokens where token_hash = any(array( \
    select token_hash from refresh_tokens where session_id = $1 and rotated_at is not null \
    order by rotated_at desc offset 100))";

/// A session that has just been started or continued.
pub(super) struct Session {
    /// The account that is signed in.
    pub(super) account: Account,
    /// The next refresh token.
    pub(super) refresh_token: String,
    /// The issue time of the access token. It was read while the account was locked, so a later change of the account
    /// revokes the token.
    pub(super) issued_at: DateTime<Utc>,
}

/// Starts a session and remembers the address, unless the access of the account has changed since its credentials were read.
pub(super) async fn start(mut conn: &Conn, read: &Credentials, from: NetworkAddress) -> Result<Option<Session>> {
    let unchanged = Credentials::query()
        .filter(accounts::id.eq(read.account.id))
        .filter(accounts::disabled.eq(false))
        .filter(accounts::access_changed_at.is_not_distinct_from(read.access_changed_at));
    let Some(credentials) = unchanged.for_share().first::<Credentials>(&mut conn).await.optional()? else {
        return Ok(None);
    };
    let id = Uuid::now_v7();
    let values = (sessions::id.eq(id), sessions::account_id.eq(credentials.account.id));
    diesel::insert_into(sessions::table).values(values).execute(&mut conn).await?;
    diesel::sql_query(DELETE_OLD_SESSIONS).bind::<SqlUuid, _>(credentials.account.id).execute(&mut conn).await?;
    known_addresses::remember(conn, credentials.account.id, from).await?;
    add_token(conn, id, credentials).await.map(Some)
}

/// Returns whether a session has this refresh token, used or not. Requests with random tokens end here, on a connection for
/// reads. Only a write decides about a token that exists: [`rotate`] and [`end`] check it again under their locks.
pub(super) async fn has_token(mut conn: &Conn, token: &str) -> Result<bool> {
    let stored = refresh_tokens::table.find(secrets::hash(token));
    Ok(diesel::select(exists(stored)).get_result(&mut conn).await?)
}

/// Continues a session: exchanges a refresh token for the next one. Returns none when the token is not valid. A token that
/// was used before ends its session.
pub(super) async fn rotate(mut conn: &Conn, token: &str) -> Result<Option<Session>> {
    let hash = secrets::hash(token);
    let account = accounts::table
        .inner_join(sessions::table.inner_join(refresh_tokens::table))
        .filter(refresh_tokens::token_hash.eq(&hash))
        .select((sessions::id, Credentials::as_select()));
    let Some((session, credentials)) =
        account.for_no_key_update().first::<(Uuid, Credentials)>(&mut conn).await.optional()?
    else {
        return Ok(None);
    };
    let active = sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(refresh_tokens::session_id))
        .filter(sessions::expires_at.gt(clock_now()))
        .filter(accounts::disabled.eq(false));
    let unused = refresh_tokens::table.find(&hash).filter(refresh_tokens::rotated_at.is_null()).filter(exists(active));
    let rotate = diesel::update(unused).set(refresh_tokens::rotated_at.eq(clock_now().nullable()));
    if rotate.execute(&mut conn).await? == 1 {
        diesel::sql_query(DELETE_OLD_TOKENS).bind::<SqlUuid, _>(session).execute(&mut conn).await?;
        return add_token(conn, session, credentials).await.map(Some);
    }
    let used_before = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(&hash))
        .filter(refresh_tokens::rotated_at.lt(sql::<Nullable<Timestamptz>>(LATEST_USE_OF_STOLEN_TOKEN)))
        .select(refresh_tokens::session_id);
    let stolen = sessions::table.filter(sessions::id.eq_any(used_before));
    if diesel::delete(stolen).execute(&mut conn).await? == 1 {
        tracing::warn!(account = %credentials.account.id, "a refresh token was used again; its session has been ended");
    }
    Ok(None)
}

/// Ends the session of this refresh token, if there is one.
pub(super) async fn end(mut conn: &Conn, token: &str) -> Result<()> {
    let session = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(secrets::hash(token)))
        .select(refresh_tokens::session_id);
    diesel::delete(sessions::table.filter(sessions::id.eq_any(session))).execute(&mut conn).await?;
    Ok(())
}

/// Adds the next refresh token to a session.
async fn add_token(mut conn: &Conn, session: Uuid, credentials: Credentials) -> Result<Session> {
    let refresh_token = secrets::generate()?;
    let values = (refresh_tokens::token_hash.eq(secrets::hash(&refresh_token)), refresh_tokens::session_id.eq(session));
    diesel::insert_into(refresh_tokens::table).values(values).execute(&mut conn).await?;
    let issued_at = issue_at(credentials.access_changed_at, credentials.read_at);
    Ok(Session { account: credentials.account, refresh_token, issued_at })
}
