//! The accounts in the database.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use super::model::{Account, NewAccount};
use crate::{
    db::Conn,
    problem::Result,
    schema::accounts::{self, dsl},
};

/// The account with this e-mail address, if there is one.
///
/// # Errors
/// When the database is away.
pub async fn find_by_email(mut conn: &Conn, email: &str) -> Result<Option<Account>> {
    let query = Account::query().filter(dsl::email.eq(email.trim().to_lowercase()));
    Ok(query.first(&mut conn).await.optional()?)
}

/// The account with this id.
///
/// # Errors
/// [`crate::problem::Error::NotFound`].
pub async fn find(mut conn: &Conn, id: Uuid) -> Result<Account> {
    Ok(Account::query().filter(dsl::id.eq(id)).first(&mut conn).await?)
}

/// Makes an account.
///
/// # Errors
/// [`crate::problem::Error::Conflict`] when the e-mail address is taken, [`crate::problem::Error::Invalid`] when the
/// role, the municipality and the tutor do not go together.
pub async fn create(mut conn: &Conn, new: NewAccount) -> Result<Account> {
    let insert = diesel::insert_into(accounts::table).values(new);
    Ok(insert.returning(Account::as_returning()).get_result(&mut conn).await?)
}
