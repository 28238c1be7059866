//! Recomputes every roll-up from the feedback and holds the steps against their rule.

use diesel::sql_types;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{db, problem::Result};

/// A roll-up that is not what it should be. It names no municipality and no respondent.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct Difference {
    /// The event.
    #[diesel(sql_type = sql_types::Uuid)]
    pub event_id: Uuid,
    /// Which roll-up of it.
    #[diesel(sql_type = sql_types::Text)]
    pub subject: String,
    /// What is kept.
    #[diesel(sql_type = sql_types::Text)]
    pub kept: String,
    /// What was recomputed.
    #[diesel(sql_type = sql_types::Text)]
    pub expected: String,
}

/// Everything that differs; it takes as long as it takes, on a connection of its own.
///
/// # Errors
/// When the database is away.
pub async fn run(url: &str) -> Result<Vec<Difference>> {
    let mut conn = db::establish(url.to_owned()).await?;
    diesel::sql_query("set statement_timeout = 0").execute(&mut conn).await?;
    Ok(diesel::sql_query(include_str!("verify.sql")).load(&mut conn).await?)
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { event_id, subject, kept, expected } = self;
        write!(f, "event {event_id}: {subject}: {kept}; expected {expected}")
    }
}
