//! Recomputes every summary from the feedback, and checks every step against the rule of publishing.

use diesel::sql_types;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{db, problem::Result};

/// A part of a summary that is not what it should be. It names no municipality and no respondent.
#[derive(Clone, Debug, PartialEq, Eq, diesel::QueryableByName)]
pub struct Difference {
    /// The event.
    #[diesel(sql_type = sql_types::Uuid)]
    pub event_id: Uuid,
    /// The part of its summary, such as `rating of participant_to_tutor`.
    #[diesel(sql_type = sql_types::Text)]
    pub subject: String,
    /// The stored value.
    #[diesel(sql_type = sql_types::Text)]
    pub kept: String,
    /// The recomputed value.
    #[diesel(sql_type = sql_types::Text)]
    pub expected: String,
}

/// Returns every difference. It uses a connection of its own, without a time limit.
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
