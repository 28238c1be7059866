//! The shapes of an account.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::{auth::reach::Role, schema::accounts};

/// A new account.
#[derive(Debug, Insertable)]
#[diesel(table_name = accounts, treat_none_as_default_value = false)]
pub struct NewAccount {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Personal data; in lower case.
    pub email: String,
    /// `coordinator`, `municipality` or `tutor`.
    pub role: Role,
    /// The municipality that it acts for.
    pub municipality_code: Option<String>,
    /// The tutor that it is.
    pub tutor_id: Option<Uuid>,
    /// argon2id, in PHC form.
    pub password_hash: Option<String>,
}

/// An account.
#[derive(HasQuery)]
#[diesel(table_name = accounts)]
pub struct Account {
    /// `UUIDv7`.
    pub id: Uuid,
    /// Personal data; in lower case.
    pub email: String,
    /// `coordinator`, `municipality` or `tutor`.
    pub role: Role,
    /// The municipality that it acts for.
    pub municipality_code: Option<String>,
    /// The tutor that it is.
    pub tutor_id: Option<Uuid>,
    /// argon2id, in PHC form; none until a password is set.
    pub password_hash: Option<String>,
    /// Whether it is refused everywhere.
    pub disabled: bool,
    /// Access tokens issued before this are refused.
    pub access_changed_at: Option<DateTime<Utc>>,
}
