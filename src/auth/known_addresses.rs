//! The addresses from which accounts have signed in.
//!
//! An address from which any account has signed in is treated in the same way for every account, whether it exists or not:
//! otherwise the answers would reveal which account has signed in from where. Only after very many guesses for an account
//! does it matter from where that account itself has signed in.

use diesel::{dsl::exists, prelude::*};
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::network_address::NetworkAddress;
use crate::{
    db::{Conn, sql_functions::clock_now},
    problem::Result,
    schema::{accounts, known_addresses, known_addresses::dsl},
};

/// Returns whether any account has signed in from this address lately.
pub async fn is_known(mut conn: &Conn, address: NetworkAddress) -> Result<bool> {
    let Some(hash) = address.hash() else { return Ok(false) };
    let known = known_addresses::table.filter(dsl::address_hash.eq(hash));
    Ok(diesel::select(exists(known)).get_result(&mut conn).await?)
}

/// Returns whether the account with this e-mail address has signed in from this address lately.
pub async fn is_known_to(mut conn: &Conn, email: &str, address: NetworkAddress) -> Result<bool> {
    let Some(hash) = address.hash() else { return Ok(false) };
    let known = known_addresses::table
        .inner_join(accounts::table)
        .filter(dsl::address_hash.eq(hash))
        .filter(accounts::email.eq(email));
    Ok(diesel::select(exists(known)).get_result(&mut conn).await?)
}

/// Remembers that an account has signed in from this address.
pub async fn remember(mut conn: &Conn, account: Uuid, address: NetworkAddress) -> Result<()> {
    let Some(hash) = address.hash() else { return Ok(()) };
    diesel::insert_into(known_addresses::table)
        .values((dsl::account_id.eq(account), dsl::address_hash.eq(hash)))
        .on_conflict((dsl::account_id, dsl::address_hash))
        .do_update()
        .set(dsl::last_used_at.eq(clock_now()))
        .execute(&mut conn)
        .await?;
    Ok(())
}
