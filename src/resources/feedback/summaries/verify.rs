//! Recomputes every summary from the feedback, and checks every step against the rule of publishing.

use diesel::sql_types;
use diesel_async::RunQueryDsl;
use uuid::Uuid;

use crate::{db::Conn, problem::Result};

/// A part of a summary that differs from the feedback. It names no municipality and no respondent.
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
    pub actual: String,
    /// The recomputed value.
    #[diesel(sql_type = sql_types::Text)]
    pub expected: String,
}

/// Returns every difference. It removes the time limit of the connection.
pub async fn run(conn: &mut Conn) -> Result<Vec<Difference>> {
    diesel::sql_query("set statement_timeout = 0").execute(conn).await?;
    Ok(diesel::sql_query(include_str!("verify.sql")).load(conn).await?)
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { event_id, subject, actual, expected } = self;
        write!(f, "event {event_id}: {subject}: {actual}; expected {expected}")
    }
}
