//! The shapes of a client.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use crate::schema::clients;

/// A new client.
#[derive(Debug, Insertable)]
#[diesel(table_name = clients, treat_none_as_default_value = false)]
pub struct NewClient {
    /// `UUIDv7`; the OAuth `client_id`.
    pub id: Uuid,
    /// What people call the system.
    pub name: String,
    /// The source of everything that it makes.
    pub source: String,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The municipality that it writes for; none for the whole region.
    pub municipality_code: Option<String>,
}

/// A client.
#[derive(Debug, HasQuery)]
#[diesel(table_name = clients)]
pub struct Client {
    /// `UUIDv7`; the OAuth `client_id`.
    pub id: Uuid,
    /// What people call the system.
    pub name: String,
    /// The source of everything that it makes.
    pub source: String,
    /// What it may ask for.
    pub scopes: Vec<String>,
    /// The municipality that it writes for; none for the whole region.
    pub municipality_code: Option<String>,
    /// Whether it is refused everywhere.
    pub disabled: bool,
    /// Access tokens issued before this are refused.
    pub access_changed_at: Option<DateTime<Utc>>,
}
