//! Sessions in the database: chains of refresh tokens, each good once.
//!
//! Whoever writes here locks the account, then the session, then its tokens, in this order.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::{IntervalDsl as _, exists, now},
    prelude::*,
    sql_types::Timestamptz,
};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{
    auth::{revocations::issue_at, secrets},
    db::Conn,
    problem::Result,
    resources::access::accounts::model::{Account, Credentials},
    schema::{accounts, refresh_tokens, sessions},
};

/// How many seconds after its use a refresh token may come again without a theft being feared.
const TWIN_SECONDS: i32 = 10;

/// A session that has just been started or continued.
pub(super) struct Session {
    /// Who is signed in.
    pub(super) account: Account,
    /// What the session is continued with next; told this once.
    pub(super) refresh_token: String,
    /// When the access token is issued: before anybody can change the account, whose change would else miss it.
    pub(super) issued_at: DateTime<Utc>,
}

/// Starts a session, unless the account's access has changed since it was looked at.
pub(super) async fn start(mut conn: &Conn, seen: &Credentials) -> Result<Option<Session>> {
    let unchanged = Credentials::query()
        .filter(accounts::id.eq(seen.account.id))
        .filter(accounts::disabled.eq(false))
        .filter(accounts::access_changed_at.is_not_distinct_from(seen.access_changed_at));
    let Some(holder) = unchanged.for_share().first::<Credentials>(&mut conn).await.optional()? else {
        return Ok(None);
    };
    let id = Uuid::now_v7();
    let made = (sessions::id.eq(id), sessions::account_id.eq(holder.account.id));
    diesel::insert_into(sessions::table).values(made).execute(&mut conn).await?;
    extend(conn, id, holder).await.map(Some)
}

/// Continues a session with the successor of its refresh token; none when the token is not good. One that comes again
/// ends the session, unless it may be the twin of a request that was under way at the same time.
pub(super) async fn rotate(mut conn: &Conn, token: &str) -> Result<Option<Session>> {
    let hash = secrets::hash(token);
    let holder = accounts::table
        .inner_join(sessions::table.inner_join(refresh_tokens::table))
        .filter(refresh_tokens::token_hash.eq(&hash))
        .select((sessions::id, Credentials::as_select()));
    let Some((session, holder)) =
        holder.for_no_key_update().first::<(Uuid, Credentials)>(&mut conn).await.optional()?
    else {
        return Ok(None);
    };
    let live = sessions::table
        .inner_join(accounts::table)
        .filter(sessions::id.eq(refresh_tokens::session_id))
        .filter(sessions::expires_at.gt(now))
        .filter(accounts::disabled.eq(false));
    let unused = refresh_tokens::table.find(&hash).filter(refresh_tokens::rotated_at.is_null()).filter(exists(live));
    let rotated = diesel::update(unused).set(refresh_tokens::rotated_at.eq(now));
    if rotated.execute(&mut conn).await? == 1 {
        return extend(conn, session, holder).await.map(Some);
    }
    let used_before = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(&hash))
        .filter(refresh_tokens::rotated_at.lt((now.into_sql::<Timestamptz>() - TWIN_SECONDS.seconds()).nullable()))
        .select(refresh_tokens::session_id);
    let stolen = sessions::table.filter(sessions::id.eq_any(used_before));
    if diesel::delete(stolen).execute(&mut conn).await? == 1 {
        tracing::warn!(account = %holder.account.id, "a refresh token came again: its session was ended");
    }
    Ok(None)
}

/// Ends the session of this refresh token, if there is one.
pub(super) async fn end(mut conn: &Conn, token: &str) -> Result<()> {
    let its = refresh_tokens::table
        .filter(refresh_tokens::token_hash.eq(secrets::hash(token)))
        .select(refresh_tokens::session_id);
    diesel::delete(sessions::table.filter(sessions::id.eq_any(its))).execute(&mut conn).await?;
    Ok(())
}

async fn extend(mut conn: &Conn, session: Uuid, holder: Credentials) -> Result<Session> {
    let refresh_token = secrets::generate()?;
    let made = (refresh_tokens::token_hash.eq(secrets::hash(&refresh_token)), refresh_tokens::session_id.eq(session));
    diesel::insert_into(refresh_tokens::table).values(made).execute(&mut conn).await?;
    let issued_at = issue_at(holder.access_changed_at, holder.read_at);
    Ok(Session { account: holder.account, refresh_token, issued_at })
}
